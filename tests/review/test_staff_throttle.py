"""Guessing staff passwords and codes is made slow, and nobody stays locked out (attack matrix 13, 22)."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx

from tests.review.conftest import ORIGIN, PASSWORD, ReviewUnderTest, Time
from tests.review.factors import another_than, enrol, forget_steps, lines_of, log_in, shows


async def fails(review: ReviewUnderTest, times: int, login: str = "site") -> list[httpx.Response]:
    return [await log_in(review, login, password="not it") for _ in range(times)]


async def test_after_five_failures_a_login_waits_and_is_told_how_long(review: ReviewUnderTest) -> None:
    failed = await fails(review, 5)

    right = await log_in(review, "site")

    assert [answer.status_code for answer in failed] == [401] * 5
    assert (right.status_code, right.json()["code"]) == (429, "too-many-attempts")
    assert 840 < int(right.headers["retry-after"]) <= 900


async def test_the_window_moves_on_and_nobody_stays_locked_out(review: ReviewUnderTest, time: Time) -> None:
    await fails(review, 7)

    time.passes(minutes=15, seconds=1)

    assert (await log_in(review, "site")).status_code == 201


async def test_what_was_refused_for_being_too_much_does_not_prolong_the_wait(
    review: ReviewUnderTest, time: Time
) -> None:
    await fails(review, 5)
    time.passes(minutes=10)
    await fails(review, 5)

    time.passes(minutes=5, seconds=1)

    assert (await log_in(review, "site")).status_code == 201


async def test_a_login_that_works_ends_the_counting(review: ReviewUnderTest) -> None:
    await fails(review, 4)
    await log_in(review, "site")

    again = await fails(review, 5)

    assert [answer.status_code for answer in again] == [401] * 5


async def test_guesses_at_once_are_counted_like_those_one_after_the_other(review: ReviewUnderTest) -> None:
    answers = await asyncio.gather(*(log_in(review, "site", password=f"guess {n}") for n in range(12)))

    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 7


async def test_a_login_that_nobody_has_is_treated_alike(review: ReviewUnderTest) -> None:
    known, unknown = await fails(review, 6), await fails(review, 6, "nobody")

    assert [answer.status_code for answer in known] == [answer.status_code for answer in unknown]
    assert known[0].json() == unknown[0].json()


async def test_one_person_s_failures_are_not_another_s(review: ReviewUnderTest) -> None:
    await fails(review, 6)

    assert (await log_in(review, "region")).status_code == 201


async def test_an_address_that_fails_for_many_waits_and_others_do_not(review: ReviewUnderTest) -> None:
    edge = review.service.app.state.edge
    async with review.service.sessions.begin() as session:
        for n in range(30):
            await edge.attempts.begin(session, f"somebody-{n}", "203.0.113.7")

    there = await from_there(review, "203.0.113.7", "region")
    here = await log_in(review, "region")

    assert (there.status_code, here.status_code) == (429, 201)


async def test_a_crowd_with_right_passwords_behind_one_address_is_let_in(review: ReviewUnderTest) -> None:
    answers = await asyncio.gather(*(log_in(review, login) for login in ("site", "region", "admin") for _ in range(14)))

    assert {answer.status_code for answer in answers} == {201}


async def test_guesses_of_the_second_factor_count_too(review: ReviewUnderTest) -> None:
    secret, _ = await enrol(await review.desk("site"))
    await forget_steps(review)
    wrong = another_than(shows(secret, steps=0))

    guesses = [await log_in(review, "site", code=wrong) for _ in range(5)]
    right = await log_in(review, "site", code=shows(secret))

    assert [answer.json()["code"] for answer in guesses] == ["second-factor-wrong"] * 5
    assert right.status_code == 429


async def test_guesses_within_a_session_count_like_those_at_the_login(review: ReviewUnderTest) -> None:
    site = await review.desk("site")
    secret, _ = await enrol(site)
    await forget_steps(review)
    wrong = {"code": another_than(shows(secret))}

    guesses = [await site.post("/staff/second-factor/recovery-codes", wrong) for _ in range(5)]
    right = await site.post("/staff/second-factor/recovery-codes", {"code": shows(secret)})

    assert [answer.status_code for answer in guesses] == [422] * 5
    assert (right.status_code, right.json()["code"]) == (429, "too-many-attempts")


async def test_a_right_password_alone_is_no_failure(review: ReviewUnderTest) -> None:
    secret, _ = await enrol(await review.desk("site"))

    answers = [await log_in(review, "site") for _ in range(8)]
    then = await log_in(review, "site", code=shows(secret, steps=1))

    assert {answer.json()["code"] for answer in answers} == {"second-factor-needed"}
    assert then.status_code == 201


async def test_logins_failures_and_leaving_are_in_the_audit_trail_and_what_was_typed_is_not(
    review: ReviewUnderTest,
) -> None:
    site = await review.desk("site")
    await log_in(review, "site", password="my-other-password")
    await log_in(review, "wang.xiaoming@example.org")
    await site.delete("/staff/session")

    lines = await lines_of(review, "logged_in", "logged_out")

    assert [(line["act"], line["outcome"], line["staff_id"], line["detail"]) for line in lines] == [
        ("logged_in", "done", site.staff_id, {"through": "password"}),
        ("logged_in", "refused", None, {"wrong": "password", "account": str(site.staff_id)}),
        ("logged_in", "refused", None, {"wrong": "password"}),
        ("logged_out", "done", site.staff_id, {}),
    ]
    kept = str(await review.rows("SELECT * FROM audit")) + str(await review.rows("SELECT * FROM attempts"))
    assert "my-other-password" not in kept
    assert "xiaoming" not in kept


async def from_there(review: ReviewUnderTest, address: str, login: str = "site", **more: Any) -> httpx.Response:
    """A login from another address."""
    transport = httpx.ASGITransport(app=review.service.app, client=(address, 4711))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Origin": ORIGIN}) as there:
        return await there.post("/staff/session", json={"login": login, "password": PASSWORD} | more)


async def test_a_stranger_who_knows_a_login_shuts_out_themselves_and_not_its_owner(review: ReviewUnderTest) -> None:
    guesses = [await from_there(review, "203.0.113.7", password="not it") for _ in range(6)]

    owner = await log_in(review, "site")
    stranger = await from_there(review, "203.0.113.7")

    assert [answer.status_code for answer in guesses] == [401] * 5 + [429]
    assert owner.status_code == 201
    # The owner's success forgives what the owner mistyped, not what others tried.
    assert (stranger.status_code, stranger.json()["code"]) == (429, "too-many-attempts")
    assert 840 < int(stranger.headers["retry-after"]) <= 900


async def test_guesses_from_ever_new_addresses_reach_a_limit_too(review: ReviewUnderTest, time: Time) -> None:
    edge = review.service.app.state.edge
    async with review.service.sessions.begin() as session:
        for n in range(50):
            await edge.attempts.begin(session, "site", f"203.0.113.{n}")

    shut = await log_in(review, "site")
    another = await log_in(review, "region")
    time.passes(minutes=15, seconds=1)

    assert (shut.status_code, another.status_code) == (429, 201)
    assert (await log_in(review, "site")).status_code == 201


async def test_codes_are_guessed_from_no_more_addresses_than_from_one(review: ReviewUnderTest) -> None:
    secret, _ = await enrol(await review.desk("site"))
    await forget_steps(review)
    wrong = another_than(shows(secret, steps=0))

    guesses = [await from_there(review, f"203.0.113.{n}", code=wrong) for n in range(6)]
    right = await from_there(review, "203.0.113.77", code=shows(secret))

    assert [answer.json()["code"] for answer in guesses] == ["second-factor-wrong"] * 5 + ["too-many-attempts"]
    assert right.status_code == 429


async def test_a_flood_of_refused_tries_is_one_line_of_the_trail_for_each_login_and_window(
    review: ReviewUnderTest, time: Time
) -> None:
    await fails(review, 9)
    await asyncio.gather(*(from_there(review, f"203.0.113.{n % 3}", password="not it") for n in range(24)))
    time.passes(minutes=15, seconds=1)
    await fails(review, 7)

    lines = await lines_of(review, "logged_in")

    refused = [line for line in lines if line["detail"]["wrong"] == "too-many-tries"]
    account = {"wrong": "too-many-tries", "account": str(review.people["site"])}
    assert [(line["staff_id"], line["region"], line["site"], line["detail"]) for line in refused] == [
        (None, "15", "1501", account)
    ] * 2
    assert len(lines) - len(refused) == 5 + 3 * 5 + 5


async def test_an_address_that_used_itself_up_is_one_line_whatever_logins_it_tries(review: ReviewUnderTest) -> None:
    edge = review.service.app.state.edge
    async with review.service.sessions.begin() as session:
        for n in range(30):
            await edge.attempts.begin(session, f"somebody-{n}", "203.0.113.7")

    for n in range(8):
        await from_there(review, "203.0.113.7", f"another-{n}")
    await from_there(review, "203.0.113.7", "site")

    assert [line["detail"] for line in await lines_of(review, "logged_in")] == [{"wrong": "too-many-tries"}]


async def test_codes_refused_within_a_session_are_on_record_as_its_person_s(review: ReviewUnderTest) -> None:
    site = await review.desk("site")
    secret, _ = await enrol(site)
    wrong = {"code": another_than(shows(secret))}

    for _ in range(8):
        await site.post("/staff/second-factor/recovery-codes", wrong)

    lines = await lines_of(review, "recovery_codes_renewed")
    assert [line["detail"]["wrong"] for line in lines] == ["code"] * 5 + ["too-many-tries"]
    assert {line["staff_id"] for line in lines} == {site.staff_id}


async def test_a_confirmation_that_is_sent_again_neither_forgives_nor_counts(review: ReviewUnderTest) -> None:
    site = await review.desk("site")
    secret = (await site.post("/staff/second-factor")).json()["secret"]
    key, code = str(uuid4()), {"code": shows(secret)}
    first = await site.post("/staff/second-factor/confirmations", code, key=key)
    await fails(review, 4)

    again = [await site.post("/staff/second-factor/confirmations", code, key=key) for _ in range(6)]
    fifth, sixth = await fails(review, 2)

    assert [answer.status_code for answer in again] == [201] * 6
    assert {answer.text for answer in again} == {first.text}
    assert (fifth.status_code, sixth.status_code) == (401, 429)
