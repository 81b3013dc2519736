"""What a picture shows: measures, limits, and what follows from them. Pure CPU work, in a worker process.

`limits.toml` has every limit with the figures behind it; `baoshen bench images` measures them anew.
"""
