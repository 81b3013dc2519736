"""Publishing: all of a region at once, in chunks that are told exactly once, and nothing shows before its time."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.review.settings import Settings
from services.review.use_cases import publications
from shared import clock
from shared.contracts.review import ReviewPublished
from shared.contracts.rules import Window, Windows
from tests.builders.review import NO, a_lapse, a_pack, a_reopening, a_submission
from tests.review.conftest import ReviewUnderTest, Time
from tests.review.many import there_are

REGION = {"region": "15", "year": 2021}


async def test_an_opinion_is_told_once_and_kept_in_the_publication(review: ReviewUnderTest) -> None:
    [number] = await there_are(review, 1, "decided", opinion="rejected", words="学历不符")

    answer = await review.publish()

    assert (answer.status_code, answer.json()["published"], answer.json()["supplementary"]) == (201, 1, False)
    [told] = await review.tells(ReviewPublished)
    assert (told.application_no, told.region, told.site, told.round, told.revision) == (number, "15", "1501", 1, 1)
    assert (told.opinion, told.words, str(told.publication_id)) == (
        "rejected",
        "学历不符",
        answer.json()["publication_id"],
    )
    [line] = await review.rows("SELECT * FROM publication_lines")
    assert (line["application_no"], line["revision"], line["opinion"]) == (number, 1, "rejected")
    [kept] = await review.rows("SELECT publication_id, published_at FROM reviews")
    assert kept == {"publication_id": told.publication_id, "published_at": told.effective_at}
    [noted] = await review.rows("SELECT act, tier, staff_id, detail FROM history")
    assert (noted["act"], noted["tier"], noted["staff_id"]) == ("published", "region", review.people["admin"])
    assert noted["detail"]["publication_id"] == str(told.publication_id)


async def test_only_the_region_s_administrator_publishes(review: ReviewUnderTest) -> None:
    await there_are(review, 1, "decided")

    answers = [await (await review.desk(login)).post("/publications", REGION) for login in ("site", "region")]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (403, "region-act"),
        (403, "role-act"),
    ]
    assert await review.rows("SELECT 1 FROM publications") == []


async def test_publishing_is_refused_while_one_is_unfinished(review: ReviewUnderTest) -> None:
    await there_are(review, 2, "decided")
    await there_are(review, 1, "at_site", first=10)
    await there_are(review, 2, "returned", first=20)
    await there_are(review, 3, "lapsed", first=30)

    answer = await review.publish()

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "reviews-unfinished")
    assert (problem["unfinished"], problem["by_state"]) == (3, {"at_site": 1, "returned": 2})
    assert await review.tells(ReviewPublished) == []
    assert await review.rows("SELECT 1 FROM publications") == []
    assert await review.rows("SELECT 1 FROM reviews WHERE published_at IS NOT NULL") == []


async def test_a_decision_that_can_still_be_undone_holds_a_publication_up(review: ReviewUnderTest) -> None:
    await there_are(review, 2, "decided")
    await review.execute("UPDATE reviews SET act_id = :act WHERE application_no = '1500000002'", act=uuid4())

    before = await review.publish()
    await review.execute("UPDATE reviews SET act_id = NULL")
    after = await review.publish()

    assert (before.status_code, before.json()["code"], before.json()["pending"]) == (409, "reviews-unfinished", 1)
    assert before.json()["by_state"] == {"decided": 1}
    assert after.status_code == 201


async def test_nothing_is_published_before_the_window_opens(review: ReviewUnderTest, time: Time) -> None:
    soon = (clock.now() + timedelta(hours=8, minutes=10)).replace(tzinfo=None, microsecond=0)
    window = Window(opens=soon, closes=soon + timedelta(days=1))
    pack = a_pack(version=2).pack.model_copy(update={"windows": Windows(publishing=window)})
    await review.hears(a_pack(), a_pack(version=2).model_copy(update={"pack": pack}))
    await there_are(review, 1, "decided")
    admin = await review.desk("admin")

    refused = await review.publish()
    ready = (await admin.get("/publications/readiness", year=2021)).json()
    time.passes(minutes=11)
    allowed = await review.publish()

    assert (refused.status_code, refused.json()["code"]) == (409, "publishing-not-open")
    assert refused.json()["opens_at"] == window.opens_at.isoformat()
    assert (ready["ready"], ready["unfinished"], ready["to_publish"]) == (False, 0, 1)
    assert ready["opens_at"] is not None
    assert allowed.status_code == 201


async def test_each_opinion_is_published_once(review: ReviewUnderTest) -> None:
    await there_are(review, 3, "decided")
    admin = await review.desk("admin")

    answers = await asyncio.gather(*(admin.post("/publications", REGION) for _ in range(4)))
    await publications.tell_running(review.service.sessions)
    late = await review.publish()

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert late.json()["code"] == "nothing-to-publish"
    assert len(await review.tells(ReviewPublished)) == 3
    assert len(await review.rows("SELECT 1 FROM decisions WHERE publication_id IS NOT NULL")) == 3


async def test_late_ones_join_a_supplementary_publication(review: ReviewUnderTest) -> None:
    early = await there_are(review, 1, "decided")
    await review.publish()
    late = await there_are(review, 1, "decided", first=5)

    answer = await review.publish()

    assert (answer.json()["published"], answer.json()["supplementary"]) == (1, True)
    assert [told.application_no for told in await review.tells(ReviewPublished)] == early + late


async def test_another_region_s_opinions_and_other_years_stay_where_they_are(review: ReviewUnderTest) -> None:
    await there_are(review, 1, "decided")
    admin = await review.desk("admin")

    foreign = await admin.post("/publications", {"region": "43", "year": 2021})
    other_year = await review.publish(year=2022)

    assert (foreign.status_code, foreign.json()["code"]) == (404, "region-not-found")
    assert (other_year.status_code, other_year.json()["code"]) == (409, "nothing-to-publish")
    assert await review.tells(ReviewPublished) == []


async def test_all_of_a_publication_learn_at_the_same_moment(
    review: ReviewUnderTest, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    await review.has()
    await review.execute("UPDATE reviews SET state = 'decided', queue = NULL, opinion = 'rejected'")
    await review.execute(
        "INSERT INTO decisions VALUES (gen_random_uuid(), :no, 1, 1, 'rejected', '不符', :by, now())",
        no=NO,
        by=review.people["region"],
    )
    await there_are(review, 2, "decided")
    at = clock.now() + timedelta(minutes=30)

    answer = await review.publish(effective_at=at.isoformat())

    told = await review.tells(ReviewPublished)
    assert len(told) == 3
    assert {event.effective_at for event in told} == {at}
    assert answer.json()["effective_at"] == at.isoformat().replace("+00:00", "Z")
    site, region = await review.desk("site"), await review.desk("region")
    assert (await site.sees())["opinion"] is None
    assert "不符" not in (await site.get(f"/reviews/{NO}")).text
    assert (await region.sees())["opinion"] == "rejected"
    time.passes(minutes=31)
    assert (await site.sees())["opinion"] == "rejected"


async def test_the_moment_is_never_sooner_than_the_delay_nor_months_away(review: ReviewUnderTest) -> None:
    await there_are(review, 1, "decided")
    admin = await review.desk("admin")

    too_late = await admin.post(
        "/publications", REGION | {"effective_at": (clock.now() + timedelta(days=61)).isoformat()}
    )
    no_zone = await admin.post("/publications", REGION | {"effective_at": "2021-03-01T00:00:00"})
    before = clock.now()
    past = await admin.post("/publications", REGION | {"effective_at": "2001-03-01T00:00:00Z"})

    assert (too_late.status_code, too_late.json()["code"]) == (422, "effective-too-late")
    assert no_zone.status_code == 422
    assert past.status_code == 201
    [kept] = await review.rows("SELECT effective_at FROM publications")
    assert kept["effective_at"] >= before


async def test_what_is_handed_in_while_a_publication_runs_is_only_listed(review: ReviewUnderTest) -> None:
    await review.has()
    await there_are(review, 1, "decided", first=7)
    await review.execute("UPDATE reviews SET state = 'decided', queue = NULL, opinion = 'approved'")
    await review.execute(
        "INSERT INTO decisions VALUES (gen_random_uuid(), :no, 1, 1, 'approved', '', :by, now())",
        no=NO,
        by=review.people["region"],
    )
    admin, region = await review.desk("admin"), await review.desk("region")
    await admin.post("/publications", REGION)  # nothing of it is told yet

    await review.hears(a_reopening())
    await review.hears(a_submission(round_no=2, revision=3))
    claim = await region.claim()
    decision = await region.post(f"/reviews/{NO}/decisions", {"outcome": "rejected", "words": "改判"})
    await publications.tell_running(review.service.sessions)

    assert (claim.status_code, decision.status_code) == (409, 409)
    told = {each.application_no: each for each in await review.tells(ReviewPublished)}
    assert (told[NO].opinion, told[NO].revision) == ("approved", 1)
    assert (await region.sees())["revision"] == 1
    assert await review.rows("SELECT 1 FROM decisions WHERE voided_at IS NOT NULL") == []


async def test_a_resubmission_that_races_a_publication_comes_before_or_after_it_never_between(
    review: ReviewUnderTest,
) -> None:
    await review.decided()
    await review.execute("UPDATE reviews SET act_id = NULL")
    await review.execute("DELETE FROM acts")
    admin = await review.desk("admin")

    answer, _ = await asyncio.gather(
        admin.post("/publications", REGION, key=str(uuid4())),
        review.hears(a_submission(round_no=2, revision=3)),
    )
    await publications.tell_running(review.service.sessions)

    row = (await review.rows("SELECT state, revision, published_at IS NOT NULL AS published FROM reviews"))[0]
    told = await review.tells(ReviewPublished)
    if answer.status_code == 201:
        assert (row, len(told)) == ({"state": "decided", "revision": 1, "published": True}, 1)
    else:
        assert (row, len(told)) == ({"state": "at_region", "revision": 3, "published": False}, 0)
    assert await review.dead_letters() == 0


async def test_chunks_go_in_number_order_and_are_on_record_each(
    review: ReviewUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publications, "CHUNK", 3)
    many = await there_are(review, 7, "decided")
    admin = await review.desk("admin")
    started = (await admin.post("/publications", REGION)).json()
    path = f"/publications/{started['publication_id']}"

    async with review.service.sessions.begin() as session:
        await publications.tell_chunk(session)
    middle = (await admin.get(path)).json()
    await publications.tell_running(review.service.sessions)
    end = (await admin.get(path)).json()

    assert (started["told"], started["finished"]) == (0, False)
    assert (middle["told"], middle["finished"], middle["published"]) == (3, False, 7)
    assert (end["told"], end["finished"], end["published_by"]) == (7, True, "审核员 admin")
    assert [told.application_no for told in await review.tells(ReviewPublished)] == many
    assert len(await review.rows("SELECT 1 FROM history WHERE act = 'published'")) == 7
    lines = await review.rows(
        "SELECT act, staff_id, region, detail FROM audit WHERE act LIKE 'publication%' ORDER BY 1"
    )
    assert [(line["act"], line["region"]) for line in lines] == [
        ("publication_begun", "15"), ("publication_finished", "15"), *[("publication_told", "15")] * 3,
    ]  # fmt: skip
    assert (lines[0]["staff_id"], lines[0]["detail"]["applications"]) == (review.people["admin"], 7)
    chunks = [(line["detail"]["count"], line["detail"]["first"], line["detail"]["last"]) for line in lines[2:]]
    assert chunks == [(3, many[0], many[2]), (3, many[3], many[5]), (1, many[6], many[6])]


async def test_a_publication_that_says_more_than_it_has_holds_no_other_up(review: ReviewUnderTest) -> None:
    await there_are(review, 1, "decided")
    [other] = await there_are(review, 1, "decided", first=2, year=2022)
    admin = await review.desk("admin")
    await admin.post("/publications", REGION)
    await review.execute("UPDATE publications SET applications = 2")
    await admin.post("/publications", REGION | {"year": 2022})

    await publications.tell_running(review.service.sessions)

    assert other in [told.application_no for told in await review.tells(ReviewPublished)]
    assert await review.rows("SELECT 1 FROM publications WHERE finished_at IS NULL") == []


async def test_two_workers_at_once_tell_each_opinion_once(
    review: ReviewUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publications, "CHUNK", 5)
    many = await there_are(review, 60, "decided")
    await (await review.desk("admin")).post("/publications", REGION)

    await asyncio.gather(*(publications.tell_running(review.service.sessions) for _ in range(3)))
    await publications.tell_running(review.service.sessions)

    told = await review.tells(ReviewPublished)
    assert sorted(event.application_no for event in told) == many
    assert len(await review.rows("SELECT 1 FROM history WHERE act = 'published'")) == 60
    [kept] = await review.rows("SELECT told, finished_at IS NOT NULL AS finished FROM publications")
    assert kept == {"told": 60, "finished": True}


def _worker(settings: Settings, log: Path, **environment: str) -> subprocess.Popen[bytes]:
    """A process of its own that tells what is to be told, and ends."""
    code = (
        "import asyncio, os\n"
        "from services.review.use_cases import publications\n"
        "from shared.database import make_engine, make_sessions\n"
        "publications.CHUNK = 4\n"
        "sessions = make_sessions(make_engine(os.environ['DATABASE_URL_REVIEW']), source='baoshen/review')\n"
        "asyncio.run(publications.tell_running(sessions))\n"
    )
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-c", code],
            env=os.environ | {"DATABASE_URL_REVIEW": settings.database_url} | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


async def _ended(process: subprocess.Popen[bytes]) -> int:
    return await asyncio.wait_for(asyncio.to_thread(process.wait), 30)


async def test_a_worker_killed_in_the_middle_of_a_chunk_tells_nothing_twice(
    review: ReviewUnderTest, review_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = await there_are(review, 10, "decided")
    await (await review.desk("admin")).post("/publications", REGION)
    with monkeypatch.context() as small:
        small.setattr(publications, "CHUNK", 4)
        async with review.service.sessions.begin() as session:
            await publications.tell_chunk(session)

    killed = await _ended(_worker(review_settings, tmp_path / "log", FAILPOINTS="review.publication_told"))
    between = await review.rows("SELECT told FROM publications")
    again = [_worker(review_settings, tmp_path / "log") for _ in range(2)]
    statuses = [await _ended(process) for process in again]
    await publications.tell_running(review.service.sessions)

    assert (killed, between, statuses) == (-signal.SIGKILL, [{"told": 4}], [0, 0])
    assert sorted(event.application_no for event in await review.tells(ReviewPublished)) == many
    assert len(await review.rows("SELECT 1 FROM history WHERE act = 'published'")) == 10
    assert (await review.rows("SELECT told FROM publications WHERE finished_at IS NOT NULL")) == [{"told": 10}]


async def test_readiness_says_what_is_in_the_way(review: ReviewUnderTest) -> None:
    await there_are(review, 3, "decided")
    await there_are(review, 1, "decided", first=10, opinion="rejected", words="不符")
    await there_are(review, 2, "at_region", first=20)
    await there_are(review, 4, "lapsed", first=30)
    await there_are(review, 5, "withdrawn", first=40)
    await there_are(review, 6, "at_site", first=50, region="43", site="4301")
    region = await review.desk("region")

    before = (await region.get("/publications/readiness", year=2021)).json()
    await review.execute("UPDATE reviews SET state = 'lapsed', queue = NULL WHERE state = 'at_region'")
    after = (await region.get("/publications/readiness", year=2021)).json()

    assert before == {
        "region": "15", "year": 2021, "ready": False, "unfinished": 2, "by_state": {"at_region": 2}, "to_publish": 4,
        "by_opinion": {"approved": 3, "rejected": 1}, "lapsed": 4,
        "lapsed_by_reason": [{"reason": "unknown", "count": 4}], "withdrawn": 5, "opens_at": None,
        "supplementary": False,
    }  # fmt: skip
    assert (after["ready"], after["unfinished"], after["lapsed"]) == (True, 0, 6)


async def test_readiness_says_why_applications_lapsed(review: ReviewUnderTest) -> None:
    returned, again, withdrawn, elsewhere = (f"1501202100000{n}" for n in range(4))
    for number in (returned, again, withdrawn, elsewhere):
        await review.has(a_submission(number), application_no=number)
    await there_are(review, 1, "lapsed", first=30)
    await review.hears(
        a_lapse(returned),
        a_lapse(again, was="withdrawn"),
        a_submission(again, revision=3, round=2),
        a_lapse(again, revision=4, round_no=2),
        a_lapse(withdrawn, was="withdrawn"),
        a_lapse(elsewhere),
    )
    await review.execute("UPDATE reviews SET region = '43' WHERE application_no = :no", no=elsewhere)
    region = await review.desk("region")

    ready = (await region.get("/publications/readiness", year=2021)).json()

    assert (ready["ready"], ready["lapsed"]) == (False, 4)
    assert ready["lapsed_by_reason"] == [
        {"reason": "returned", "count": 2}, {"reason": "withdrawn", "count": 1}, {"reason": "unknown", "count": 1},
    ]  # fmt: skip


async def test_publications_are_listed_newest_first_page_by_page(review: ReviewUnderTest) -> None:
    made = []
    for first in (1, 10, 20):
        await there_are(review, 2, "decided", first=first)
        made.append((await review.publish()).json()["publication_id"])
    region = await review.desk("region")

    page = (await region.get("/publications", limit=2)).json()
    rest = (await region.get("/publications", limit=2, cursor=page["next"])).json()
    bad = await region.get("/publications", cursor="???")

    assert [each["publication_id"] for each in page["items"] + rest["items"]] == made[::-1]
    assert [each["supplementary"] for each in page["items"] + rest["items"]] == [True, True, False]
    assert rest["next"] is None
    assert (bad.status_code, bad.json()["code"]) == (422, "cursor-invalid")


async def test_publications_are_nobody_else_s_business(review: ReviewUnderTest) -> None:
    await there_are(review, 1, "decided")
    made = (await review.publish()).json()["publication_id"]
    paths: list[tuple[str, dict[str, Any]]] = [
        ("/publications", {}),
        ("/publications/readiness", {"year": 2021}),
        (f"/publications/{made}", {}),
    ]
    site, other = await review.desk("site"), await review.desk("otherregion")

    of_site = [(await site.get(path, **params)).status_code for path, params in paths]
    of_other = await other.get(f"/publications/{made}")
    asked_for = await other.get("/publications", region="15")
    own = (await other.get("/publications")).json()

    assert of_site == [403, 403, 403]
    assert (of_other.status_code, of_other.json()["code"]) == (404, "publication-not-found")
    assert (asked_for.status_code, asked_for.json()["code"]) == (404, "region-not-found")
    assert own["items"] == []


async def test_the_operator_looks_at_any_region_and_publishes_none(review: ReviewUnderTest) -> None:
    await there_are(review, 1, "decided")
    await review.execute("UPDATE staff SET role = 'national_operator', region = NULL WHERE login = 'region'")
    operator = await review.desk("region")

    unsaid = await operator.get("/publications/readiness", year=2021)
    ready = await operator.get("/publications/readiness", year=2021, region="15")
    refused = await operator.post("/publications", REGION)

    assert (unsaid.status_code, unsaid.json()["code"]) == (422, "region-missing")
    assert ready.json()["to_publish"] == 1
    assert refused.status_code == 403
