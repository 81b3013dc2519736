"""The rules that an application follows, whatever arrives later."""

from shared.contracts.rules import RulesPublished
from tests.builders.events import a_pack, a_registration
from tests.upload.conftest import NUMBER, Upload


async def test_a_submitted_application_keeps_its_pack_when_the_registration_names_another(upload: Upload) -> None:
    await upload.fills_checklist()
    assert (await upload.submit()).status_code == 201
    changed = a_registration(upload.keys, revision=2).model_copy(update={"pack_id": "elsewhere-2021"})

    await upload.hears(changed)

    page = await upload.page()
    assert (page["pack"]["id"], page["state"]) == ("neimenggu-2021", "submitted")


async def test_before_the_first_submission_a_registration_may_bring_another_pack(upload: Upload) -> None:
    await upload.hears(RulesPublished(pack=a_pack().model_copy(update={"id": "elsewhere-2021"})))

    await upload.hears(a_registration(upload.keys, revision=2).model_copy(update={"pack_id": "elsewhere-2021"}))

    assert (await upload.page())["pack"]["id"] == "elsewhere-2021"


async def test_a_version_whose_conditions_do_not_compile_leaves_the_one_before_in_force(upload: Upload) -> None:
    pack = a_pack(version=2)
    broken = pack.items["diploma"].model_copy(update={"required_when": "no_such_fact == 'x'"})

    await upload.hears(RulesPublished(pack=pack.model_copy(update={"items": pack.items | {"diploma": broken}})))

    assert (await upload.page())["pack"] == {"id": "neimenggu-2021", "version": 1}
    assert await upload.dead_letters() == 1


async def test_an_application_whose_rules_have_not_arrived_says_to_come_back(upload: Upload) -> None:
    await upload.hears(a_registration(upload.keys, revision=2).model_copy(update={"pack_id": "elsewhere-2021"}))

    answer = await upload.client.get(f"/applications/{NUMBER}")

    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
        503,
        "rules-not-published",
        "30",
    )
