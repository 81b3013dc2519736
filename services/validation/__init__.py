"""Looks at images. No public API.

Hears material.uploaded, material.removed, photo.check_requested.
Tells material.checked, material.read, photo.checked.
Owns the checks: what was found on each image and each portrait, and its verdict.
"""
