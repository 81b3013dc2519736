"""Small image files, made on the spot."""

import io
from functools import cache

from PIL import Image


@cache
def a_jpeg(shade: int = 0, side: int = 200) -> bytes:
    """A JPEG; another `shade` gives other bytes."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((side, side)).point(lambda value: (value + shade) % 256).save(out, "JPEG")
    return out.getvalue()


@cache
def a_png(shade: int = 0, side: int = 120) -> bytes:
    """A PNG; another `shade` gives other bytes."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((side, side)).point(lambda value: (value + shade) % 256).save(out, "PNG")
    return out.getvalue()
