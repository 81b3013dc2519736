"""Logging in, and what every call checks anew."""

import base64
from uuid import uuid4

import pytest
from pydantic import ValidationError

from services.review.accounts import StaffAccount, import_staff
from services.review.settings import Settings
from shared.security.identity import HEADER, IdentityChecker
from tests.review.conftest import PASSWORD, ReviewUnderTest, Time
from tests.review.factors import enrol, lines_of


async def test_the_right_password_opens_a_session_and_says_who_is_logged_in(review: ReviewUnderTest) -> None:
    answer = await review.client.post("/staff/session", json={"login": "site", "password": PASSWORD})

    assert answer.status_code == 201
    assert answer.json() | {"csrf_token": "", "staff_id": ""} == {
        "staff_id": "", "display_name": "审核员 site", "role": "site_reviewer", "region": "15", "site": "1501",
        "csrf_token": "", "second_factor": False, "must_enrol": False,
    }  # fmt: skip
    again = await review.client.get("/staff/session")
    assert again.json() == answer.json()
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


@pytest.mark.parametrize(
    "body",
    [
        {"login": "site", "password": "wrong"},
        {"login": "nobody", "password": PASSWORD},
        {"login": "' OR 1=1 --", "password": PASSWORD},
    ],
)
async def test_a_wrong_login_or_password_is_refused_alike(review: ReviewUnderTest, body: dict[str, str]) -> None:
    answer = await review.client.post("/staff/session", json=body)

    assert answer.status_code == 401
    assert answer.json()["code"] == "login-failed"


