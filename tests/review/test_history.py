"""The history of one application, as long as it is: the screen has the newest lines, the rest comes page by page."""

from typing import Any

import pytest

from services.review.queries import beside
from tests.builders.review import NO, a_submission
from tests.review.conftest import Desk, ReviewUnderTest

HISTORY = f"/reviews/{NO}/history"
Line = dict[str, Any]


async def pages_of(desk: Desk, cursor: str | None, limit: int = 100) -> list[list[Line]]:
    """Every page from a cursor on, to the end."""
    found: list[list[Line]] = []
    while True:
        answer = await desk.get(HISTORY, limit=limit, **({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        found.append(answer.json()["items"])
        cursor = answer.json()["next"]
        if cursor is None:
            return found


async def much_coming_and_going(review: ReviewUnderTest, claims: int = 400) -> Desk:
    """A first round that was returned, and many claims since."""
    await review.has()
    site = await review.desk("site")
    await site.claim()
    await site.mark_returned()
    await site.post(f"/reviews/{NO}/returns")
    await review.hears(a_submission(round_no=2))
    await review.execute(
        """
        INSERT INTO history (application_no, at, tier, act, staff_id, round, revision, detail)
        SELECT :no, now(), 'site', 'claimed', :by, 2, 2, '{}' FROM generate_series(1, CAST(:claims AS int))
        """,
        no=NO,
        by=review.people["site"],
        claims=claims,
    )
    return site


async def test_what_the_screen_has_no_room_for_is_read_from_where_it_ends(review: ReviewUnderTest) -> None:
    site = await much_coming_and_going(review)

    shown = await site.sees()
    rest = await pages_of(site, shown["history_next"])

    assert [line["act"] for line in shown["history"]] == ["claimed"] * 200
    assert [len(page) for page in rest] == [100, 100, 5]
    assert [line["act"] for line in rest[-1]] == ["submitted", "returned", "marked", "claimed", "submitted"]
    assert rest[-1][1]["by"] == "审核员 site"
    assert rest[-1][1]["detail"]["items"][0]["item"] == "diploma"


async def test_pages_begin_with_the_newest_and_have_every_line_once(review: ReviewUnderTest) -> None:
    site = await much_coming_and_going(review, claims=3)

    shown = await site.sees()
    pages = await pages_of(site, None, limit=3)

    assert shown["history_next"] is None
    assert [len(page) for page in pages] == [3, 3, 2]
    assert [line for page in pages for line in page] == shown["history"]


async def test_a_screen_that_just_holds_all_lines_leads_nowhere(
    review: ReviewUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = await much_coming_and_going(review, claims=3)
    monkeypatch.setitem(beside.MOST, "lines", 8)
    just = await site.sees()
    monkeypatch.setitem(beside.MOST, "lines", 7)

    one_less = await site.sees()

    assert (len(just["history"]), just["history_next"]) == (8, None)
    assert len(one_less["history"]) == 7
    assert await pages_of(site, one_less["history_next"]) == [just["history"][7:]]


async def test_a_site_reads_no_opinion_of_the_region_s_before_it_is_published(review: ReviewUnderTest) -> None:
    await review.decided(outcome="rejected", words="学历不符")
    site, region = await review.desk("site"), await review.desk("region")

    seen = [line["act"] for page in await pages_of(site, None, limit=2) for line in page]
    regions = [line["act"] for page in await pages_of(region, None, limit=2) for line in page]

    assert seen == [line["act"] for line in (await site.sees())["history"]]
    assert "decided" not in seen
    assert regions[0] == "decided"


async def test_another_s_application_has_no_history_and_the_try_is_on_record(review: ReviewUnderTest) -> None:
    await review.has()
    other = await review.desk("otherregion")

    answers = [await other.get(HISTORY), await other.get("/reviews/15019999/history")]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "application-not-found")] * 2
    lines = await review.rows("SELECT act, outcome, application_no FROM audit WHERE outcome = 'refused'")
    assert lines == [{"act": "read_history", "outcome": "refused", "application_no": NO}]


async def test_reading_on_is_on_record_as_a_look_at_the_application_once_a_minute(review: ReviewUnderTest) -> None:
    site = await much_coming_and_going(review, claims=9)

    await pages_of(site, None, limit=2)

    lines = await review.rows("SELECT act, application_no, detail FROM audit WHERE act = 'opened'")
    assert lines == [{"act": "opened", "application_no": NO, "detail": {"part": "history"}}]


@pytest.mark.parametrize("cursor", ["不是", "LTE=", "eA==", "OTIyMzM3MjAzNjg1NDc3NTgwOA==", "x" * 201])
async def test_a_cursor_that_is_none_of_ours_is_422(review: ReviewUnderTest, cursor: str) -> None:
    await review.has()

    answer = await (await review.desk("site")).get(HISTORY, cursor=cursor)

    assert answer.status_code == 422


@pytest.mark.parametrize("limit", [0, 201])
async def test_a_page_of_history_has_a_bound(review: ReviewUnderTest, limit: int) -> None:
    await review.has()

    answer = await (await review.desk("site")).get(HISTORY, limit=limit)

    assert answer.status_code == 422
