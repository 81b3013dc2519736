"""A registration that changes: followed, reopened, or too late."""

from collections.abc import Callable

from shared.contracts.facts import Facts
from shared.contracts.upload import ApplicationReopened, ApplicationSubmitted
from tests.builders.events import PERSON, a_publication, a_registration, a_return
from tests.builders.images import a_jpeg
from tests.upload.conftest import NUMBER, Upload

Later = Callable[[float], None]
# Going up from assistant, three more items are asked for and the trial assessment is not.
GOING_UP = {"upgrading": True}
MORE = {"practice_assessment", "assistant_qualification", "assistant_practice_licence"}


def required(page: dict) -> set[str]:
    return {item["item"] for section in page["sections"] for item in section["items"] if item["required"]}


def unlocked(page: dict) -> set[str]:
    return {item["item"] for section in page["sections"] for item in section["items"] if not item["locked"]}


async def test_a_draft_follows_and_the_timeline_says_what_changed(upload: Upload) -> None:
    before = required(await upload.page())

    await upload.is_registered(**GOING_UP)

    page = await upload.page()
    assert required(page) >= MORE
    assert "trial_assessment" in before - required(page)
    line = page["timeline"][0]
    assert line["kind"] == "registration_changed"
    assert sum(detail["zh"].startswith("新增必交：") for detail in line["details"]) == len(MORE)
    assert any("不再" in detail["zh"] for detail in line["details"])
    assert await upload.page_events() == ["registration_changed"]
    assert await upload.tells(ApplicationReopened) == []


