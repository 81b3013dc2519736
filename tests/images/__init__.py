"""Images as files: what is found in their bytes, and what is written into them."""
