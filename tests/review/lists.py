"""Lists as a desk sees them."""

from datetime import datetime
from typing import Any

from shared.contracts.rules import RulesPublished, Window, Windows
from tests.builders.review import NO, START, a_pack
from tests.review.conftest import Desk

NUMBERS = [f"1501202100{number:04}" for number in range(60)]


def a_timely_pack(days: int | None = 5, closes: datetime | None = None) -> RulesPublished:
    """Rules with a service level, and a review window."""
    review = Window(opens=START.replace(tzinfo=None), closes=closes, time_zone="Asia/Shanghai") if closes else None
    pack = a_pack().pack.model_copy(update={"service_level_days": days, "windows": Windows(review=review)})
    return RulesPublished(pack=pack)


async def pages(desk: Desk, **params: object) -> list[dict[str, Any]]:
    """Every page of a list, to its end."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await desk.get("/reviews", **params, **cursor)
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        if found[-1]["next"] is None:
            return found
        cursor = {"cursor": found[-1]["next"]}


async def pages_found(desk: Desk, q: str) -> list[list[str]]:
    """The numbers on every page of what a search found, to its end."""
    found: list[list[str]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await desk.post("/reviews/searches", {"q": q} | cursor)
        assert answer.status_code == 200, answer.text
        found.append([row["application_no"] for row in answer.json()["items"]])
        if answer.json()["next"] is None:
            return found
        cursor = {"cursor": answer.json()["next"]}


async def listed(desk: Desk, **params: object) -> list[str]:
    return [row["application_no"] for page in await pages(desk, **params) for row in page["items"]]


async def row_of(desk: Desk, application_no: str = NO, state: str = "waiting") -> dict[str, Any]:
    rows = (await desk.get("/reviews", state=state)).json()["items"]
    return next(row for row in rows if row["application_no"] == application_no)
