"""The final opinion: hidden, published, read; and what is still to be handed in afterwards."""

import asyncio
from typing import Any

from deploy.demo.scene import Scene, Step, answered, eventually, see


async def opinion_is_hidden(scene: Scene) -> str:
    """Nothing of the decision shows before the region publishes."""
    await asyncio.sleep(1)
    page = await scene.candidate.page()
    see(page["opinion"] is None, "the opinion shows before publication")
    see(page["state"] == "submitted", f"the state says {page['state']}")
    return "the candidate sees no opinion"


def region_publishes(count: int = 1) -> Step:
    """A step: the region's administrator publishes all its opinions."""

    async def published(scene: Scene) -> str:
        year = str(scene.cast.pack.year)

        async def ready() -> bool:
            # What was decided a moment ago can still be undone.
            found = answered(await scene.staff.admin.get("/publications/readiness", year=year), 200).json()
            return bool(found["ready"])

        await eventually(ready, "the region, ready to publish")
        scene.heard |= {each["id"] for each in await scene.messages()}
        body = {"region": scene.cast.region, "year": scene.cast.pack.year}
        found = answered(await scene.staff.admin.post("/publications", body), 201).json()["published"]
        see(found == count, f"{found} published, not {count}")
        return f"{count} application{'s' if count > 1 else ''}"

    return published


async def final_opinion_is_read(scene: Scene) -> str:
    """The candidate reads it."""

    async def opinion() -> dict[str, Any] | None:
        found: dict[str, Any] | None = (await scene.candidate.page())["opinion"]
        return found

    found = await eventually(opinion, "the final opinion")
    see(found["opinion"] == "approved", f"the opinion is {found['opinion']}")
    return f"{found['opinion']}: {found['words']}"


async def publication_sms_is_received(scene: Scene) -> str:
    """One more SMS, which does not tell the outcome."""
    text = await scene.next_sms()
    see("审核通过" not in text, "the SMS tells the outcome")
    return text


async def supplement_is_announced(scene: Scene) -> str:
    """What is still to come, and by when."""
    supplements = (await scene.candidate.page())["supplements"]
    see(supplements, "nothing is said of a supplement")
    due = {each.item: each.due.isoformat() for each in scene.cast.pack.supplements}
    see(all(due.get(each["item"]) == each["due"] for each in supplements), "another day is said")
    return "、".join(f"{each['title']['zh']} {each['due']}" for each in supplements)
