"""Claims: one holder at a time, whoever races; lists in order."""

import asyncio
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from fastapi import Response
from sqlalchemy import insert

from services.review import lists, tables
from services.review.domain import Staff
from services.review.use_cases import claims
from shared.contracts.facts import Facts
from tests.builders.review import NO, PERSON, START, a_pack, a_submission
from tests.review.conftest import ReviewUnderTest, Time
from tests.review.lists import NUMBERS


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


@dataclass(frozen=True)
class Colleague:
    """Somebody of the site, logged in."""

    staff: Staff
    headers: dict[str, str]


async def colleagues(review: ReviewUnderTest, count: int) -> list[Colleague]:
    """Accounts and sessions, without the slow hash of a password for each."""
    people = [Staff(uuid4(), f"s{number}", "同事", "site_reviewer", "15", "1501") for number in range(count)]
    cookies = review.service.app.state.edge.cookies
    found = []
    async with review.service.sessions.begin() as session:
        await session.execute(insert(tables.staff), [asdict(person) for person in people])
        for person in people:
            answer = Response()
            logged_in = await cookies.begin(session, answer, str(person.id))
            cookie = answer.headers["set-cookie"].partition(";")[0]
            found.append(Colleague(person, {"Cookie": cookie, "X-CSRF-Token": logged_in.csrf_token}))
    return found


async def test_of_two_hundred_who_race_for_one_application_exactly_one_has_it(review: ReviewUnderTest) -> None:
    await review.has()
    people = await colleagues(review, 200)

    answers = await asyncio.gather(
        *(review.client.put(f"/reviews/{NO}/claim", headers=person.headers) for person in people)
    )

    # A caller waits five seconds for one of twenty connections, then is told to come again.
    assert Counter(answer.status_code for answer in answers if answer.status_code != 503) == Counter(
        {200: 1, 409: sum(answer.status_code == 409 for answer in answers)}
    )
    winner = next(person for person, answer in zip(people, answers, strict=True) if answer.status_code == 200)
    held = await review.rows("SELECT claimed_by FROM reviews WHERE claimed_until IS NOT NULL")
    assert held == [{"claimed_by": winner.staff.id}]
    assert len(await review.rows("SELECT 1 FROM history WHERE act = 'claimed'")) == 1


async def test_fifty_who_call_next_at_once_get_fifty_different_ones_the_oldest(review: ReviewUnderTest) -> None:
    await review.hears(
        a_pack(), *(a_submission(number, at=START + timedelta(minutes=n)) for n, number in enumerate(NUMBERS))
    )
    people = await colleagues(review, 50)

    answers = await asyncio.gather(
        *(
            review.client.post("/reviews/claims", json={}, headers=person.headers | {"Idempotency-Key": str(uuid4())})
            for person in people
        )
    )

    assert [answer.status_code for answer in answers] == [201] * 50
    assert sorted(answer.json()["application_no"] for answer in answers) == NUMBERS[:50]


async def test_next_is_the_oldest_of_the_list_as_it_is_narrowed(review: ReviewUnderTest) -> None:
    await review.hears(
        a_pack(),
        a_submission(NUMBERS[0]),
        a_submission(NUMBERS[1], round_no=2),
        a_submission(NUMBERS[2], facts=Facts(category="dental")),
        a_submission(NUMBERS[3], at=START + timedelta(days=1)),
    )
    await review.execute("UPDATE reviews SET findings = '{blurred}' WHERE application_no = :no", no=NUMBERS[3])
    site = await review.desk("site")

    claimed = {
        words: (await site.post("/reviews/claims", asked)).json().get("application_no")
        for words, asked in {
            "finding": {"finding": "blurred"},
            "the same once more": {"finding": "blurred"},
            "queue": {"state": "resubmitted"},
            "category": {"category": "dental", "site": "1501"},
            "elsewhere": {"site": "1502"},
            "all": {},
        }.items()
    }

    assert claimed == {
        "finding": NUMBERS[3], "the same once more": None, "queue": NUMBERS[1], "category": NUMBERS[2],
        "elsewhere": None, "all": NUMBERS[0],
    }  # fmt: skip


