"""Handing in, taking back, and a registration that changes in between."""

from typing import Any
from uuid import uuid4

from deploy.demo.cast import register
from deploy.demo.scene import Scene, Step, answered, eventually, see


async def application_is_submitted(scene: Scene) -> str:
    """Handing in, twice with one key: one submission."""
    key = str(uuid4())
    first = answered(await scene.candidate.submit(key), 201)
    again = answered(await scene.candidate.submit(key), 201)
    see(first.json() == again.json(), "the repeated submit got another answer")
    see(first.json()["round"] == scene.round + 1, f"it is round {first.json()['round']}")
    scene.round += 1
    answered(await scene.candidate.submit(), 409, "already-submitted")
    return f"round {scene.round}"


async def everything_is_locked(scene: Scene) -> str:
    """No item can be changed, and the page says so."""
    page = await scene.candidate.page()
    locked = [item["locked"] for section in page["sections"] for item in section["items"]]
    see(page["locked"] and all(locked), "an item is not locked")
    see(page["timeline"][0]["text"]["zh"] == "上报完成，内容已锁定", "the timeline does not say so")
    if page["uploads"]:
        answered(await scene.upload("diploma", "diploma", 2), 409, "item-locked")
    return str(page["timeline"][0]["text"]["zh"])


async def application_is_withdrawn(scene: Scene) -> str:
    """Inside the window the candidate takes it back; everything unlocks."""
    see((await scene.candidate.page())["can_withdraw"], "the page offers no withdrawal")
    answered(await scene.candidate.withdraw(), 201)
    page = await scene.candidate.page()
    see(page["state"] == "withdrawn" and not page["locked"], f"the state is {page['state']}")
    see(page["timeline"][0]["kind"] == "withdrawn", "the timeline does not say so")
    see(page["deadline"], "nothing is said of the deadline")
    return await scene.next_sms()


async def application_is_submitted_again(scene: Scene) -> str:
    """The next round."""
    found = answered(await scene.candidate.submit(), 201).json()["round"]
    see(found == scene.round + 1, f"it is round {found}")
    scene.round = found
    return f"round {found}"


def registration_changes(item: str, **facts: object) -> Step:
    """A step: the registration system tells other facts; the application is reopened and asks for one item more.

    Args:
        item: what is newly required.
        **facts: what is different.
    """

    async def changed(scene: Scene) -> str:
        before = await scene.candidate.items()
        see(not before[item]["required"], f"{item} is required already")
        different = scene.cast.facts.model_copy(update=facts)
        await register(scene.environment, scene.cast, revision=2, facts=different)

        async def reopened() -> dict[str, Any] | None:
            page = await scene.candidate.page()
            return page if page["state"] != "submitted" else None

        page = await eventually(reopened, "the reopened application")
        after = await scene.candidate.items()
        see(after[item]["required"] and not after[item]["locked"], f"{item} is not asked for")
        newest = page["timeline"][0]
        see(newest["kind"] in {"registration_changed", "reopened"}, f"the timeline says {newest['kind']}")
        scene.required = [code for code, each in after.items() if each["required"]]
        await scene.next_sms()
        return str(after[item]["reason"]["zh"])

    return changed
