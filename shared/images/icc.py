"""Colour profiles: kept where they are whole, small and of the picture's kind, else dropped."""

from typing import Literal

from shared.images.active_content import is_active

Space = Literal[b"GRAY", b"RGB ", b"CMYK"]
LARGEST = 65_536
"""Bytes; sRGB has 3 KB, a display's about 4. One for printing has 500 KB, and no web page needs it."""
LARGEST_CLAIM = 16 * 1024 * 1024
HEADER = 128


def is_a_profile(start: bytes, *, largest: int) -> bool:
    """Are these the first bytes of a profile that says that it is no larger than so?"""
    return len(start) >= HEADER and start[36:40] == b"acsp" and HEADER <= int.from_bytes(start[:4]) <= largest


def is_sound(profile: bytes, space: Space) -> bool:
    """May the profile stay?

    Args:
        profile: all of it.
        space: what the picture's pixels are.
    """
    return (
        is_a_profile(profile, largest=LARGEST)
        and int.from_bytes(profile[:4]) == len(profile)
        and profile[16:20] == space
        and not is_active(profile)
    )
