"""`baoshen rules check`: everything that is wrong with a pack, each with its line and what to do about it."""
