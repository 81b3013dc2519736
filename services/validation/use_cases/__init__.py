"""What validation does: write down what was found, and tell it."""