@pytest.mark.parametrize(
    "body", ['{"login": "a\\u0000b", "password": "x"}', '{"login": "\\ud800", "password": "\\udfff"}', "{", "[]", '"x"']
)
async def test_a_login_that_is_no_text_is_refused_not_broken(review: ReviewUnderTest, body: str) -> None:
    answer = await review.client.post("/staff/session", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_login_from_another_site_s_page_is_refused(review: ReviewUnderTest) -> None:
    answer = await review.client.post(
        "/staff/session", json={"login": "site", "password": PASSWORD}, headers={"Origin": "https://elsewhere.example"}
    )

    assert answer.status_code == 403
    assert answer.json()["code"] == "foreign-origin"


async def test_without_a_session_nothing_is_shown(review: ReviewUnderTest) -> None:
    for path in ("/staff/session", "/reviews", "/reviews/15012021000001", "/staff/identity?audience=notify"):
        answer = await review.client.get(path)

        assert answer.status_code == 401, path
        assert answer.json()["code"] == "not-logged-in"


async def test_an_expired_session_is_401(review: ReviewUnderTest, time: Time) -> None:
    site = await review.desk("site")

    time.passes(minutes=61)
    answer = await site.get("/reviews")

    assert answer.status_code == 401


async def test_a_write_with_a_wrong_csrf_token_is_403_and_does_nothing(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    site.csrf = "wrong"

    answer = await site.claim()

    assert answer.status_code == 403
    assert answer.json()["code"] == "csrf-token-wrong"
    assert await review.rows("SELECT 1 FROM reviews WHERE claimed_by IS NOT NULL") == []


async def test_after_logging_out_the_token_is_worth_nothing(review: ReviewUnderTest) -> None:
    site = await review.desk("site")
    token = site.client.cookies["baoshen_staff"]

    answer = await site.delete("/staff/session")
    again = await site.delete("/staff/session")
    site.client.cookies.set("baoshen_staff", token, domain="127.0.0.1")
    after = await site.get("/reviews")

    assert (answer.status_code, again.status_code, after.status_code) == (204, 204, 401)


async def test_a_closed_account_stops_at_the_next_call(review: ReviewUnderTest) -> None:
    site = await review.desk("site")

    await review.execute("UPDATE staff SET active = false WHERE login = 'site'")
    answer = await site.get("/reviews")
    login = await review.client.post("/staff/session", json={"login": "site", "password": PASSWORD})

    assert answer.status_code == 403
    assert answer.json()["code"] == "account-closed"
    assert login.status_code == 401


async def test_a_role_that_was_taken_away_stops_the_next_call_even_a_repeated_one(review: ReviewUnderTest) -> None:
    await review.decided()
    admin = await review.desk("admin")
    key = str(uuid4())
    body = {"region": "15", "year": 2021}
    first = await admin.post("/publications", body, key=key)

    await review.execute("UPDATE staff SET role = 'site_reviewer', site = '1501' WHERE login = 'admin'")
    again = await admin.post("/publications", body, key=key)

    assert (first.status_code, again.status_code) == (201, 403)


async def test_the_gateway_learns_on_whose_behalf_it_asks(review: ReviewUnderTest, review_settings: Settings) -> None:
    site = await review.desk("site")

    answer = await site.get("/staff/identity", audience="notify")

    assert answer.status_code == 204
    edge = review.service.app.state.edge
    public = edge.signer._key.public_key().public_bytes_raw()
    identity = IdentityChecker("notify", {"review": base64.b64encode(public).decode()}).check(answer.headers[HEADER])
    assert (identity.kind, identity.subject) == ("staff", str(site.staff_id))


async def test_the_gateway_gets_no_identity_for_a_write_without_the_token(review: ReviewUnderTest) -> None:
    site = await review.desk("site")
    path = "/staff/identity?audience=notify"

    without = await site.client.get(path, headers={"X-Forwarded-Method": "POST"})
    with_it = await site.client.get(path, headers={"X-Forwarded-Method": "POST", "X-CSRF-Token": site.csrf})
    elsewhere = await site.client.get("/staff/identity?audience=bank")

    assert (without.status_code, with_it.status_code, elsewhere.status_code) == (403, 204, 422)


def an_account(**more: object) -> StaffAccount:
    values = {
        "login": "new", "password": "long-enough", "display_name": "新审核员", "role": "site_reviewer",
        "region": "15", "site": "1501",
    }  # fmt: skip
    return StaffAccount.model_validate(values | more)


async def test_an_imported_account_can_log_in_and_importing_again_changes_it(review: ReviewUnderTest) -> None:
    async with review.service.sessions.begin() as session:
        await import_staff(session, [an_account()])
    credentials = {"login": "new", "password": "long-enough"}
    first = await review.client.post("/staff/session", json=credentials)

    async with review.service.sessions.begin() as session:
        count = await import_staff(session, [an_account(role="region_admin", site=None)])
    now = await review.client.get("/staff/session")

    assert (first.status_code, count) == (201, 1)
    assert (now.json()["role"], now.json()["site"]) == ("region_admin", None)


async def test_a_new_password_ends_the_sessions_that_the_old_one_opened(review: ReviewUnderTest) -> None:
    async with review.service.sessions.begin() as session:
        await import_staff(session, [an_account()])
    await review.client.post("/staff/session", json={"login": "new", "password": "long-enough"})

    async with review.service.sessions.begin() as session:
        await import_staff(session, [an_account(password="another-one")])

    assert (await review.client.get("/staff/session")).status_code == 401


async def test_an_imported_account_of_the_nation_has_no_region_and_is_in_the_audit_trail(
    review: ReviewUnderTest,
) -> None:
    operator = an_account(role="national_operator", region=None, site=None)

    async with review.service.sessions.begin() as session:
        await import_staff(session, [operator, an_account(login="watch", role="auditor", region=None, site=None)])
    answer = await review.client.post("/staff/session", json={"login": "new", "password": "long-enough"})

    assert (answer.json()["role"], answer.json()["region"]) == ("national_operator", None)
    lines = await lines_of(review, "account_imported")
    assert [(line["staff_id"], line["detail"]["role"], line["detail"]["new"]) for line in lines] == [
        (None, "national_operator", True),
        (None, "auditor", True),
    ]
    assert "long-enough" not in str(lines)


async def test_importing_an_account_again_takes_its_second_factor_off_when_the_file_says_so(
    review: ReviewUnderTest,
) -> None:
    async with review.service.sessions.begin() as session:
        await import_staff(session, [an_account(login="site", password=PASSWORD)])
    site = await review.desk("site")
    await enrol(site)

    async with review.service.sessions.begin() as session:
        await import_staff(session, [an_account(login="site", password=PASSWORD)])
    kept = await site.get("/staff/session")
    async with review.service.sessions.begin() as session:
        await import_staff(session, [an_account(login="site", password=PASSWORD, reset_second_factor=True)])
    gone = await site.get("/staff/session")

    assert (kept.json()["second_factor"], gone.status_code) == (True, 401)


async def test_an_imported_account_that_goes_over_to_an_identity_provider_loses_its_password(
    review: ReviewUnderTest,
) -> None:
    credentials = {"login": "new", "password": "long-enough"}
    async with review.service.sessions.begin() as session:
        await import_staff(session, [an_account()])
    await review.client.post("/staff/session", json=credentials)

    async with review.service.sessions.begin() as session:
        account = an_account(password=None, oidc_issuer="https://id.example", oidc_subject="4711")
        await import_staff(session, [account])

    assert (await review.client.get("/staff/session")).status_code == 401
    assert (await review.client.post("/staff/session", json=credentials)).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"site": None},
        {"role": "region_reviewer"},
        {"role": "region_admin", "region": None, "site": None},
        {"role": "national_operator", "site": None},
        {"role": "king"},
        {"login": "a b"},
        {"password": "short"},
        {"password": None},
        {"oidc_subject": "4711"},
    ],
)
def test_an_account_that_makes_no_sense_is_refused_without_quoting_the_password(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        an_account(**wrong)

    assert "long-enough" not in str(caught.value)
    assert "short" not in str(caught.value).replace("string_too_short", "")
