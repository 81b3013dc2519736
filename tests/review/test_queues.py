"""Lists: which applications are in which, in what order, and narrowed by what."""

from datetime import UTC, datetime, timedelta

import pytest

from services.review import lists
from services.review.domain import NEVER
from services.review.queries.queue import MOST
from tests.builders.review import (
    NO,
    START,
    a_lapse,
    a_pack,
    a_submission,
    an_image,
)
from tests.review.conftest import ReviewUnderTest, Time
from tests.review.lists import NUMBERS, a_timely_pack, listed, pages, row_of
from tests.review.many import there_are


async def some_rows(review: ReviewUnderTest, count: int = 60) -> None:
    """Applications of one site, one second apart, in all of its queues."""
    await review.execute(
        """
        INSERT INTO reviews (application_no, region, site, year, pack_id, pack_version, route, facts, round, revision,
                             submitted_at, changed_items, state, tier, queue, due_at, findings)
        SELECT '1501202100' || lpad(n::text, 4, '0'), '15', '1501', 2021, 'p', 1, 'online',
               jsonb_build_object('category', (ARRAY['physician', 'dentist'])[1 + n % 2],
                                  'education', (ARRAY['bachelor', 'master', 'doctor'])[1 + n % 3]),
               1, 1, CAST(:start AS timestamptz) + n * interval '1 second', '{}', 'at_site', 'site',
               (ARRAY['new', 'resubmitted', 'sent_back', 'onsite'])[1 + n % 4],
               CAST(:start AS timestamptz) + n * interval '1 second' + interval '5 days',
               CASE WHEN n % 5 = 0 THEN ARRAY['blurred'] ELSE '{}' END
        FROM generate_series(0, :count - 1) AS n
        """,
        start=START,
        count=count,
    )


