"""Second factors in tests: an authenticator app in a few lines, and accounts that have one."""

import time
from typing import Any

import pyotp

from tests.review.conftest import PASSWORD, Desk, ReviewUnderTest


def shows(secret: str, *, steps: int = 0) -> str:
    """What the app shows, so many steps of half a minute from now."""
    return pyotp.TOTP(secret).at(int(time.time()) + 30 * steps)


def another_than(code: str) -> str:
    """A wrong code."""
    return f"{(int(code) + 1) % 10**6:06d}"


async def enrol(desk: Desk) -> tuple[str, list[str]]:
    """Set up a second factor: its secret, and the recovery codes. The present code is used up by it."""
    begun = await desk.post("/staff/second-factor")
    assert begun.status_code == 201, begun.text
    secret: str = begun.json()["secret"]
    confirmed = await desk.post("/staff/second-factor/confirmations", {"code": shows(secret)})
    assert confirmed.status_code == 201, confirmed.text
    codes: list[str] = confirmed.json()["recovery_codes"]
    return secret, codes


async def forget_steps(review: ReviewUnderTest) -> None:
    """As if no code had been used yet: a test need not wait for half a minute."""
    await review.execute("UPDATE staff SET totp_last_step = NULL")


async def log_in(review: ReviewUnderTest, login: str, **more: Any) -> Any:
    """A login in a fresh browser."""
    client = await review.new_client()
    return await client.post("/staff/session", json={"login": login, "password": PASSWORD} | more)


async def lines_of(review: ReviewUnderTest, *acts: str) -> list[dict[str, Any]]:
    """What the audit trail has of these acts, in order."""
    return await review.rows(
        "SELECT act, outcome, staff_id, region, site, detail FROM audit WHERE act = ANY(:acts) ORDER BY line_id",
        acts=list(acts),
    )
