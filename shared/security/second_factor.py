"""Second factors: time-based codes of an authenticator app (RFC 6238), and recovery codes that stand in for them."""

import hmac
import io
import secrets
from datetime import datetime

import pyotp
import segno

ISSUER = "Baoshen"
STEP_S = 30
# Clocks of telephones differ: a code of the step before and of the step after is taken, too.
_AROUND = (0, -1, 1)
RECOVERY_CODES = 10
# Without letters and digits that look alike on paper. Twelve of them: 58 bits.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVW"
_GROUPS, _GROUP = 3, 4


def new_secret() -> str:
    """A secret as people and apps take it: 160 bits in base32."""
    return pyotp.random_base32()


def uri_of(secret: str, login: str) -> str:
    """The link that an authenticator app opens."""
    return pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=login, issuer_name=ISSUER)


def qr_svg(uri: str) -> str:
    """The link as a QR code; an SVG that can stand in a page or be an image of its own."""
    out = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(
        out, kind="svg", scale=4, border=4, light="#fff", xmldecl=False, svgns=True, nl=False
    )
    return out.getvalue().decode()


def step_of(secret: str, code: str, at: datetime, last_step: int | None) -> int | None:
    """Which step a code belongs to; None where it is wrong, or was good before.

    Args:
        secret: the shared one.
        code: what was typed.
        at: the present.
        last_step: of the last code that was taken; it, and those before, are not taken again.
    """
    totp = pyotp.TOTP(secret, interval=STEP_S)
    present = int(at.timestamp()) // STEP_S
    for around in _AROUND:
        step = present + around
        right = hmac.compare_digest(totp.generate_otp(step).encode(), code.encode())
        if right and (last_step is None or step > last_step):
            return step
    return None


def new_recovery_codes() -> list[str]:
    """Ten fresh ones, such as `7KQ2-9FHM-3WTB`."""
    return [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    ]


def plain_recovery_code(typed: str) -> str:
    """However it was typed: without hyphens and spaces, in capitals."""
    return "".join(char for char in typed.upper() if char.isalnum())
