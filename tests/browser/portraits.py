"""Portraits as candidates choose them, of the one face that there is: good ones, and some with a fault."""

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageFilter
from playwright.async_api import FilePayload

from deploy.specimens.portrait import bust

_SIZE = (1200, 1600)
_JACKET = (38, 44, 66)
_WHITE = (255, 255, 255)
_BLUE = (120, 160, 214)
ORIENTATION = 0x0112
_QUARTER_TO_THE_LEFT = 6  # how a phone held upright notes it: whoever shows the photo turns it to the right


@lru_cache(maxsize=8)
def _drawn(ground: tuple[int, int, int], tilt: float, blur: float) -> Image.Image:
    # The head has 175 px in the original: here 60 % of the height, a good space above it.
    person = bust(_SIZE, 5.5, (_SIZE[0] / 2, 160), _JACKET, np.random.default_rng(3))
    if tilt:
        person = person.rotate(tilt, Image.Resampling.BICUBIC, center=(_SIZE[0] / 2, 700))
    picture = Image.new("RGB", _SIZE, ground)
    picture.paste(person, mask=person.getchannel("A"))
    return picture.filter(ImageFilter.GaussianBlur(blur)) if blur else picture


def portrait(
    *, faulty: bool = False, tilt: float = 0, turned_by_exif: bool = False, name: str = "IMG_2041.jpg"
) -> FilePayload:
    """A photo to choose.

    Args:
        faulty: blurred, before a blue wall, and tilted by so much that staff should look.
        tilt: by how many degrees the head is tilted; 11 are worth a hint.
        turned_by_exif: the pixels lie on their side and EXIF says so, as phones write it.
        name: the file's.
    """
    picture = _drawn(_BLUE, 12, 8) if faulty else _drawn(_WHITE, tilt, 0)
    exif, file = Image.Exif(), BytesIO()
    if turned_by_exif:
        picture = picture.transpose(Image.Transpose.ROTATE_90)
        exif[ORIENTATION] = _QUARTER_TO_THE_LEFT
    picture.save(file, "JPEG", quality=92, exif=exif)
    return {"name": name, "mimeType": "image/jpeg", "buffer": file.getvalue()}


def heic() -> FilePayload:
    """The first bytes of what iPhones write, and that many more."""
    head = b"\x00\x00\x00\x24ftypheic\x00\x00\x00\x00mif1MiHBMiPrmiafheic"
    return {"name": "IMG_2042.HEIC", "mimeType": "image/heic", "buffer": head + bytes(5_000)}
