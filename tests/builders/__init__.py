"""Ready-made events and rows, so that a test says only what matters to it."""
