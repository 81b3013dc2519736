"""Publishing as the region's administrator sees it, and what is on record afterwards."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from deploy.audit_check import Told, read_told, verify
from deploy.demo.scene import Scene, answered, eventually, see
from deploy.demo.steps.desk import detail, rows
from deploy.demo.steps.publishing import begin_publication, opinion_is_read
from shared import clock
from shared.security.audit_chain import AuditKeys, AuditSigner

# From a publication to its effect; five minutes in production, a few seconds in development.
_LONGEST_WAIT_S = 400.0


def _of(scene: Scene) -> dict[str, Any]:
    return {"region": scene.cast.region, "year": scene.cast.pack.year}


async def publishing_is_refused_while_unfinished(scene: Scene) -> str:
    """The administrator sees what is not decided yet; publishing is refused until it is."""
    admin, year = scene.staff.admin, str(scene.cast.pack.year)
    ready = answered(await admin.get("/publications/readiness", year=year), 200).json()
    see(not ready["ready"] and ready["unfinished"] == 1, f"{ready['unfinished']} are unfinished, not 1")
    see(list(await rows(admin, state="unfinished")) == [scene.cast.application_no], "the list says something else")
    answered(await admin.post("/publications", _of(scene)), 409, "reviews-unfinished")
    answered(await scene.staff.site.post("/publications", _of(scene)), 403)
    return f"unfinished: {ready['by_state']}"


async def region_publishes_all(scene: Scene) -> str:
    """Ready; told application by application, and shown to nobody before its time."""
    admin = scene.staff.admin
    done = await begin_publication(scene)
    scene.effective_at = datetime.fromisoformat(done["effective_at"])
    see(scene.effective_at > clock.now() + timedelta(seconds=1), "it would show at once")
    see((await scene.candidate.page())["opinion"] is None, "the opinion shows before its time")

    async def finished() -> dict[str, Any] | None:
        found = answered(await admin.get(f"/publications/{done['publication_id']}"), 200).json()
        return found if found["finished"] else None

    found = await eventually(finished, "the end of the publication")
    see(found["told"] == found["published"] == 1, f"{found['told']} of {found['published']} were told")
    return f"shows from {scene.effective_at:%H:%M:%S} UTC on"


async def nothing_shows_before_its_time(scene: Scene) -> str:
    """Told to the services, but to nobody outside, until the one moment for the whole region."""
    seen = 0
    while clock.now() < scene.effective_at - timedelta(seconds=0.5):
        page = await scene.candidate.page()
        early = clock.now() < scene.effective_at
        see(page["opinion"] is None or not early, "the opinion shows before its time")
        see([each for each in await scene.messages() if each["id"] not in scene.heard] == [] or not early, "an SMS")
        seen += 1
        await asyncio.sleep(0.3)
    return f"looked {seen} times"


async def opinion_shows_at_its_time(scene: Scene) -> str:
    """Then the candidate reads it."""
    return await opinion_is_read(scene, _LONGEST_WAIT_S)


async def published_stays_as_it_is(scene: Scene) -> str:
    """Nobody decides on it again, and there is nothing left to publish."""
    region = scene.staff.region
    refused = answered(await region.claim(scene.cast.application_no), 409)
    answered(await region.post(f"{scene.review_url}/decisions", {"outcome": "rejected", "words": "改判"}), 409)
    answered(await scene.staff.admin.post("/publications", _of(scene)), 409, "nothing-to-publish")
    see((await detail(scene, region))["opinion"] == "approved", "the opinion has changed")
    return str(refused.json()["detail"])


async def acts_are_on_record(scene: Scene) -> str:
    """The auditor reads who did what, and that the site was refused; the lines get sealed."""
    auditor, number = scene.staff.auditor, scene.cast.application_no

    async def sealed() -> list[dict[str, Any]] | None:
        page = answered(await auditor.get("/audit", application_no=number, limit="100"), 200).json()
        lines: list[dict[str, Any]] = page["items"]
        return lines if lines and all(line["seq"] for line in lines) else None

    lines = await eventually(sealed, "the sealed lines")
    acts = {line["act"] for line in lines}
    see({"claimed", "passed", "decided", "opened"} <= acts, f"on record: {sorted(acts)}")
    refused = answered(await auditor.get("/audit", outcome="refused", limit="100"), 200).json()["items"]
    see(refused, "the site's refused call is not on record")
    see(scene.cast.person.id_number not in str(lines), "the record tells an ID number")
    answered(await scene.staff.admin.get("/audit"), 403)
    return f"{len(lines)} lines: {', '.join(sorted(acts))}"


async def audit_chain_holds(scene: Scene) -> str:
    """What `baoshen audit verify` looks at: lines, hashes, signed heads, and the heads on the topic."""
    env = scene.environment
    keys = AuditKeys([AuditSigner(env["AUDIT_SIGNING_KEY"]).public_key])

    async def read() -> Told:
        return await read_told(env["KAFKA_BOOTSTRAP_SERVERS"], Told(keys, set()), within_s=_LONGEST_WAIT_S)

    verdict = await verify(env["DATABASE_URL_REVIEW"], keys, read)
    see(verdict.holds, f"the chain does not hold: {[problem.words for problem in verdict.problems][:3]}")
    return f"{verdict.sealed} lines sealed in {verdict.batches} batches"


async def progress_is_seen(scene: Scene) -> str:
    """The region's figures, and their export, which is on record too."""
    admin = scene.staff.admin
    found = answered(await admin.get("/progress", year=str(scene.cast.pack.year)), 200).json()
    see(sum(found["by_state"].values()) == 1, f"the figures are {found['by_state']}")
    table = answered(await admin.get("/exports/applications.csv"), 200)
    see(scene.cast.application_no in table.text, "the export lacks the application")
    see(scene.cast.person.id_number not in table.text, "the export tells an ID number")
    answered(await admin.get("/exports/applications.csv", category="ethnic"), 404, "nothing-to-export")
    return f"{found['by_state']}"
