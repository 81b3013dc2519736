"""The main job through the public APIs of the whole system, then the reconciliation of everything it left."""

import pytest

from deploy.demo.cast import make_cast
from deploy.demo.story import Story
from deploy.local.stack import Stack
from deploy.reconcile.rules import reconcile
from deploy.reconcile.sources import read_everything
from shared.contracts.facts import Facts
from tests.chaos.conftest import settled

pytestmark = [pytest.mark.stack]


async def test_one_application_goes_all_the_way(system: Stack) -> None:
    story = Story(system.environment, make_cast("neimenggu-2021", Facts()))

    outcomes = [outcome async for outcome in story.play()]

    assert [(each.step, each.said) for each in outcomes if not each.ok] == []
    assert len(outcomes) == len(story.steps())
    await settled(system)


async def test_the_reconciliation_notices_what_is_lost_or_doubled(system: Stack) -> None:
    story = Story(system.environment, make_cast("neimenggu-2021", Facts()))
    async for _ in story.play():
        pass
    await settled(system)
    seen = await read_everything(system.environment)

    image = seen.rows["upload"]["images"][0]
    seen.objects.pop(image["object_key"])
    seen.rows["validation"]["checks"].append(seen.rows["validation"]["checks"][0])
    seen.rows["notify"]["notices"] = [n for n in seen.rows["notify"]["notices"] if n["about"] != "returned"]
    seen.rows["upload"]["feedback"].pop()
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
