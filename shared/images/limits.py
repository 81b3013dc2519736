"""How large an image may be at the door, and the door's no."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What is asked of a file before anything of it is decoded."""

    most_bytes: int
    most_pixels: int
    least_side_px: int


# 200 KB, read as 200 × 1024. A picture of so few bytes that claims more than 25 million pixels hides something.
MATERIAL = Limits(204_800, 25_000_000, 100)
# A portrait comes from the camera as it is: phones take up to 50 million pixels. Its size is the photo check's concern.
PORTRAIT = Limits(10 * 1024 * 1024, 60_000_000, 1)

# Scans times pixels: a decoder walks over every pixel once a scan. Encoders make up to 64 scans, a bomb thousands.
MOST_PIXELS_SCANNED = 1_000_000_000
MOST_SCANS = 200
# Each costs the walk about two microseconds; cameras write up to 200, for pictures of 10 MB.
MOST_METADATA_SEGMENTS = 500
MOST_TABLE_SEGMENTS = 1000


class EnvelopeRefused(Exception):
    """The file may not be stored.

    Attributes:
        reason: the code of a finding, such as `corrupt`.
        measured: what was counted, where there is a limit.
        limit: what it may be at most, or at least.
        words: the code whose words fit best; it is the reason unless more is known.
    """

    def __init__(
        self, reason: str, measured: float | None = None, limit: float | None = None, *, words: str | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.measured = measured
        self.limit = limit
        self.words = words or reason


def check_pixels(width: int, height: int, limits: Limits) -> None:
    """Refuse a size that no picture has, or that nobody should decode.

    Raises:
        EnvelopeRefused: `corrupt` or `pixel_limit`.
    """
    if width == 0 or height == 0:
        raise EnvelopeRefused("corrupt")
    if width * height > limits.most_pixels:
        raise EnvelopeRefused("pixel_limit", width * height, limits.most_pixels)
