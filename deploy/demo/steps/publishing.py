"""The final opinion: hidden, published, read; and what is still to be handed in afterwards."""

import asyncio
from datetime import timedelta
from typing import Any

from deploy.demo.scene import PATIENCE_S, Scene, Step, answered, eventually, see
from shared import clock


async def opinion_is_hidden(scene: Scene) -> str:
    """Nothing of the decision shows before the region publishes."""
    await asyncio.sleep(1)
    page = await scene.candidate.page()
    see(page["opinion"] is None, "the opinion shows before publication")
    see(page["state"] == "submitted", f"the state says {page['state']}")
    return "the candidate sees no opinion"


async def begin_publication(scene: Scene) -> dict[str, Any]:
    """Publish once everything is ready: what was decided a moment ago can still be undone."""
    admin, year = scene.staff.admin, scene.cast.pack.year

    async def ready() -> bool:
        return bool(answered(await admin.get("/publications/readiness", year=str(year)), 200).json()["ready"])

    await eventually(ready, "the region, ready to publish")
    scene.heard |= {each["id"] for each in await scene.messages()}
    # Where it is only tried out, this soon; elsewhere it is as many minutes as everybody is given to hear of it.
    soon = clock.now() + timedelta(seconds=6)
    body = {"region": scene.cast.region, "year": year, "effective_at": soon.isoformat()}
    begun: dict[str, Any] = answered(await admin.post("/publications", body), 201).json()
    return begun


def region_publishes(count: int = 1) -> Step:
    """A step: the region's administrator publishes all its opinions."""

    async def published(scene: Scene) -> str:
        found = (await begin_publication(scene))["published"]
        see(found == count, f"{found} published, not {count}")
        return f"{count} application{'s' if count > 1 else ''}"

    return published


async def final_opinion_is_read(scene: Scene) -> str:
    """The candidate reads it."""
    return await opinion_is_read(scene)


async def opinion_is_read(scene: Scene, within_s: float = PATIENCE_S) -> str:
    """Wait until the candidate reads the final opinion; see that it is the one that was decided."""

    async def opinion() -> dict[str, Any] | None:
        found: dict[str, Any] | None = (await scene.candidate.page())["opinion"]
        return found

    found = await eventually(opinion, "the final opinion", within_s=within_s)
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
