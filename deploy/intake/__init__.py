"""Bringing data in from files: registrations, accounts, rule packs; each row checked, each refusal with its line."""
