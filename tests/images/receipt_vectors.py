"""The test vectors of docs/photo-receipt.md; `python -m tests.images.receipt_vectors` writes them anew.

The keys are those of RFC 8032, section 7.1, tests 1 to 3: known to everybody, good for nothing else.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.images.receipt import add_receipt
from shared.security.photo_keys import SigningKey

FOLDER = Path(__file__).resolve().parents[1] / "data" / "photo-receipt"
# 24 × 32 grey pixels, by Pillow 13; with and without its JFIF segment.
PLAIN = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb0043001b12141714111b1716171e1c1b2028422b28252528513a3d3042605565645f55"
    "5d5b6a7899816a7190735b5d85b586909ea3abadab6780bcc9baa6c799a8aba4ffc0000b080020001801011100ffc400190000030003000000"
    "000000000000000000000305020406ffc40023100001040101090000000000000000000001000203110405153134536181a2b1d1ffda000801"
    "0100003f00e99085af9d23e1c47be334e1546ba852768e5f37c47c55b0647cd88c7c86dc6ecd752b1d4f8097b7b0a0abda6701177f653e58d9"
    "3465920b69de2d23676272bc8fd4f8a36431864629a370b5ffd9"
)
PLAIN_WITHOUT_JFIF = PLAIN[:2] + PLAIN[20:]
SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
SIGNS = SigningKey("p20261128-0001", bytes.fromhex(SEED))
RETIRED = SigningKey(
    "p20260101-0002", bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
)
FOREIGN = SigningKey(
    "p20261128-0003", bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
)
CANDIDATE = "2026150001"
ISSUED = datetime(2026, 11, 28, tzinfo=UTC)
EXPIRES = datetime(2026, 12, 28, tzinfo=UTC)
NONCE = bytes(range(16))
_AT = "2026-12-01T00:00:00Z"


def signed(photo: bytes, key: SigningKey = SIGNS) -> bytes:
    """The photo with the receipt that all vectors have."""
    return add_receipt(
        photo,
        application_no=CANDIDATE,
        pack="neimenggu-2021@3",
        issued_at=ISSUED,
        expires_at=EXPIRES,
        key=key,
        nonce=NONCE,
    )[0]


def files() -> dict[str, bytes]:
    """Every file of the vectors by name."""
    accepted = signed(PLAIN)
    segment = accepted[20 : 20 + len(accepted) - len(PLAIN)]
    found = {
        "accepted.jpg": accepted,
        "accepted-without-jfif.jpg": signed(PLAIN_WITHOUT_JFIF),
        "plain.jpg": PLAIN,
        "cut.jpg": accepted[:19],
        "twice.jpg": accepted[:20] + segment + accepted[20:],
        "unreadable.jpg": accepted.replace(b'"app":"2026', b'"app": "202'),
        "forged.jpg": accepted.replace(b"2026-12-28", b"2027-12-28"),
        "unknown-key.jpg": signed(PLAIN, FOREIGN),
        "retired-key.jpg": signed(PLAIN, RETIRED),
        "changed.jpg": accepted[:-3] + bytes([accepted[-3] ^ 1]) + accepted[-2:],
        "trailing.jpg": accepted + b"\x00",
        "moved.jpg": PLAIN[:2] + segment + PLAIN[2:],
    }
    keys = [
        {"id": RETIRED.id, "public": RETIRED.public, "created_at": _at(2026, 1), "retired_at": _at(2026, 11)},
        {"id": SIGNS.id, "public": SIGNS.public, "created_at": _at(2026, 11), "retired_at": None},
    ]
    found["keys.public.json"] = _json({"keys": keys})
    found["vectors.json"] = _json({"seed_hex": SEED, "nonce_hex": NONCE.hex(), "cases": CASES})
    return found


CASES: list[dict[str, Any]] = [
    {"file": file, "application_no": application_no, "now": now, "result": result}
    for file, application_no, now, result in (
        ("accepted.jpg", CANDIDATE, _AT, "valid"),
        ("accepted.jpg", None, _AT, "valid"),
        ("accepted-without-jfif.jpg", CANDIDATE, _AT, "valid"),
        ("accepted.jpg", CANDIDATE, "2026-11-27T23:58:00Z", "valid"),
        ("accepted.jpg", CANDIDATE, "2026-11-27T23:57:59Z", "receipt_not_yet_valid"),
        ("accepted.jpg", CANDIDATE, "2026-12-27T23:59:59Z", "valid"),
        ("accepted.jpg", CANDIDATE, "2026-12-28T00:00:00Z", "receipt_expired"),
        ("accepted.jpg", "2026150002", _AT, "other_candidate"),
        ("plain.jpg", CANDIDATE, _AT, "receipt_missing"),
        ("cut.jpg", CANDIDATE, _AT, "not_a_jpeg"),
        ("twice.jpg", CANDIDATE, _AT, "receipt_twice"),
        ("unreadable.jpg", CANDIDATE, _AT, "receipt_unreadable"),
        ("forged.jpg", CANDIDATE, _AT, "receipt_forged"),
        ("unknown-key.jpg", CANDIDATE, _AT, "key_unknown"),
        ("retired-key.jpg", CANDIDATE, _AT, "key_retired"),
        ("changed.jpg", CANDIDATE, _AT, "photo_changed"),
        ("trailing.jpg", CANDIDATE, _AT, "photo_changed"),
        ("moved.jpg", CANDIDATE, _AT, "photo_changed"),
    )
]


def _at(year: int, month: int) -> str:
    return f"{datetime(year, month, 28, tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}"


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1) + "\n").encode()


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (FOLDER / name).write_bytes(content)