async def test_a_submission_is_reopened_with_why_and_must_be_handed_in_again(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()
    await upload.tells(ApplicationSubmitted)

    await upload.is_registered(**GOING_UP)

    [told] = await upload.tells(ApplicationReopened)
    assert (told.cause, told.round, told.revision) == ("registration_changed", 1, 2)
    assert {item.item for item in told.items} == MORE
    assert all(item.words.startswith("新增必交") for item in told.items)
    page = await upload.page()
    assert (page["state"], page["deadline"]["what"]) == ("returned", "resubmit")
    assert page["deadline"]["at"] == page["windows"]["upload"]["closes_at"]
    assert unlocked(page) == MORE
    assert {item["item"] for item in page["feedback"][0]["items"]} == MORE
    assert "再次提交" in page["timeline"][0]["details"][0]["zh"]
    assert {each["item"] for each in (await upload.submit()).json()["missing"]} == MORE
    for n, item in enumerate(sorted(MORE)):
        assert (await upload.put(item, a_jpeg(70 + n))).status_code == 201
    again = await upload.submit()
    [submitted] = await upload.tells(ApplicationSubmitted)
    assert (again.json()["round"], again.json()["revision"], submitted.facts.upgrading) == (2, 3, True)
    assert set(submitted.changed_items) == MORE


async def test_a_change_that_asks_nothing_more_reopens_all_the_same(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()

    await upload.is_registered(has_residency_certificate=True)

    [told] = await upload.tells(ApplicationReopened)
    assert (told.items, (await upload.page())["state"]) == ((), "returned")
    assert (await upload.submit()).status_code == 201


async def test_a_new_site_reopens_and_is_handed_in_with_the_next_round(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()
    await upload.tells(ApplicationSubmitted)

    await upload.hears(a_registration(upload.keys, revision=2, site="1502"))

    assert (await upload.page())["timeline"][0]["details"][1]["zh"] == "考点改为包头考点"
    assert (await upload.submit()).status_code == 201
    [told] = await upload.tells(ApplicationSubmitted)
    assert told.site == "1502"


async def test_a_changed_registration_heard_twice_reopens_once(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()
    changed = a_registration(upload.keys, revision=2, facts=Facts(**GOING_UP))

    await upload.hears(changed, changed)
    await upload.hears(changed)

    assert len(await upload.tells(ApplicationReopened)) == 1
    assert [line["kind"] for line in (await upload.page())["timeline"]].count("registration_changed") == 1


async def test_an_older_registration_that_comes_later_changes_nothing(upload: Upload) -> None:
    await upload.is_registered(revision=5, **GOING_UP)

    await upload.is_registered(revision=4)

    page = await upload.page()
    assert page["facts"]["upgrading"] is True
    assert [line["kind"] for line in page["timeline"]] == ["registration_changed", "registered"]


async def test_the_same_facts_again_change_nothing(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()

    await upload.is_registered(revision=2)

    page = await upload.page()
    assert (page["state"], [line["kind"] for line in page["timeline"]]) == ("submitted", ["submitted", "registered"])
    assert await upload.tells(ApplicationReopened) == []


async def test_a_new_phone_reopens_nothing_but_the_page_shows_it(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()
    person = PERSON.model_copy(update={"phone": "19900000077"})

    await upload.hears(a_registration(upload.keys, revision=2, person=person))

    page = await upload.page()
    assert (page["state"], page["candidate"]["phone_masked"][-2:]) == ("submitted", "77")
    assert (await upload.page_events())[-1] == "contact_changed"


async def test_outside_the_window_a_submission_keeps_its_facts_and_the_change_is_noted(
    upload: Upload, time_passes: Later
) -> None:
    await upload.has_windows(upload=(-1, 1), change=(-1, 1), review=(0, 100))
    await upload.fills_checklist()
    await upload.submit()
    time_passes(1.2)

    await upload.is_registered(**GOING_UP)

    page = await upload.page()
    assert (page["state"], page["facts"]["upgrading"]) == ("submitted", False)
    line = page["timeline"][0]
    assert (line["kind"], len([d for d in line["details"] if d["zh"].startswith("新增必交")])) == ("change_too_late", 3)
    assert await upload.tells(ApplicationReopened) == []


async def test_after_the_publication_a_change_is_only_noted(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()
    await upload.hears(a_publication())

    await upload.is_registered(**GOING_UP)

    page = await upload.page()
    assert (page["state"], page["facts"]["upgrading"]) == ("published", False)
    assert page["timeline"][0]["kind"] == "change_too_late"


async def test_what_was_returned_follows_and_opens_what_is_newly_required(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()
    await upload.hears(a_return(["diploma"]))

    await upload.is_registered(**GOING_UP)

    page = await upload.page()
    assert unlocked(page) == MORE | {"diploma"}
    assert page["deadline"]["at"] == page["windows"]["review"]["closes_at"]
    assert await upload.tells(ApplicationReopened) == []
    assert {each["item"]: each["problem"] for each in page["missing"]}["diploma"] == "unchanged"


async def test_a_return_of_the_submission_before_the_change_is_not_applied(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()
    await upload.is_registered(**GOING_UP)

    await upload.hears(a_return(["identity"], round=1, revision=1))

    assert "identity" not in unlocked(await upload.page())


async def test_a_reopened_submission_is_withdrawn_like_any_other(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()
    await upload.is_registered(**GOING_UP)

    answer = await upload.post("withdrawals")

    assert (answer.status_code, answer.json()["revision"]) == (201, 3)
    assert (await upload.page())["state"] == "withdrawn"


async def test_many_registrations_at_once_each_have_their_own_effect(upload: Upload) -> None:
    numbers = [f"20211100{n:02}" for n in range(2, 32)]
    await upload.hears(*(a_registration(upload.keys, number) for number in numbers))

    await upload.hears(
        *(
            a_registration(upload.keys, number, revision=2, facts=Facts(**GOING_UP) if n % 3 == 0 else None)
            for n, number in enumerate(numbers)
        )
    )

    events = [await upload.page_events(number) for number in numbers]
    assert events == [["registration_changed"] if n % 3 == 0 else [] for n in range(len(numbers))]
    assert await upload.page_events(NUMBER) == []