async def test_a_list_is_paged_oldest_first_without_gap_or_twin(review: ReviewUnderTest) -> None:
    # Pairs share their time: the number decides.
    numbers = NUMBERS[:25]
    await review.hears(
        a_pack(), *(a_submission(number, at=START + timedelta(seconds=n // 2)) for n, number in enumerate(numbers))
    )
    site = await review.desk("site")

    found = await pages(site, limit=10)

    assert [row["application_no"] for page in found for row in page["items"]] == numbers
    assert len(found) == 3


@pytest.mark.parametrize(
    "params",
    [
        {"cursor": "nonsense"},
        {"cursor": "é"},
        {"cursor": "bm9w"},
        {"cursor": "OTk5OS0xMi0zMVQyMzo1OTo1OS0yMzo1OXwxNTAx"},
        {"limit": 0},
        {"limit": 101},
        {"limit": "x"},
        {"state": "all"},
        {"category": "physician'--"},
        {"finding": "Blurred"},
        {"waiting_since": "yesterday"},
        {"waiting_since": "2026-01-01T00:00:00"},
        {"waiting_since": "9999-12-31T00:00:00Z"},
        {"waiting_since": "0001-01-01T00:00:00+12:00"},
        {"colour": "red"},
    ],
)
async def test_a_list_asked_for_wrongly_is_422(review: ReviewUnderTest, params: dict[str, object]) -> None:
    answer = await (await review.desk("site")).get("/reviews", **params)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_cursor_of_another_list_is_refused(review: ReviewUnderTest) -> None:
    await some_rows(review)
    site = await review.desk("site")
    cursor = (await site.get("/reviews", limit=5)).json()["next"]

    answer = await site.get("/reviews", state="decided", cursor=cursor)

    assert (answer.status_code, answer.json()["code"]) == (422, "cursor-invalid")


async def test_waiting_is_one_ordered_list_of_four_queues_and_each_queue_is_a_list(review: ReviewUnderTest) -> None:
    await some_rows(review)
    site = await review.desk("site")

    waiting = await listed(site, state="waiting", limit=7)
    each = {name: await listed(site, state=name, limit=4) for name in ("new", "resubmitted", "sent_back", "onsite")}

    assert waiting == NUMBERS
    assert each == {
        name: NUMBERS[n::4] for n, name in enumerate(("new", "resubmitted", "sent_back", "onsite"))
    }  # fmt: skip
    assert await listed(site, state="second_look") == []


async def test_what_is_due_first_comes_first_and_what_is_never_due_last(review: ReviewUnderTest) -> None:
    never, late, soon = NUMBERS[:3]
    await review.hears(a_timely_pack())
    await review.hears(
        a_submission(late, at=START + timedelta(days=2)),
        a_submission(soon, at=START + timedelta(days=1)),
        a_submission(never, at=START, pack_version=9),
    )

    found = await (await review.desk("site")).queue()

    assert found == [soon, late, never]


async def test_each_filter_narrows_a_list_and_together_they_narrow_it_more(review: ReviewUnderTest) -> None:
    await some_rows(review)
    site, region = await review.desk("site"), await review.desk("admin")
    since = (START + timedelta(seconds=9)).isoformat()

    found = {
        "category": await listed(site, category="dentist", limit=7),
        "education": await listed(site, education="doctor", limit=7),
        "finding": await listed(site, finding="blurred", limit=7),
        "waiting_since": await listed(site, waiting_since=since, limit=7),
        "site": await listed(region, state="unfinished", site="1501", limit=7),
        "other site": await listed(site, site="1502"),
        "all": await listed(site, category="dentist", education="doctor", finding="blurred", site="1501"),
    }

    assert found == {
        "category": NUMBERS[1::2],
        "education": NUMBERS[2::3],
        "finding": NUMBERS[::5],
        "waiting_since": NUMBERS[:10],
        "site": NUMBERS,
        "other site": [],
        "all": [number for n, number in enumerate(NUMBERS) if n % 2 == 1 and n % 3 == 2 and n % 5 == 0],
    }


async def test_waiting_since_finds_what_is_never_due_too(review: ReviewUnderTest) -> None:
    await some_rows(review, 20)
    await review.execute("UPDATE reviews SET due_at = :never WHERE right(application_no, 1) > '4'", never=NEVER)

    found = await listed(await review.desk("site"), waiting_since=(START + timedelta(seconds=12)).isoformat(), limit=3)

    # What is due comes before what never is.
    assert found == [*NUMBERS[0:5], *NUMBERS[10:13], *NUMBERS[5:10]]


async def test_waiting_since_finds_what_is_due_half_a_year_later(review: ReviewUnderTest) -> None:
    await some_rows(review, 5)
    await review.execute("UPDATE reviews SET due_at = submitted_at + interval '180 days'")

    found = await listed(await review.desk("site"), waiting_since=(START + timedelta(seconds=2)).isoformat(), limit=3)

    assert found == NUMBERS[0:3]


async def test_a_filter_that_hardly_anything_fits_gives_short_pages_that_lead_on_to_the_end(
    review: ReviewUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "LOOKED", 10)
    monkeypatch.setattr("services.review.queries.queue.LOOKED", 10)
    await some_rows(review)
    await review.execute("UPDATE reviews SET findings = '{too_dark}' WHERE application_no IN (:a, :b)",
                         a=NUMBERS[33], b=NUMBERS[59])  # fmt: skip

    found = await pages(await review.desk("site"), finding="too_dark", limit=5)

    assert [row["application_no"] for page in found for row in page["items"]] == [NUMBERS[33], NUMBERS[59]]
    assert [len(page["items"]) for page in found][:3] == [0, 0, 0]
    assert len(found) == 7


async def test_what_a_colleague_holds_is_not_offered_and_one_s_own_is(review: ReviewUnderTest, time: Time) -> None:
    await some_rows(review, 4)
    site, site2 = await review.desk("site"), await review.desk("site2")
    await site.claim(NUMBERS[0])

    assert await site.queue() == NUMBERS[:4]
    assert await site2.queue() == NUMBERS[1:4]
    assert (await row_of(site, NUMBERS[0]))["claimed_by_me"] is True
    time.passes(minutes=16)
    assert await site2.queue() == NUMBERS[:4]


async def test_the_region_lists_its_own_tier_s_queues_and_a_site_its_own(review: ReviewUnderTest) -> None:
    at_region, at_site = NUMBERS[:2]
    await review.passed(a_submission(at_region), application_no=at_region)
    await review.hears(a_submission(at_site), a_submission(NUMBERS[2], site="1502"))
    site, region = await review.desk("site"), await review.desk("region")

    assert await site.queue("new") == [at_site]
    assert await region.queue("new") == [at_region]
    assert await listed(region, site="1502") == []
    assert await listed(region, state="unfinished", site="1502") == [NUMBERS[2]]
    assert await (await review.desk("otherregion")).queue("unfinished") == []


async def test_a_second_look_is_listed_for_everybody_but_who_proposed_it(review: ReviewUnderTest) -> None:
    await review.passed()
    await review.execute(
        "UPDATE reviews SET queue = 'second_look', proposed_opinion = 'rejected', proposed_by = :by",
        by=review.people["region"],
    )

    assert await (await review.desk("region")).queue("second_look") == []
    assert await (await review.desk("admin")).queue("second_look") == [NO]
    assert await (await review.desk("admin")).queue("waiting") == []
    assert (await row_of(await review.desk("admin"), state="second_look"))["proposed"] == "rejected"


async def test_overdue_is_what_waits_past_its_time_of_both_tiers_for_the_administrator(
    review: ReviewUnderTest, time: Time
) -> None:
    time.shift = START + timedelta(days=5, hours=1, minutes=30) - time.now()
    await review.hears(a_timely_pack())
    await review.hears(a_submission(NUMBERS[0]), a_submission(NUMBERS[1]), a_submission(NUMBERS[2], round_no=2))
    site = await review.desk("site")
    await site.claim(NUMBERS[0])
    await site.post(f"/reviews/{NUMBERS[0]}/passes")

    found = {login: await (await review.desk(login)).queue("overdue") for login in ("site", "region", "admin")}

    assert found == {"site": [NUMBERS[1]], "region": [NUMBERS[0]], "admin": NUMBERS[:2]}


async def test_attention_is_what_came_back_three_times_or_missed_a_deadline_after_a_return(
    review: ReviewUnderTest, time: Time
) -> None:
    closes = START.replace(tzinfo=None) + timedelta(days=31)
    await review.hears(a_timely_pack(None, closes))
    await review.hears(*(a_submission(number) for number in NUMBERS[:6]))
    thrice, lapsed, late, once, decided, never_returned = NUMBERS[:6]
    for number, returns, state in (
        (thrice, 3, "at_site"), (lapsed, 1, "returned"), (late, 1, "returned"), (once, 1, "at_site"),
        (decided, 4, "decided"), (never_returned, 0, "at_site"),
    ):  # fmt: skip
        await review.execute(
            "UPDATE reviews SET returns = :returns, state = :state WHERE application_no = :number",
            returns=returns, state=state, number=number,
        )  # fmt: skip
    await review.hears(a_lapse(lapsed))
    admin = await review.desk("admin")

    time.shift = datetime(2021, 3, 20, tzinfo=UTC) - time.now()
    await admin.log_in("admin")
    before = await admin.queue("attention")
    time.shift += timedelta(days=30)
    await admin.log_in("admin")
    after = await admin.queue("attention")

    assert before == [thrice, lapsed]
    assert after == [thrice, lapsed, late]


async def test_unfinished_is_what_holds_a_publication_up_also_what_is_with_the_candidate(
    review: ReviewUnderTest,
) -> None:
    await review.hears(a_pack(), a_submission(NUMBERS[3], images=(an_image(verdict="checking"),)))
    await review.hears(*(a_submission(number, at=START + timedelta(days=1)) for number in NUMBERS[:3]))
    await review.execute("UPDATE reviews SET state = 'returned', queue = NULL WHERE application_no = :n", n=NUMBERS[1])
    await review.execute("UPDATE reviews SET state = 'decided', queue = NULL WHERE application_no = :n", n=NUMBERS[2])

    found = await (await review.desk("region")).queue("unfinished")

    assert found == [NUMBERS[3], NUMBERS[0], NUMBERS[1]]


@pytest.mark.parametrize("name", ["attention", "unfinished"])
async def test_a_site_has_no_list_of_the_region_s_affairs(review: ReviewUnderTest, name: str) -> None:
    site = await review.desk("site")

    answer = await site.get("/reviews", state=name)

    assert (answer.status_code, answer.json()["code"]) == (403, "role-act")
    assert name not in (await site.get("/reviews/counts")).json()["counts"]


async def test_an_auditor_has_no_lists_and_the_operator_reads_all_regions(review: ReviewUnderTest) -> None:
    await review.passed()
    await review.hears(a_submission(NUMBERS[2], region="43", site="4301"))
    await review.execute("UPDATE staff SET role = 'auditor' WHERE login = 'otherregion'")
    await review.execute("UPDATE staff SET role = 'national_operator', region = NULL WHERE login = 'admin'")
    auditor, operator = await review.desk("otherregion"), await review.desk("admin")

    refused = [await auditor.get("/reviews"), await auditor.get("/reviews/counts")]

    assert [answer.status_code for answer in refused] == [403, 403]
    assert await operator.queue("waiting") == [NO]
    assert await operator.queue("unfinished") == [NO, NUMBERS[2]]
    assert (await operator.get("/reviews/counts")).json()["counts"]["unfinished"] == 2
    assert (await operator.claim()).status_code == 403


async def test_counts_are_of_each_list_and_waiting_is_their_sum(review: ReviewUnderTest) -> None:
    await some_rows(review, 43)
    site, site2 = await review.desk("site"), await review.desk("site2")
    await site.claim(NUMBERS[0])
    await site2.claim(NUMBERS[1])

    counts = (await site.get("/reviews/counts")).json()

    assert counts["most"] == MOST
    assert counts["counts"] == {
        "waiting": 42, "new": 11, "resubmitted": 10, "sent_back": 11, "second_look": 0, "onsite": 10, "mine": 1,
        "returned": 0, "decided": 0, "overdue": 43,
    }  # fmt: skip


async def test_a_site_of_another_region_with_the_same_code_is_neither_counted_nor_listed(
    review: ReviewUnderTest,
) -> None:
    own = await there_are(review, 2, "returned")
    own_open = await there_are(review, 1, "at_site", first=10)
    await there_are(review, 3, "returned", first=20, region="43")
    await there_are(review, 4, "decided", first=30, region="43")
    await there_are(review, 5, "at_site", first=40, region="43")
    await review.execute("UPDATE reviews SET due_at = :at", at=START)
    site = await review.desk("site")

    counts = (await site.get("/reviews/counts")).json()["counts"]
    found = {name: await listed(site, state=name) for name in ("new", "returned", "decided", "overdue")}

    assert found == {"new": own_open, "returned": own, "decided": [], "overdue": own_open}
    assert {name: counts[name] for name in found} == {name: len(numbers) for name, numbers in found.items()}


async def test_counting_ends_at_most(review: ReviewUnderTest) -> None:
    await review.execute(
        """
        INSERT INTO reviews (application_no, region, site, year, pack_id, pack_version, route, facts, round, revision,
                             submitted_at, changed_items, state, tier)
        SELECT '1501' || lpad(n::text, 8, '0'), '15', '1501', 2021, 'p', 1, 'online', '{}', 1, 1, now(), '{}',
               'decided', 'region'
        FROM generate_series(1, 1100) AS n
        """
    )

    counts = (await (await review.desk("region")).get("/reviews/counts")).json()["counts"]

    assert counts["decided"] == 1000
