"""The commands of `baoshen`, one file each."""
