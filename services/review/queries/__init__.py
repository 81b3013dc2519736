"""Reads for the API."""
