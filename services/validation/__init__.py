"""Looks at images. No public API.

Hears material.uploaded, material.removed.
Tells material.checked.
Owns the checks: what was found on each image, and its verdict.
"""
