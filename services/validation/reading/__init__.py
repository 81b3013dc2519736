"""Reading papers: what stands on an image of one, and whether its text is mirrored. Advice for staff, never a verdict.

`reader.read` is the way in. It is pure CPU work for a worker process, and opens no file but the models of the wheels
and no connection at all.
"""
