"""How alike two pictures look, by their fingerprints (256-bit DCT hashes)."""

from services.validation.quality.limits import in_force


def distance(one: bytes, other: bytes) -> float:
    """The share of bits that differ, 0 to 1."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count() / (8 * len(one))


def is_near(one: bytes | None, other: bytes | None) -> tuple[float, float] | None:
    """The distance and its limit where the two look the same; None where they do not, or one was not seen."""
    if one is None or other is None or len(one) != len(other):
        return None
    apart, most = distance(one, other), in_force().near_duplicate.most_different
    return (apart, most) if apart <= most else None