@pytest.mark.parametrize("body", [{"state": "decided"}, {"state": "mine"}, {"finding": "x y"}, {"colour": "red"}])
async def test_next_asked_for_wrongly_is_422(review: ReviewUnderTest, body: dict[str, str]) -> None:
    answer = await (await review.desk("site")).post("/reviews/claims", body)

    assert answer.status_code == 422


async def test_next_looks_beyond_the_first_that_do_not_fit(
    review: ReviewUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "LOOKED", 5)
    await review.hears(
        a_pack(), *(a_submission(number, at=START + timedelta(minutes=n)) for n, number in enumerate(NUMBERS[:20]))
    )
    await review.execute("UPDATE reviews SET findings = '{blurred}' WHERE application_no = :no", no=NUMBERS[17])
    site = await review.desk("site")

    found = await site.post("/reviews/claims", {"finding": "blurred"})
    monkeypatch.setattr(claims, "_LOOKS", 2)
    given_up = await site.post("/reviews/claims", {"finding": "too_dark"})

    assert found.json()["application_no"] == NUMBERS[17]
    assert (given_up.status_code, given_up.json()["code"]) == (404, "none-among-oldest")


async def test_next_never_gives_what_one_proposed_oneself_for_a_second_look(review: ReviewUnderTest) -> None:
    await review.passed()
    await review.execute(
        "UPDATE reviews SET queue = 'second_look', proposed_opinion = 'rejected', proposed_by = :by",
        by=review.people["region"],
    )
    region, admin = await review.desk("region"), await review.desk("admin")

    refused = [await region.post("/reviews/claims", {"state": "second_look"}), await region.claim()]
    given = await admin.post("/reviews/claims", {"state": "second_look"})

    assert [answer.status_code for answer in refused] == [404, 409]
    assert given.json()["application_no"] == NO


async def test_next_never_gives_what_an_act_is_pending_on(review: ReviewUnderTest) -> None:
    await review.has()
    await review.execute("UPDATE reviews SET act_id = gen_random_uuid()")
    site = await review.desk("site")

    assert (await site.post("/reviews/claims")).json()["code"] == "queue-empty"
    assert (await site.claim()).status_code == 409


async def test_one_holds_twenty_at_most_and_may_keep_what_one_holds(review: ReviewUnderTest, time: Time) -> None:
    await review.hears(a_pack(), *(a_submission(number) for number in NUMBERS[:22]))
    site = await review.desk("site")
    taken = [(await site.post("/reviews/claims")).status_code for _ in range(20)]

    refused = [await site.post("/reviews/claims"), await site.claim(NUMBERS[21])]
    renewed = await site.claim(NUMBERS[0])
    await site.delete(f"/reviews/{NUMBERS[0]}/claim")
    after = await site.claim(NUMBERS[21])

    assert taken == [201] * 20
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(409, "too-many-claims")] * 2
    assert (renewed.status_code, after.status_code) == (200, 200)
    time.passes(minutes=16)
    assert (await site.post("/reviews/claims")).status_code == 201


async def test_one_who_claims_from_many_windows_at_once_holds_no_more(review: ReviewUnderTest) -> None:
    await review.hears(a_pack(), *(a_submission(number) for number in NUMBERS[:30]))
    site = await review.desk("site")

    answers = await asyncio.gather(*(site.post("/reviews/claims") for _ in range(30)))

    assert Counter(answer.status_code for answer in answers) == {201: 20, 409: 10}


async def test_those_who_only_read_claim_nothing(review: ReviewUnderTest) -> None:
    await review.has()
    await review.execute("UPDATE staff SET role = 'national_operator', region = NULL WHERE login = 'region'")
    operator = await review.desk("region")

    answers = [await operator.claim(), await operator.post("/reviews/claims")]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "review-act")] * 2


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
