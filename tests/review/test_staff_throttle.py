"""Guessing staff passwords and codes is made slow, and nobody stays locked out (attack matrix 13, 22)."""

import asyncio

import httpx

from tests.review.conftest import PASSWORD, ReviewUnderTest, Time
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
    transport = httpx.ASGITransport(app=review.service.app, client=("203.0.113.7", 4711))
    body = {"login": "region", "password": PASSWORD}

    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8100") as there:
        from_there = await there.post("/staff/session", json=body)
    from_here = await log_in(review, "region")

    assert (from_there.status_code, from_here.status_code) == (429, 201)


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
