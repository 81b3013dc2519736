"""Each region's story through the public APIs of the whole system, then the reconciliation of everything it left."""

from collections.abc import Awaitable, Callable

import pytest
import pytest_asyncio

from deploy.demo.decisions import ALL, stories_of
from deploy.demo.stories import pack_names, story_of
from deploy.demo.story import Outcome, Story
from deploy.local.stack import Stack
from deploy.reconcile.rules import reconcile
from tests.chaos.conftest import settled

pytestmark = [pytest.mark.stack]
Play = Callable[[str], Awaitable[tuple[Story, list[Outcome]]]]


@pytest_asyncio.fixture(scope="module")
async def play(system: Stack) -> Play:
    """`await play("hunan-2026")`: that region's story and how each step went; played once for all who ask."""
    played: dict[str, tuple[Story, list[Outcome]]] = {}

    async def once(pack: str) -> tuple[Story, list[Outcome]]:
        if pack not in played:
            story = story_of(pack, system.environment)
            played[pack] = story, [outcome async for outcome in story.play()]
        return played[pack]

    return once


@pytest.mark.parametrize("pack", pack_names())
async def test_a_regions_story_goes_all_the_way(pack: str, system: Stack, play: Play) -> None:
    story, outcomes = await play(pack)

    assert [(each.step, each.said) for each in outcomes if not each.ok] == []
    assert [each.step for each in outcomes] == story.steps()
    await settled(system)


@pytest.mark.timeout(600)
async def test_everything_that_staff_may_do_goes_all_the_way(system: Stack) -> None:
    stories = stories_of(ALL, "neimenggu-2021", system.environment)

    played = [(name, story, [outcome async for outcome in story.play()]) for name, story in stories]

    assert [(name, each.step, each.said) for name, _, outcomes in played for each in outcomes if not each.ok] == []
    assert all([each.step for each in outcomes] == story.steps() for _, story, outcomes in played)
    assert sum(len(outcomes) for _, _, outcomes in played) >= 40
    await settled(system)


async def test_the_reconciliation_notices_what_is_lost_or_doubled(system: Stack, play: Play) -> None:
    await play("neimenggu-2021")
    seen = await settled(system)

    image = next(row for row in seen.rows["upload"]["images"] if row["removed_at"] is None)
    seen.objects.pop(image["object_key"])
    checks = seen.rows["validation"]["checks"]
    checks.append(next(check for check in checks if check["image_id"] == image["image_id"]))
    seen.rows["notify"]["notices"] = [n for n in seen.rows["notify"]["notices"] if n["about"] != "returned"]
    seen.rows["upload"]["feedback"] = [f for f in seen.rows["upload"]["feedback"] if f["tier"] == "system"]
    seen.told_images.discard(str(image["image_id"]))
    seen.rows["review"]["outbox"][0]["count"] = 1

    broken = {finding.rule for finding in reconcile(seen) if not finding.ok}
    assert broken == {
        "nothing is under way",
        "every accepted image has its object, whole",
        "every accepted image was told, and no other",
        "every image has exactly one final check",
        "every feedback is on its candidate's page, once",
        "every feedback has exactly one in-app notice",
    }


async def test_the_reconciliation_notices_who_did_not_hear_of_a_change(system: Stack, play: Play) -> None:
    await play("neimenggu-2021")
    seen = await settled(system)

    [submitted, *_] = [row for row in seen.rows["upload"]["applications"] if row["round"] > 0]
    submitted["registration_revision"] += 1
    seen.rows["notify"]["packs"] = []
    seen.rows["notify"]["notices"] = [n for n in seen.rows["notify"]["notices"] if n["about"] != "withdrawn"]
    review = next(r for r in seen.rows["review"]["reviews"] if r["application_no"] == submitted["application_no"])
    submitted["state"], review["published_at"] = "withdrawn", None

    broken = {finding.rule for finding in reconcile(seen) if not finding.ok}
    assert broken == {
        "every service has the newest registration",
        "every service knows the rules that a submission is bound to",
        "every withdrawal, warning and lapse has exactly one in-app notice",
        "what was withdrawn or has lapsed is out of review",
    }
