"""The four services. They share contracts and plumbing, and speak only through topics."""
