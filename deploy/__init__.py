"""Running Baoshen: the command line, the embedded stack, demo, checks and benches."""
