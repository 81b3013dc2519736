"""A second factor: set up, asked for, good once, and recovered from (ASVS 6.3.3, 6.5)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4
from xml.etree import ElementTree

import pyotp
import pytest_asyncio

from services.review.accounts.second_factor import take_off
from shared.security import second_factor
from tests.review.conftest import PASSWORD, ReviewUnderTest, Time
from tests.review.factors import another_than, enrol, forget_steps, lines_of, log_in, shows


@pytest_asyncio.fixture
async def strict(review: ReviewUnderTest) -> AsyncIterator[ReviewUnderTest]:
    """Review where nobody works without a second factor."""
    state = review.service.app.state
    usual = state.edge
    state.edge = replace(usual, second_factor_required=True)
    yield review
    state.edge = usual


async def test_what_is_begun_is_a_secret_to_type_a_link_and_a_picture_of_it(review: ReviewUnderTest) -> None:
    site = await review.desk("site")

    begun = (await site.post("/staff/second-factor")).json()

    assert begun["uri"] == f"otpauth://totp/Baoshen:site?secret={begun['secret']}&issuer=Baoshen"
    assert ElementTree.fromstring(begun["qr_svg"]).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 our own
    assert len(begun["secret"]) == 32


async def test_a_factor_counts_only_once_its_first_code_was_right(review: ReviewUnderTest) -> None:
    site = await review.desk("site")
    secret = (await site.post("/staff/second-factor")).json()["secret"]

    wrong = await site.post("/staff/second-factor/confirmations", {"code": another_than(shows(secret))})
    before = await log_in(review, "site")
    right = await site.post("/staff/second-factor/confirmations", {"code": shows(secret)})
    after = await log_in(review, "site")

    assert (wrong.status_code, wrong.json()["code"]) == (422, "second-factor-wrong")
    assert before.status_code == 201
    assert right.status_code == 201
    assert len(set(right.json()["recovery_codes"])) == 10
    assert (after.status_code, after.json()["code"]) == (401, "second-factor-needed")
    assert (await site.get("/staff/session")).json()["second_factor"] is True


async def test_a_code_is_good_once(review: ReviewUnderTest) -> None:
    secret, _ = await enrol(await review.desk("site"))
    await forget_steps(review)
    code = shows(secret)

    first = await log_in(review, "site", code=code)
    again = await log_in(review, "site", code=code)

    assert first.status_code == 201
    assert (again.status_code, again.json()["code"]) == (401, "second-factor-wrong")


async def test_of_many_logins_with_one_code_at_once_one_comes_in(review: ReviewUnderTest) -> None:
    secret, _ = await enrol(await review.desk("site"))
    await forget_steps(review)
    code = shows(secret)

    answers = await asyncio.gather(*(log_in(review, "site", code=code) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 401, 401, 401]


def test_a_code_of_the_step_before_and_after_fits_and_no_other_does() -> None:
    secret, at = second_factor.new_secret(), datetime(2026, 5, 1, 8, 0, 10, tzinfo=UTC)
    step = int(at.timestamp()) // 30
    codes = [pyotp.TOTP(secret).generate_otp(step + around) for around in range(-2, 3)]

    found = [second_factor.step_of(secret, code, at, None) for code in codes]

    assert found == [None, step - 1, step, step + 1, None]


def test_a_code_of_a_step_before_the_last_one_that_was_used_is_refused() -> None:
    secret, at = second_factor.new_secret(), datetime(2026, 5, 1, 8, 0, 10, tzinfo=UTC)
    step = int(at.timestamp()) // 30
    earlier = pyotp.TOTP(secret).generate_otp(step - 1)

    assert second_factor.step_of(secret, earlier, at, step) is None


async def test_a_recovery_code_stands_in_once_however_it_is_typed(review: ReviewUnderTest) -> None:
    _, codes = await enrol(await review.desk("site"))

    first = await log_in(review, "site", recovery_code=codes[3].lower().replace("-", " "))
    again = await log_in(review, "site", recovery_code=codes[3])
    other = await log_in(review, "site", recovery_code=codes[4])

    assert (first.status_code, again.status_code, other.status_code) == (201, 401, 201)


async def test_of_many_logins_with_one_recovery_code_at_once_one_comes_in(review: ReviewUnderTest) -> None:
    _, codes = await enrol(await review.desk("site"))

    answers = await asyncio.gather(*(log_in(review, "site", recovery_code=codes[0]) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 401, 401, 401]


async def test_new_recovery_codes_end_the_old_ones_and_take_a_code_of_the_app(review: ReviewUnderTest) -> None:
    site = await review.desk("site")
    secret, old = await enrol(site)

    refused = await site.post("/staff/second-factor/recovery-codes", {"code": another_than(shows(secret, steps=1))})
    renewed = await site.post("/staff/second-factor/recovery-codes", {"code": shows(secret, steps=1)})
    with_old = await log_in(review, "site", recovery_code=old[0])
    with_new = await log_in(review, "site", recovery_code=renewed.json()["recovery_codes"][0])

    assert (refused.status_code, renewed.status_code) == (422, 201)
    assert (with_old.status_code, with_new.status_code) == (401, 201)


async def test_nobody_puts_another_telephone_in_the_place_of_the_person_s(review: ReviewUnderTest) -> None:
    site = await review.desk("site")
    await enrol(site)

    answer = await site.post("/staff/second-factor")

    assert (answer.status_code, answer.json()["code"]) == (409, "second-factor-there")


async def test_who_came_by_a_recovery_code_sets_up_a_new_telephone_and_the_old_one_counts_until_then(
    review: ReviewUnderTest,
) -> None:
    site = await review.desk("site")
    old, codes = await enrol(site)
    site.csrf = (await _log_in_here(review, "site", recovery_code=codes[0]))["csrf_token"]

    begun = await site.post("/staff/second-factor")
    meanwhile = await log_in(review, "site", code=shows(old, steps=1))
    new = begun.json()["secret"]
    confirmed = await site.post("/staff/second-factor/confirmations", {"code": shows(new)})
    await forget_steps(review)
    with_old, with_new = await log_in(review, "site", code=shows(old)), await log_in(review, "site", code=shows(new))

    assert (begun.status_code, meanwhile.status_code, confirmed.status_code) == (201, 201, 201)
    assert (with_old.status_code, with_new.status_code) == (401, 201)


async def test_a_setup_that_was_begun_too_long_ago_begins_anew(review: ReviewUnderTest, time: Time) -> None:
    site = await review.desk("site")
    secret = (await site.post("/staff/second-factor")).json()["secret"]

    time.passes(minutes=50)
    await site.get("/staff/session")
    time.passes(minutes=11)
    late = await site.post("/staff/second-factor/confirmations", {"code": shows(secret)})

    assert (late.status_code, late.json()["code"]) == (409, "second-factor-not-begun")


async def test_the_same_request_again_gets_the_same_secret_and_codes_and_they_are_stored_sealed(
    review: ReviewUnderTest,
) -> None:
    site = await review.desk("site")
    keys = str(uuid4()), str(uuid4())

    secrets = [(await site.post("/staff/second-factor", key=keys[0])).json()["secret"] for _ in range(2)]
    body = {"code": shows(secrets[0])}
    answers = [await site.post("/staff/second-factor/confirmations", body, key=keys[1]) for _ in range(2)]

    assert secrets[0] == secrets[1]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    stored = str(await review.rows("SELECT answer FROM idempotency_keys"))
    assert secrets[0] not in stored
    assert answers[0].json()["recovery_codes"][0] not in stored


async def test_neither_secret_nor_recovery_code_lies_open_in_the_database(review: ReviewUnderTest) -> None:
    secret, codes = await enrol(await review.desk("site"))

    staff = await review.rows("SELECT totp_key_id, totp_sealed FROM staff WHERE login = 'site'")
    hashes = await review.rows("SELECT code_hash FROM recovery_codes")

    assert staff[0]["totp_key_id"] == "staff-factors"
    assert secret.encode() not in bytes(staff[0]["totp_sealed"])
    assert {len(bytes(row["code_hash"])) for row in hashes} == {32}
    assert len(hashes) == len(codes)


async def test_a_sealed_secret_that_was_copied_to_another_account_opens_nothing(review: ReviewUnderTest) -> None:
    secret, _ = await enrol(await review.desk("site"))
    await review.execute(
        "UPDATE staff SET totp_key_id = own.totp_key_id, totp_sealed = own.totp_sealed, totp_confirmed_at = now() "
        "FROM staff AS own WHERE own.login = 'site' AND staff.login = 'site2'"
    )

    answer = await log_in(review, "site2", code=shows(secret))

    assert answer.status_code == 500


async def test_where_a_second_factor_is_required_nothing_else_is_open_before(strict: ReviewUnderTest) -> None:
    await strict.has()
    site = await strict.desk("site")

    shut = [
        await site.get("/reviews"),
        await site.get("/reviews/15012021000001"),
        await site.claim(),
        await site.post("/reviews/claims", {}),
        await site.get("/staff/members"),
        await site.get("/staff/identity", audience="notify"),
    ]
    session = (await site.get("/staff/session")).json()
    codes = await site.post("/staff/second-factor/recovery-codes", {"code": "000000"})

    assert {(answer.status_code, answer.json()["code"]) for answer in shut} == {(403, "second-factor-required")}
    assert (session["must_enrol"], session["second_factor"]) == (True, False)
    assert (codes.status_code, codes.json()["code"]) == (409, "second-factor-missing")


async def test_who_has_set_it_up_goes_on_in_the_same_session(strict: ReviewUnderTest) -> None:
    await strict.has()
    site = await strict.desk("site")

    await enrol(site)

    assert (await site.claim()).status_code == 200
    session = (await site.get("/staff/session")).json()
    assert (session["must_enrol"], session["second_factor"]) == (False, True)


async def test_a_factor_that_was_taken_off_ends_the_sessions_and_must_be_set_up_anew(strict: ReviewUnderTest) -> None:
    site = await strict.desk("site")
    await enrol(site)

    async with strict.service.sessions.begin() as session:
        await take_off(session, site.staff_id)
    ended = await site.get("/staff/session")
    anew = await log_in(strict, "site")

    assert ended.status_code == 401
    assert (anew.status_code, anew.json()["must_enrol"]) == (201, True)


async def test_who_must_enrol_can_still_log_out(strict: ReviewUnderTest) -> None:
    site = await strict.desk("site")

    answer = await site.delete("/staff/session")

    assert answer.status_code == 204
    assert (await site.get("/staff/session")).status_code == 401


async def test_enrolments_and_wrong_codes_are_in_the_audit_trail_without_what_was_typed(
    review: ReviewUnderTest,
) -> None:
    site = await review.desk("site")
    secret = (await site.post("/staff/second-factor")).json()["secret"]
    wrong = another_than(shows(secret))

    await site.post("/staff/second-factor/confirmations", {"code": wrong})
    await site.post("/staff/second-factor/confirmations", {"code": shows(secret)})
    await log_in(review, "site", code=wrong)

    enrolments = await lines_of(review, "second_factor_enrolled")
    assert [(line["outcome"], line["staff_id"]) for line in enrolments] == [
        ("refused", site.staff_id),
        ("done", site.staff_id),
    ]
    failed = [line for line in await lines_of(review, "logged_in") if line["outcome"] == "refused"]
    assert [(line["staff_id"], line["detail"]) for line in failed] == [
        (None, {"wrong": "second-factor", "account": str(site.staff_id)})
    ]


async def _log_in_here(review: ReviewUnderTest, login: str, **more: str) -> dict[str, str]:
    """Log in again in the browser of a desk."""
    desk = review.desks[login]
    answer = await desk.client.post("/staff/session", json={"login": login, "password": "review-2021"} | more)
    assert answer.status_code == 201, answer.text
    found: dict[str, str] = answer.json()
    return found


async def test_a_session_that_a_password_opened_stays_shut_when_its_person_enrols_elsewhere(
    strict: ReviewUnderTest,
) -> None:
    stranger, owner = await strict.new_client(), await strict.desk("site")
    await stranger.post("/staff/session", json={"login": "site", "password": PASSWORD})

    await enrol(owner)

    assert (await stranger.get("/reviews")).status_code == 401
    assert (await owner.get("/reviews")).status_code == 200
    again = await owner.post("/staff/second-factor")
    assert (again.status_code, again.json()["code"]) == (409, "second-factor-there")
