"""What every step at a reviewer's desk begins with: lists, claims, and the application as it is seen."""

from typing import Any

from deploy.demo.people import Staff
from deploy.demo.scene import Scene, answered, eventually


async def detail(scene: Scene, who: Staff) -> dict[str, Any]:
    """The application as this person sees it."""
    found: dict[str, Any] = answered(await who.get(scene.review_url), 200).json()
    return found


def items_of(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Its items by code."""
    return {item["item"]: item for section in found["sections"] for item in section["items"]}


async def rows(who: Staff, **asked: str) -> dict[str, dict[str, Any]]:
    """A list's first page, by application number."""
    page = answered(await who.get("/reviews", **asked), 200).json()
    return {row["application_no"]: row for row in page["items"]}


async def listed(scene: Scene, who: Staff, state: str) -> dict[str, Any]:
    """Wait until the application is in a list, and return its row."""

    async def found() -> dict[str, Any] | None:
        return (await rows(who, state=state)).get(scene.cast.application_no)

    row: dict[str, Any] = await eventually(found, f"the application in the list {state}")
    return row


async def claimed(scene: Scene, who: Staff, state: str = "waiting") -> None:
    """Wait for it in a list, and claim it."""
    await listed(scene, who, state)
    answered(await who.claim(scene.cast.application_no), 200)
