"""Messaging that loses nothing: batches at least once, outbox and relay, inbox, dead letters and parking."""
