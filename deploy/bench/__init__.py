"""Measurements, each against a bare rival in the same run, on a stack of its own."""
