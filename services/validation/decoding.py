"""The look at one image's bytes: is it what it says, whole, of a sane size, and good to look at?

Pure CPU work, for a worker process. Whatever a decoder does with a hostile file, the answer is a finding; nothing is
raised. The picture is decoded once, whole and strictly; all that is measured is measured on that.
"""

import hashlib
import io
import warnings

import numpy as np
import simplejpeg
from PIL import Image

from services.validation import png, uncommon_jpeg
from services.validation.domain import (
    LARGEST_BYTES,
    LEAST_SIDE_PX,
    MOST_PIXELS,
    Kind,
    Look,
    Refused,
    judge,
    rejected,
)
from services.validation.png import PNG_MAGIC
from services.validation.quality.judging import findings_on
from services.validation.quality.limits import in_force
from services.validation.quality.measures import fingerprint
from services.validation.quality.picture import Picture, Pixels
from shared.contracts.validation import Finding
from shared.images.envelope import orientation_of
from shared.images.limits import MOST_PIXELS_SCANNED

JPEG_MAGIC = b"\xff\xd8\xff"
_START_OF_SCAN = b"\xff\xda"
# Above it a JPEG is scaled down by the decoder: all of its coded data is read and checked all the same, but 25 million
# pixels in colour would be 75 MB, beside the coefficients of a progressive one (150 MB).
_LARGE_PIXELS = 4_500_000
_LEAST_DECODED_PX = 1500

# A decompression bomb is only a warning up to twice Pillow's own limit.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def look(
    body: bytes, sha256: str, declared: str, kind: Kind = "document", stricter: frozenset[str] = frozenset()
) -> Look:
    """Check one image.

    Args:
        body: the stored bytes.
        sha256: what they must hash to.
        declared: the content type they were uploaded as.
        kind: what should be on it; `codec` judges the file alone.
        stricter: codes of quality of which what is doubtful is refused, too.
    """
    limits = in_force()
    metrics: dict[str, float] = {}
    findings: list[Finding] = []
    seen: bytes | None = None
    try:
        _check_bytes(body, sha256, declared)
        pixels = _decode_jpeg(body, metrics) if declared == "image/jpeg" else _decode_png(body, metrics)
        picture = Picture(pixels, orientation_of(body))
        seen = fingerprint(picture.coarse)
        if kind != "codec":
            findings = findings_on(picture, kind, stricter, limits, metrics)
    except Refused as refused:
        findings = [refused.finding]
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        findings = [rejected("pixel_limit", limit=MOST_PIXELS)]
    except Exception:  # noqa: BLE001 decoders raise anything: OSError, SyntaxError, MemoryError, KeyError …
        findings = [rejected("corrupt")]
    return Look(judge(findings, metrics), seen)


def _check_bytes(body: bytes, sha256: str, declared: str) -> None:
    if hashlib.sha256(body).hexdigest() != sha256:
        raise Refused(rejected("corrupt"))  # not the bytes that the candidate sent
    if not body:
        raise Refused(rejected("empty", 0, 1))
    if len(body) > LARGEST_BYTES:
        raise Refused(rejected("too_large_bytes", len(body), LARGEST_BYTES))
    if body.startswith(JPEG_MAGIC):
        found = "image/jpeg"
    elif body.startswith(PNG_MAGIC):
        found = "image/png"
    else:
        raise Refused(rejected("unsupported_format"))
    if found != declared:
        raise Refused(rejected("extension_mismatch"))


def _check_size(width: int, height: int, metrics: dict[str, float]) -> None:
    """Before anything is decoded: a header costs nothing, the pixels that it promises may cost gigabytes."""
    metrics["width_px"], metrics["height_px"] = width, height
    if width * height > MOST_PIXELS:
        raise Refused(rejected("pixel_limit", width * height, MOST_PIXELS))
    if min(width, height) < LEAST_SIDE_PX:
        raise Refused(rejected("too_small", min(width, height), LEAST_SIDE_PX))


def _decode_jpeg(body: bytes, metrics: dict[str, float]) -> Pixels:
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(body, strict=False)
    except Exception:  # noqa: BLE001 it knows the seven common chroma samplings; others are legal, too
        return _decode_uncommon_jpeg(body, metrics)
    _check_size(width, height, metrics)
    _check_scans(body, width * height)
    least = _LEAST_DECODED_PX if width * height > _LARGE_PIXELS else 0
    wanted = {"CMYK": "CMYK", "YCCK": "CMYK", "Gray": "GRAY"}.get(colours, "BGR")
    # Strict: flipped bits, which Pillow lets pass, are an error. Of an MPO this is the first picture.
    decoded = simplejpeg.decode_jpeg(
        body, wanted, strict=True, min_height=min(least, height), min_width=min(least, width)
    )
    if wanted == "CMYK":
        return _from_cmyk(decoded)
    return np.asarray(decoded[..., 0] if wanted == "GRAY" else decoded, np.uint8)


def _from_cmyk(inks: Pixels) -> Pixels:
    """As Pillow and browsers do it, with Adobe's marker or without: what is stored is the light that is left."""
    light = inks[..., 2::-1].astype(np.uint16) * inks[..., 3:]
    return np.asarray((light + 127) // 255, np.uint8)


def _decode_uncommon_jpeg(body: bytes, metrics: dict[str, float]) -> Pixels:
    with Image.open(io.BytesIO(body), formats=("JPEG",)) as picture:
        width, height = picture.size
    _check_size(width, height, metrics)
    _check_scans(body, width * height)
    least = _LEAST_DECODED_PX if width * height > _LARGE_PIXELS else max(width, height)
    return uncommon_jpeg.decode(body, (width, height), (min(least, width), min(least, height)))


def _check_scans(body: bytes, pixels: int) -> None:
    """Refuse what repeats its scans: 2,500 of them over 25 million pixels are 200 KB, and minutes of work."""
    scans, most = body.count(_START_OF_SCAN), max(MOST_PIXELS_SCANNED // pixels, 1)
    if scans > most:
        raise Refused(rejected("too_complex", scans, most))


def _decode_png(body: bytes, metrics: dict[str, float]) -> Pixels:
    chunks = png.walk(body)
    _check_size(chunks.header.width, chunks.header.height, metrics)
    png.check_pixels(chunks)
    return png.decode(body)
