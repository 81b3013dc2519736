"""Taking the application back: when it may be, what it opens, and that a refusal tells no outcome."""

import asyncio
from collections.abc import Callable
from uuid import uuid4

import pytest

from shared.contracts.upload import ApplicationSubmitted, ApplicationWithdrawn
from tests.builders.events import a_decision, a_publication, a_return
from tests.builders.images import a_jpeg
from tests.upload.conftest import NUMBER, Upload

Later = Callable[[float], None]


async def test_withdrawing_unlocks_everything_and_is_told(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()

    answer = await upload.post("withdrawals")

    assert (answer.status_code, answer.json()["revision"]) == (201, 2)
    [told] = await upload.tells(ApplicationWithdrawn)
    assert (told.round, told.revision) == (1, 2)
    page = await upload.page()
    assert (page["state"], page["locked"], page["can_submit"], page["submitted_at"]) == ("withdrawn", False, True, None)
    uploaded = [i for s in page["sections"] for i in s["items"] if i["channel"] != "onsite"]
    assert not any(item["locked"] for item in uploaded)
    assert page["timeline"][0]["kind"] == "withdrawn"
    assert (await upload.page_events())[-1] == "withdrawn"


async def test_a_withdrawn_application_is_submitted_again_in_the_next_round_with_its_rules(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()
    await upload.tells(ApplicationSubmitted)
    await upload.post("withdrawals")
    await upload.has_windows(version=2)
    await upload.put("diploma", a_jpeg(60))

    again = await upload.submit()

    assert (again.status_code, again.json()["round"], again.json()["revision"]) == (201, 2, 3)
    [told] = await upload.tells(ApplicationSubmitted)
    assert (told.pack_version, told.changed_items) == (1, ("diploma",))
    assert [line["kind"] for line in (await upload.page())["timeline"]][:2] == ["resubmitted", "withdrawn"]


async def test_a_draft_may_be_withdrawn_and_then_submitted(upload: Upload) -> None:
    await upload.fills_checklist()

    withdrawn = await upload.post("withdrawals")
    submitted = await upload.submit()

    assert [withdrawn.status_code, submitted.status_code] == [201, 201]
    [told] = await upload.tells(ApplicationWithdrawn)
    assert (told.round, told.revision) == (0, 1)
    assert (submitted.json()["round"], submitted.json()["revision"]) == (1, 2)


async def test_what_was_returned_must_still_change_after_a_withdrawal(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()
    await upload.hears(a_return(["diploma"]))
    await upload.post("withdrawals")

    answer = await upload.submit()

    assert answer.json()["missing"] == [{"item": "diploma", "problem": "unchanged", "need": 0}]


async def test_a_second_withdrawal_is_refused_and_the_same_request_gets_the_same_answer(upload: Upload) -> None:
    headers = upload.writes(**{"Idempotency-Key": "withdraw-0001"})
    url = f"/applications/{NUMBER}/withdrawals"

    first = await upload.client.post(url, json={}, headers=headers)
    repeated = await upload.client.post(url, json={}, headers=headers)
    second = await upload.post("withdrawals")

    assert (first.status_code, first.text) == (repeated.status_code, repeated.text)
    assert (second.status_code, second.json()["code"]) == (409, "already-withdrawn")
    assert len(await upload.tells(ApplicationWithdrawn)) == 1


async def test_outside_the_window_withdrawing_is_refused_with_its_times(upload: Upload, time_passes: Later) -> None:
    await upload.has_windows(upload=(-10, 10), change=(1, 2))

    early, page = await upload.post("withdrawals"), await upload.page()
    time_passes(1.5)
    inside = await upload.page()
    time_passes(0.5)
    late = await upload.post("withdrawals")

    assert (early.status_code, early.json()["code"], early.json()["window"]) == (409, "window-closed", "change")
    assert early.json()["opens_at"] < early.json()["closes_at"]
    assert (page["can_withdraw"], inside["can_withdraw"], inside["withdraw_refused"]) == (False, True, None)
    assert page["withdraw_refused"] == {"zh": early.json()["detail"], "en": early.json()["detail_en"]}
    assert (late.status_code, late.json()["code"]) == (409, "window-closed")
    assert await upload.tells(ApplicationWithdrawn) == []


@pytest.mark.parametrize("outcome", ["approved", "rejected", "disqualified"])
async def test_a_decided_application_is_not_withdrawn_and_nothing_tells_the_outcome(
    upload: Upload, outcome: str
) -> None:
    await upload.fills_checklist()
    await upload.submit()
    before = await upload.page()
    noted = await upload.page_events()

    await upload.hears(a_decision(outcome=outcome))

    after, answer = await upload.page(), await upload.post("withdrawals")
    assert (answer.status_code, answer.json()["code"]) == (409, "review-finished")
    assert outcome not in answer.text + str(after)
    assert after | {"now": None} == before | {"now": None}
    assert await upload.page_events() == noted


async def test_every_outcome_is_refused_with_the_same_words(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()
    said = set()

    for outcome in ("approved", "rejected", "disqualified"):
        await upload.hears(a_decision(outcome=outcome))
        said.add((await upload.post("withdrawals")).json()["detail"])

    assert len(said) == 1


@pytest.mark.parametrize(
    "decision",
    [
        a_decision(outcome="passed_site", tier="site"),
        a_decision(outcome="sent_back"),
        a_decision(outcome="rejected", tier="site"),
        a_decision(revision=7),
    ],
)
async def test_what_is_no_decision_on_this_submission_does_not_keep_from_withdrawing(
    upload: Upload, decision: object
) -> None:
    await upload.fills_checklist()
    await upload.submit()

    await upload.hears(decision)  # type: ignore[arg-type]

    assert (await upload.post("withdrawals")).status_code == 201


async def test_a_decision_heard_after_the_withdrawal_changes_nothing(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()
    await upload.post("withdrawals")

    await upload.hears(a_decision(revision=1))

    assert (await upload.submit()).status_code == 201
    assert (await upload.post("withdrawals")).status_code == 201


async def test_a_published_application_is_not_withdrawn(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()
    await upload.hears(a_publication())

    answer = await upload.post("withdrawals")

    assert (answer.status_code, answer.json()["code"]) == (409, "published")


async def test_a_return_heard_after_the_withdrawal_changes_nothing(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()
    await upload.post("withdrawals")

    await upload.hears(a_return(["diploma"]))

    page = await upload.page()
    assert (page["state"], page["feedback"]) == ("withdrawn", [])


async def test_withdrawing_submitting_and_a_return_at_once_leave_one_story(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()
    await upload.tells(ApplicationSubmitted)

    withdrawn, submitted, _ = await asyncio.gather(
        upload.post("withdrawals"), upload.submit(), upload.hears(a_return(["diploma"]))
    )

    assert withdrawn.status_code == 201
    page = await upload.page()
    assert submitted.status_code in {201, 409, 422}
    told = [event.revision for event in await upload.tells(ApplicationWithdrawn)]
    told += [event.revision for event in await upload.tells(ApplicationSubmitted)]
    assert sorted(told) == list(range(2, page["revision"] + 1))
    assert page["state"] == ("submitted" if submitted.status_code == 201 else "withdrawn")
    assert [line["seq"] for line in page["timeline"]] == list(range(len(page["timeline"]), 0, -1))


async def test_another_candidates_application_can_not_be_withdrawn(upload: Upload) -> None:
    await upload.is_registered(revision=1, number="2021110002")

    answer = await upload.post("withdrawals", number="2021110002")
    without_token = await upload.client.post(
        f"/applications/{NUMBER}/withdrawals", json={}, headers={"Idempotency-Key": str(uuid4())}
    )

    assert [answer.status_code, without_token.status_code] == [404, 403]
