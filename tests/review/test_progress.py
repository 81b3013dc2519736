"""The dashboard: who sees whose figures, what they count, and how old they may be."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from services.review.queries import progress
from shared import clock
from shared.contracts.rules import RulesPublished, Text
from tests.builders.review import a_pack
from tests.review.conftest import ReviewUnderTest, Time
from tests.review.many import there_are


async def figures(review: ReviewUnderTest, login: str = "admin", **params: Any) -> dict[str, Any]:
    answer = await (await review.desk(login)).get("/progress", **params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def it_was(
    review: ReviewUnderTest,
    act: str,
    number: str,
    by: UUID | None = None,
    at: datetime | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    await review.execute(
        "INSERT INTO history (application_no, at, tier, act, staff_id, round, revision, detail) "
        "VALUES (:number, :at, 'site', :act, :by, 1, 1, CAST(:detail AS jsonb))",
        number=number, at=at or clock.now(), act=act, by=by, detail=json.dumps(detail or {}),
    )  # fmt: skip


async def an_image(
    review: ReviewUnderTest, number: str, item: str, *findings: tuple[str, str], last_round: int = 1
) -> None:
    image_id = uuid4()
    await review.execute(
        "INSERT INTO images (application_no, image_id, item, object_key, sha256, size, content_type, uploaded_at, "
        "verdict, first_round, last_round) "
        "VALUES (:number, :id, :item, 'k', 's', 1, 'image/png', :at, 'accept', 1, :n)",
        number=number, id=image_id, item=item, at=clock.now(), n=last_round,
    )  # fmt: skip
    await review.execute(
        "INSERT INTO checks VALUES (:id, :number, 1, 'review', 'ok', CAST(:findings AS jsonb), :at)",
        id=image_id, number=number, at=clock.now(),
        findings=json.dumps([{"code": code, "severity": severity} for code, severity in findings]),
    )  # fmt: skip


async def test_it_counts_by_state_tier_site_and_age(review: ReviewUnderTest) -> None:
    await review.hears(a_pack())
    waiting = await there_are(review, 4, "at_site")
    await there_are(review, 2, "at_region", first=10, site="1502", returns=3)
    await there_are(review, 3, "decided", first=20, site="1502")
    await there_are(review, 5, "at_site", first=30, region="43", site="4301")
    await there_are(review, 6, "at_site", first=40, year=2020)
    for number, hours in zip(waiting, (1, 30, 100, 200), strict=True):
        await review.execute(
            "UPDATE reviews SET submitted_at = :at, due_at = :due WHERE application_no = :no",
            at=clock.now() - timedelta(hours=hours), due=clock.now() + timedelta(hours=50 - hours), no=number,
        )  # fmt: skip

    found = await figures(review, year=2021)

    assert (found["region"], found["site"], found["year"], found["applications"]) == ("15", None, 2021, 9)
    assert found["by_state"] == {"at_site": 4, "at_region": 2, "decided": 3}
    assert found["by_tier"] == {"site": {"at_site": 4}, "region": {"at_region": 2, "decided": 3}}
    assert [(each["site"], each["name"]["zh"], each["by_state"], each["overdue"]) for each in found["by_site"]] == [
        ("1501", "呼和浩特考点", {"at_site": 4}, 2),
        ("1502", "包头考点", {"at_region": 2, "decided": 3}, 0),
    ]
    assert [(each["bucket"], each["site"], each["region"]) for each in found["ageing"]] == [
        ("<1d", 1, 0), ("1-3d", 1, 0), ("3-7d", 1, 0), (">7d", 1, 2),
    ]  # fmt: skip
    assert (found["overdue"], found["returned_3_times"]) == (2, 2)


async def test_acts_count_on_their_day_in_beijing_and_undone_ones_do_not(review: ReviewUnderTest) -> None:
    numbers = await there_are(review, 3, "at_site")
    foreign = await there_are(review, 1, "at_site", first=9, region="43", site="4301")
    today = clock.now().astimezone(progress.BEIJING).replace(hour=0, minute=30)
    yesterday, long_ago = today - timedelta(hours=1), today - timedelta(days=61)
    by = review.people["site"]
    for at in (yesterday, long_ago):
        await it_was(review, "submitted", numbers[0], at=at)
    for number in (*numbers, *foreign):
        await it_was(review, "passed", number, by, at=today)
    await it_was(review, "undone", numbers[0], by, at=today, detail={"kind": "pass", "act_id": str(uuid4())})
    await it_was(review, "decided", numbers[1], by, at=today)
    await it_was(review, "agreed", numbers[2], by, at=today)
    await it_was(review, "opened", numbers[2], by, at=today)

    days = (await figures(review))["by_day"]

    assert len(days) == progress.DAYS
    assert days[-1] == {
        "day": today.date().isoformat(), "submitted": 0, "returned": 0, "passed": 2, "decided": 2,
    }  # fmt: skip
    assert days[-2]["submitted"] == 1
    assert sum(day["submitted"] for day in days) == 1


async def test_an_administrator_sees_everybody_s_work_and_a_reviewer_their_own(review: ReviewUnderTest) -> None:
    numbers = await there_are(review, 4, "at_site")
    now = clock.now()
    for number, login, at in (
        (numbers[0], "site", now),
        (numbers[1], "site", now - timedelta(days=2)),
        (numbers[2], "site", now - timedelta(days=9)),
        (numbers[3], "site2", now),
    ):
        await it_was(review, "returned", number, review.people[login], at=at, detail={"items": []})

    whole = {line["name"]: line for line in (await figures(review))["throughput"]}
    own = (await figures(review, "site2"))["throughput"]
    reviewer = (await figures(review, "region"))["throughput"]

    assert len(whole) == 5
    assert "审核员 otherregion" not in whole
    line = whole["审核员 site"]
    assert (line["today"], line["last_7_days"], line["returned"], line["passed"], line["site"]) == (1, 2, 2, 0, "1501")
    assert [(line["name"], line["today"]) for line in own] == [("审核员 site2", 1)]
    assert [line["name"] for line in reviewer] == ["审核员 region"]


async def test_the_most_frequent_reasons_have_names_and_leave_out_what_was_undone(review: ReviewUnderTest) -> None:
    await review.hears(a_pack())
    numbers = await there_are(review, 3, "returned")
    by, undone = review.people["site"], uuid4()
    await review.execute(
        "INSERT INTO acts VALUES (:id, :no, 'return', 'site', :by, 1, :at, :at, '{}', NULL, NULL, 'undone', :at)",
        id=undone, no=numbers[2], by=by, at=clock.now(),
    )  # fmt: skip
    blurred = {"item": "diploma", "reason_code": "unreadable", "words": "看不清"}
    missing = {"item": "identity", "reason_code": "missing", "words": "缺"}
    await it_was(review, "returned", numbers[0], by, detail={"items": [blurred, missing], "act_id": str(uuid4())})
    await it_was(review, "returned", numbers[1], by, detail={"items": [blurred]})
    await it_was(review, "returned", numbers[2], by, detail={"items": [missing, missing], "act_id": str(undone)})

    reasons = (await figures(review))["reasons"]

    assert [(each["item"], each["reason_code"], each["count"]) for each in reasons] == [
        ("diploma", "unreadable", 2),
        ("identity", "missing", 1),
    ]
    assert (reasons[0]["item_title"]["zh"], reasons[0]["reason"]["zh"]) == ("毕业证书", "图片不清晰，无法辨认")


async def test_a_frequent_reason_shows_no_open_place(review: ReviewUnderTest) -> None:
    rules = a_pack(29).pack
    words = Text(zh="{site}：“{item}”请补拍第 {page} 页。", en="{site}: add page {page} of “{item}”.")
    await review.hears(RulesPublished(pack=rules.model_copy(update={"reasons": {"incomplete": words}})))
    [number] = await there_are(review, 1, "returned")
    given_back = [{"item": item, "reason_code": "incomplete", "words": "第 2 页"} for item in ("diploma", "gone")]
    await it_was(review, "returned", number, review.people["site"], detail={"items": given_back})

    reasons = (await figures(review))["reasons"]

    assert [each["reason"] for each in reasons] == [
        {"zh": "…：“毕业证书”请补拍第 … 页。", "en": "…: add page … of “毕业证书”."},
        {"zh": "…：“…”请补拍第 … 页。", "en": "…: add page … of “…”."},
    ]


async def test_findings_that_reviewers_overrule_stand_beside_those_they_follow(review: ReviewUnderTest) -> None:
    accepted, returned = await there_are(review, 2, "at_region")
    by = review.people["site"]
    await an_image(review, accepted, "diploma", ("blurred", "review"), ("rotated", "info"))
    await an_image(review, accepted, "diploma", ("blurred", "review"))
    await an_image(review, accepted, "identity", ("too_small", "reject"))  # no mark on it
    await an_image(review, returned, "diploma", ("blurred", "reject"))
    await review.execute("UPDATE reviews SET findings = '{blurred}'")
    await review.execute(
        "INSERT INTO marks (application_no, tier, item, mark, image_ids, marked_by, marked_at) "
        "VALUES (:no, 'site', 'diploma', 'accept', '{}', :by, :at)",
        no=accepted, by=by, at=clock.now(),
    )  # fmt: skip
    items = [{"item": "diploma", "reason_code": "unreadable"}, {"item": "other", "reason_code": "missing"}]
    await it_was(review, "returned", returned, by, detail={"items": items})

    overruled = (await figures(review))["overruled"]

    assert overruled == [{"code": "blurred", "accepted_in_spite": 1, "returned": 1}]


async def test_site_staff_see_their_site_only(review: ReviewUnderTest) -> None:
    await there_are(review, 2, "at_site")
    await there_are(review, 3, "at_site", first=10, site="1502")
    site = await review.desk("site")

    own = await figures(review, "site")
    narrowed = await figures(review, "region", site="1502")
    other = await site.get("/progress", site="1502")
    elsewhere = await site.get("/progress", region="43")

    assert (own["site"], own["applications"], own["by_site"]) == ("1501", 2, [])
    assert (narrowed["site"], narrowed["applications"]) == ("1502", 3)
    assert (other.status_code, other.json()["code"]) == (404, "site-not-found")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "region-not-found")


async def test_another_region_sees_nothing_of_it(review: ReviewUnderTest) -> None:
    await there_are(review, 2, "at_site")

    own = await figures(review, "otherregion", year=2021)
    refused = await (await review.desk("otherregion")).get("/progress", region="15")

    assert (own["region"], own["applications"], own["by_site"]) == ("43", 0, [])
    assert refused.status_code == 404


async def test_the_operator_names_a_region_and_an_auditor_gets_no_figures(review: ReviewUnderTest) -> None:
    await there_are(review, 2, "at_site")
    await review.execute("UPDATE staff SET role = 'national_operator', region = NULL WHERE login = 'region'")
    await review.execute("UPDATE staff SET role = 'auditor' WHERE login = 'otherregion'")
    operator, auditor = await review.desk("region"), await review.desk("otherregion")

    unsaid = await operator.get("/progress")
    seen = await operator.get("/progress", region="15")
    refused = await auditor.get("/progress")

    assert (unsaid.status_code, unsaid.json()["code"]) == (422, "region-missing")
    assert seen.json()["applications"] == 2
    assert (refused.status_code, refused.json()["code"]) == (403, "role-act")


async def test_figures_are_kept_for_a_minute_and_say_how_old_they_are(review: ReviewUnderTest, time: Time) -> None:
    await there_are(review, 1, "at_site")
    first = await figures(review)
    await there_are(review, 1, "at_site", first=5)

    time.passes(seconds=50)
    kept = await figures(review)
    time.passes(seconds=11)
    fresh = await figures(review)

    assert (kept["applications"], kept["as_of"]) == (1, first["as_of"])
    assert fresh["applications"] == 2
    assert fresh["as_of"] > first["as_of"]


async def test_figures_that_take_too_long_are_answered_503(
    review: ReviewUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    await there_are(review, 1, "at_site")
    monkeypatch.setattr(progress, "_COUNTS", text("SELECT pg_sleep(5)"))
    monkeypatch.setattr(progress, "STATEMENT_TIMEOUT_MS", 50)

    answer = await (await review.desk("admin")).get("/progress")

    assert (answer.status_code, answer.json()["code"]) == (503, "progress-too-slow")
    assert answer.headers["Retry-After"] == "60"


async def test_the_newest_year_is_shown_where_none_is_asked_for(review: ReviewUnderTest) -> None:
    await there_are(review, 1, "decided", year=2020)
    await there_are(review, 1, "at_site", first=5, year=2022)

    assert (await figures(review))["year"] == 2022
    assert (await figures(review, year=2020))["by_state"] == {"decided": 1}
