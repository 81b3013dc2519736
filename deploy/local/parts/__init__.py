"""The parts of the embedded stack, one file per program: how it is installed, prepared, started and found ready."""
