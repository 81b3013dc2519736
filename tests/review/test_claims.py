"""Claims: one holder at a time, whoever races; lists in order."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from services.review.domain import Staff
from services.review.queries.queue import page_query
from services.review.use_cases import claims
from shared import clock
from shared.errors import Conflict, NotFound
from tests.builders.review import NO, PERSON, START, a_pack, a_submission
from tests.review.conftest import Desk, ReviewUnderTest, Time

LEASE = timedelta(minutes=15)


def colleagues(count: int) -> list[Staff]:
    return [Staff(uuid4(), f"s{number}", "同事", "site_reviewer", "15", "1501") for number in range(count)]


async def test_a_claim_lasts_a_quarter_of_an_hour_and_shows(review: ReviewUnderTest, time: Time) -> None:
    await review.has()
    site = await review.desk("site")

    answer = await site.claim()

    assert answer.status_code == 200
    shown = await site.sees()
    assert (shown["claimed_by_me"], shown["claimed_until"]) == (True, answer.json()["claimed_until"])
    assert await site.queue("mine") == [NO]
    time.passes(minutes=14)
    assert (await site.sees())["claimed_by_me"] is True
    time.passes(minutes=2)
    assert (await site.sees())["claimed_by_me"] is False
    assert await site.queue("mine") == []


async def test_a_second_claim_is_409_and_the_list_of_others_does_not_offer_it(review: ReviewUnderTest) -> None:
    await review.has()
    site, site2 = await review.desk("site"), await review.desk("site2")
    await site.claim()

    answer = await site2.claim()

    assert answer.status_code == 409
    problem = answer.json()
    assert (problem["code"], problem["type"]) == ("claimed-by-another", "urn:baoshen:problem:claimed-by-another")
    assert problem["detail"]
    assert problem["detail_en"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await site2.queue(), await site.queue()) == ([], [NO])


async def test_claiming_again_renews_one_s_own_claim(review: ReviewUnderTest, time: Time) -> None:
    await review.has()
    site = await review.desk("site")
    first = (await site.claim()).json()["claimed_until"]

    time.passes(minutes=10)
    second = (await site.claim()).json()["claimed_until"]

    assert second > first
    assert len(await review.rows("SELECT 1 FROM history WHERE act = 'claimed'")) == 1


async def test_marking_renews_the_claim(review: ReviewUnderTest, time: Time) -> None:
    await review.has()
    site = await review.desk("site")
    await site.claim()

    for _ in range(3):
        time.passes(minutes=10)
        assert (await site.mark_returned()).status_code == 200

    assert (await site.sees())["claimed_by_me"] is True


async def test_a_claim_that_ended_is_taken_over_with_the_words_typed_under_it(
    review: ReviewUnderTest, time: Time
) -> None:
    await review.has()
    site, site2 = await review.desk("site"), await review.desk("site2")
    await site.claim()
    await site.mark_returned(words="第二页看不清")

    time.passes(minutes=16)
    late = await site.post(f"/reviews/{NO}/returns")
    taken = await site2.claim()

    assert (late.status_code, late.json()["code"]) == (409, "not-claimed")
    assert taken.status_code == 200
    mark = (await site2.sees())["sections"][1]["items"][0]["mark"]
    assert (mark["mark"], mark["words"]) == ("return", "第二页看不清")


async def test_a_released_claim_is_free_for_others_and_releasing_what_is_not_held_is_no_error(
    review: ReviewUnderTest,
) -> None:
    await review.has()
    site, site2 = await review.desk("site"), await review.desk("site2")
    await site.claim()

    not_mine = await site2.delete(f"/reviews/{NO}/claim")
    still = await site2.claim()
    mine = await site.delete(f"/reviews/{NO}/claim")
    taken = await site2.claim()

    assert [answer.status_code for answer in (not_mine, still, mine, taken)] == [204, 409, 204, 200]


async def test_of_two_hundred_who_race_for_one_application_exactly_one_has_it(review: ReviewUnderTest) -> None:
    await review.has()

    async def try_to_claim(by: Staff) -> bool:
        try:
            async with review.service.sessions.begin() as session:
                await claims.claim(session, by, NO, LEASE)
        except Conflict:
            return False
        return True

    won = await asyncio.gather(*(try_to_claim(by) for by in colleagues(200)))

    assert sum(won) == 1
    assert len(await review.rows("SELECT 1 FROM history WHERE act = 'claimed'")) == 1


async def test_of_twenty_racing_claims_over_http_one_wins(review: ReviewUnderTest) -> None:
    await review.has()
    desks: list[Desk] = []
    for by in colleagues(20):
        await review.execute(
            "INSERT INTO staff SELECT :id, :login, display_name, role, region, site, password_hash "
            "FROM staff WHERE login = 'site'",
            id=by.id, login=by.login,
        )  # fmt: skip
        desks.append(Desk(await review.new_client(), by.id))
        await desks[-1].log_in(by.login)

    answers = await asyncio.gather(*(desk.claim() for desk in desks))

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19


async def test_next_gives_each_who_asks_at_once_a_different_one_oldest_first(review: ReviewUnderTest) -> None:
    numbers = [f"1501202100{number:04}" for number in range(10)]
    await review.hears(
        a_pack(), *(a_submission(number, at=START + timedelta(minutes=n)) for n, number in enumerate(numbers))
    )

    async def take(by: Staff) -> str | None:
        try:
            async with review.service.sessions.begin() as session:
                return (await claims.claim_next(session, by, LEASE)).application_no
        except NotFound:
            return None

    taken = await asyncio.gather(*(take(by) for by in colleagues(8)))

    assert sorted(filter(None, taken)) == numbers[:8]


async def test_next_over_http_claims_the_oldest_and_says_when_nothing_waits(review: ReviewUnderTest) -> None:
    await review.has()
    site, site2 = await review.desk("site"), await review.desk("site2")

    first = await site.post("/reviews/claims")
    none = await site2.post("/reviews/claims")

    assert first.status_code == 201
    assert first.json()["application_no"] == NO
    assert (none.status_code, none.json()["code"]) == (404, "queue-empty")


async def test_a_post_repeated_under_its_key_gets_the_same_answer(review: ReviewUnderTest) -> None:
    await review.hears(a_pack(), a_submission("15010001"), a_submission("15010002", round_no=2))
    site = await review.desk("site")
    key = str(uuid4())

    answers = await asyncio.gather(*(site.post("/reviews/claims", key=key) for _ in range(5)))

    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert await site.queue("mine") == ["15010001"]


async def test_a_post_without_a_key_or_with_one_of_another_request_is_refused(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    key = str(uuid4())
    await site.post("/reviews/claims", key=key)

    other = await site.post(f"/reviews/{NO}/passes", key=key)
    none = await site.client.post("/reviews/claims", json={}, headers={"X-CSRF-Token": site.csrf})

    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert (none.status_code, none.json()["code"]) == (400, "idempotency-key-missing")


async def test_another_region_s_or_site_s_application_does_not_exist(review: ReviewUnderTest) -> None:
    await review.has()

    for login in ("otherregion", "othersite"):
        desk = await review.desk(login)
        answers = [
            await desk.get(f"/reviews/{NO}"),
            await desk.claim(),
            await desk.delete(f"/reviews/{NO}/claim"),
            await desk.mark_returned(),
            await desk.post(f"/reviews/{NO}/returns"),
            await desk.get(f"/reviews/{NO}/images/{uuid4()}"),
        ]

        assert {answer.status_code for answer in answers} == {404}, login
        assert {answer.json()["code"] for answer in answers} == {"application-not-found"}


async def test_an_unknown_or_malformed_number_is_a_problem_not_an_error(review: ReviewUnderTest) -> None:
    site = await review.desk("site")

    unknown = await site.get("/reviews/99999999")
    malformed = await site.get("/reviews/%00%27--")

    assert (unknown.status_code, malformed.status_code) == (404, 404)
    assert malformed.json()["code"] == "application-not-found"


async def test_the_region_s_staff_can_look_at_what_is_with_a_site_but_not_claim_it(review: ReviewUnderTest) -> None:
    await review.has()
    region = await review.desk("region")

    shown = await region.sees()
    answer = await region.claim()

    assert shown["state"] == "at_site"
    assert (answer.status_code, answer.json()["code"]) == (409, "not-in-your-queue")


async def test_names_are_masked_in_lists_and_whole_only_under_one_s_own_claim(review: ReviewUnderTest) -> None:
    await review.has()
    site, region = await review.desk("site"), await review.desk("region")

    row = (await site.get("/reviews")).json()["items"][0]
    before = (await site.sees())["candidate"]
    await site.claim()
    under_claim = await site.get(f"/reviews/{NO}")
    row_under_claim = await site.get("/reviews", state="mine")

    assert row["candidate_masked"] == {"name": "王**", "id_number": "999***********1234"}
    assert before == {"name": "王**", "id_number_masked": "999***********1234", "phone_masked": "138****5678"}
    assert under_claim.json()["candidate"]["name"] == PERSON.name
    for text in (under_claim.text, row_under_claim.text):
        assert PERSON.id_number not in text
        assert PERSON.phone not in text
    assert PERSON.name not in row_under_claim.text
    assert (await region.sees())["candidate"]["name"] == "王**"


async def test_a_list_is_paged_oldest_first_without_gap_or_twin(review: ReviewUnderTest) -> None:
    # Pairs share their time: the number decides.
    numbers = [f"1501202100{number:04}" for number in range(25)]
    await review.hears(
        a_pack(), *(a_submission(number, at=START + timedelta(seconds=n // 2)) for n, number in enumerate(numbers))
    )
    site = await review.desk("site")

    seen: list[str] = []
    cursor = None
    pages = 0
    while True:
        page = (await site.get("/reviews", limit=10, **({"cursor": cursor} if cursor else {}))).json()
        seen += [row["application_no"] for row in page["items"]]
        pages, cursor = pages + 1, page["next"]
        if cursor is None:
            break

    assert seen == numbers
    assert pages == 3


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
    ],
)
async def test_a_list_asked_for_wrongly_is_422(review: ReviewUnderTest, params: dict[str, object]) -> None:
    answer = await (await review.desk("site")).get("/reviews", **params)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_queues_are_read_along_an_index_in_their_order(review: ReviewUnderTest) -> None:
    await review.execute(
        """
        INSERT INTO reviews (application_no, region, site, year, pack_id, pack_version, route, facts, round, revision,
                             submitted_at, changed_items, state, tier)
        SELECT '1501' || lpad(n::text, 8, '0'), '15', '150' || n % 9, 2021, 'p', 1, 'online', '{}', 1, 1,
               timestamptz '2021-01-01' + n * interval '1 second', '{}',
               (ARRAY['at_site', 'at_region', 'returned', 'decided'])[1 + n % 4], 'site'
        FROM generate_series(1, 20000) AS n
        """
    )
    await review.execute("ANALYZE reviews")
    scopes = {
        "reviews_of_site": Staff(uuid4(), "s", "考点", "site_reviewer", "15", "1501"),
        "reviews_of_region": Staff(uuid4(), "r", "考区", "region_reviewer", "15", None),
    }

    for index, staff in scopes.items():
        for name in ("waiting", "returned", "decided"):
            query = page_query(staff, name, None, 20, clock.now())
            async with review.service.sessions() as session:
                compiled = query.compile(session.bind.sync_engine, compile_kwargs={"literal_binds": True})
                connection = await session.connection()
                plan = "\n".join((await connection.exec_driver_sql(f"EXPLAIN {compiled}")).scalars())

            assert f"using {index} on reviews" in plan, plan
            assert "Sort" not in plan, plan
