"""Logging in through an identity provider, a real one on loopback; and every way in which it, or somebody, may lie."""

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from pydantic import ValidationError

from services.review import identity_provider
from services.review.accounts import StaffAccount, import_staff
from services.review.identity_provider import IdentityProvider
from services.review.main import build
from services.review.settings import Settings
from tests.review.conftest import ORIGIN, ReviewUnderTest, Time
from tests.review.factors import lines_of
from tests.review.provider import SUBJECT, Provider, a_provider

CLIENT, SECRET = "baoshen", "between-us"


@pytest.fixture(scope="module")
def running_provider() -> Iterator[Provider]:
    with a_provider() as provider:
        yield provider


@pytest.fixture
def provider(running_provider: Provider) -> Provider:
    running_provider.lies()
    return running_provider


def ours(review: ReviewUnderTest, issuer: str, secret: str = SECRET) -> IdentityProvider:
    return IdentityProvider(issuer, CLIENT, secret, "单位登录", f"{ORIGIN}/staff/oidc/callback", review.key_ring)


@pytest_asyncio.fixture
async def joined(review: ReviewUnderTest, provider: Provider) -> AsyncIterator[ReviewUnderTest]:
    """Review with an identity provider, which everybody needs who has no second factor; one of its people is ours."""
    state = review.service.app.state
    usual = state.edge
    await review.execute(
        "UPDATE staff SET oidc_issuer = :issuer, oidc_subject = :subject, password_hash = NULL WHERE login = 'site'",
        issuer=provider.issuer,
        subject=SUBJECT,
    )
    async with ours(review, provider.issuer) as own:
        state.edge = replace(usual, provider=own, second_factor_required=True)
        yield review
    state.edge = usual


async def goes(client: httpx.AsyncClient) -> str:
    """Where the button leads."""
    answer = await client.get("/staff/oidc/login")
    assert answer.status_code == 302, answer.text
    return str(answer.headers["location"])


async def comes_back(client: httpx.AsyncClient, address: str) -> str:
    """Where the way back ends."""
    answer = await client.get(address)
    assert answer.status_code == 302, answer.text
    return str(answer.headers["location"])


def problem(code: str) -> str:
    return f"/console/?problem={code}"


async def test_whom_the_provider_knows_is_logged_in_and_its_second_factor_counts(
    joined: ReviewUnderTest, provider: Provider
) -> None:
    client = joined.client

    there = await goes(client)
    ended = await comes_back(client, provider.agrees(there))
    session = await client.get("/staff/session")

    assert ended == "/console/"
    assert (session.json()["staff_id"], session.json()["must_enrol"]) == (str(joined.people["site"]), False)
    assert (await client.get("/reviews")).status_code == 200
    lines = await lines_of(joined, "logged_in")
    assert [(line["outcome"], line["detail"]) for line in lines] == [("done", {"through": "provider"})]


async def test_the_button_s_words_are_told(joined: ReviewUnderTest) -> None:
    answer = await joined.client.get("/staff/login-options")

    assert answer.json() == {"local": True, "oidc": {"name": "单位登录"}}


async def test_state_nonce_and_proof_go_along_and_nothing_of_them_lies_open_in_the_browser(
    joined: ReviewUnderTest, provider: Provider
) -> None:
    answer = await joined.client.get("/staff/oidc/login")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    await comes_back(joined.client, provider.agrees(answer.headers["location"]))

    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=600" in cookie
    assert asked["state"] not in cookie
    assert asked["nonce"] not in cookie
    assert (asked["response_type"], asked["code_challenge_method"], asked["scope"]) == ("code", "S256", "openid")
    sent = provider.token_requests()[-1]
    proof = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    assert proof == asked["code_challenge"]
    assert sent["redirect_uri"] == f"{ORIGIN}/staff/oidc/callback"
    assert base64.b64decode(sent["authorization"].removeprefix("Basic ")).decode() == f"{CLIENT}:{SECRET}"


@pytest.mark.parametrize("state", ["", "another"])
async def test_another_state_is_refused(joined: ReviewUnderTest, provider: Provider, state: str) -> None:
    back = provider.agrees(await goes(joined.client), state=state or "x")

    ended = await comes_back(joined.client, back if state else back.replace("&state=x", ""))

    assert ended == problem("oidc-state-wrong")
    assert (await joined.client.get("/staff/session")).status_code == 401


async def test_a_way_back_in_another_browser_is_refused(joined: ReviewUnderTest, provider: Provider) -> None:
    back = provider.agrees(await goes(joined.client))
    another = await joined.new_client()

    ended = await comes_back(another, back)

    assert ended == problem("oidc-state-wrong")
    assert (await another.get("/staff/session")).status_code == 401


async def test_a_way_back_is_good_once_also_with_the_cookie_that_went_along(
    joined: ReviewUnderTest, provider: Provider
) -> None:
    there = await goes(joined.client)
    kept = joined.client.cookies["baoshen_oidc"]
    back = provider.agrees(there)
    await comes_back(joined.client, back)
    thief = await joined.new_client()
    thief.cookies.set("baoshen_oidc", kept, domain="127.0.0.1")

    again = await comes_back(joined.client, back)
    with_cookie = await comes_back(thief, back)

    assert (again, with_cookie) == (problem("oidc-state-wrong"),) * 2
    assert (await thief.get("/staff/session")).status_code == 401


async def test_of_many_ways_back_at_once_one_counts(joined: ReviewUnderTest, provider: Provider) -> None:
    there = await goes(joined.client)
    kept = joined.client.cookies["baoshen_oidc"]
    back = provider.agrees(there)
    clients = [await joined.new_client() for _ in range(5)]
    for client in clients:
        client.cookies.set("baoshen_oidc", kept, domain="127.0.0.1")

    ends = await asyncio.gather(*(comes_back(client, back) for client in clients))

    assert sorted(ends) == ["/console/"] + [problem("oidc-state-wrong")] * 4


async def test_a_way_back_that_took_too_long_is_refused(
    joined: ReviewUnderTest, provider: Provider, time: Time
) -> None:
    there = await goes(joined.client)

    time.passes(minutes=10, seconds=1)

    assert await comes_back(joined.client, provider.agrees(there)) == problem("oidc-state-wrong")


@pytest.mark.parametrize(
    "kept", ["", "x", "staff-factors.AAAA", "other.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "a.ä"]
)
async def test_a_cookie_that_is_not_ours_is_refused(joined: ReviewUnderTest, provider: Provider, kept: str) -> None:
    back = urlsplit(provider.agrees(await goes(joined.client)))

    answer = await (await joined.new_client()).get(
        f"{back.path}?{back.query}", headers={"Cookie": f"baoshen_oidc={kept}".encode()}
    )

    assert answer.headers["location"] == problem("oidc-state-wrong")


@pytest.mark.parametrize(
    "lie",
    [
        {"aud": "another-client"},
        {"aud": ["another-client"]},
        {"aud": [CLIENT, "another-client"]},
        {"iss": "http://localhost:1"},
        {"exp": 1},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"other_key": True},
        {"algorithm": "none"},
        {"algorithm": "HS256"},
        {"status": 400},
    ],
    ids=str,
)
async def test_a_token_that_can_t_be_trusted_lets_nobody_in(
    joined: ReviewUnderTest, provider: Provider, lie: dict[str, Any]
) -> None:
    there = await goes(joined.client)
    provider.lies(**lie)

    ended = await comes_back(joined.client, provider.agrees(there))

    assert ended == problem("oidc-refused")
    assert (await joined.client.get("/staff/session")).status_code == 401
    lines = await lines_of(joined, "logged_in")
    assert [(line["outcome"], line["staff_id"], line["detail"]) for line in lines] == [
        ("refused", None, {"wrong": "oidc-refused"})
    ]


async def test_new_keys_of_the_provider_are_fetched_when_an_old_one_does_not_fit(
    joined: ReviewUnderTest, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await comes_back(joined.client, provider.agrees(await goes(joined.client)))
    provider.lies(other_key=True, new_keys=True)

    at_once = await comes_back(joined.client, provider.agrees(await goes(joined.client)))
    monkeypatch.setattr(identity_provider, "_ASK_AGAIN_AFTER_S", 0)
    later = await comes_back(joined.client, provider.agrees(await goes(joined.client)))

    assert (at_once, later) == (problem("oidc-refused"), "/console/")


async def test_a_nonce_that_was_changed_on_the_way_there_is_refused(
    joined: ReviewUnderTest, provider: Provider
) -> None:
    back = provider.agrees(await goes(joined.client), nonce="planted")

    assert await comes_back(joined.client, back) == problem("oidc-refused")


async def test_a_code_that_is_none_is_refused(joined: ReviewUnderTest, provider: Provider) -> None:
    back = provider.agrees(await goes(joined.client))

    ended = await comes_back(joined.client, back.replace("code=", "code=not-"))

    assert ended == problem("oidc-refused")


async def test_who_changes_their_mind_there_is_told_so(joined: ReviewUnderTest) -> None:
    state = parse_qs(urlsplit(await goes(joined.client)).query)["state"][0]

    ended = await comes_back(joined.client, f"/staff/oidc/callback?error=access_denied&state={state}")

    assert ended == problem("oidc-denied")


async def test_nobody_opens_an_account_by_coming(joined: ReviewUnderTest, provider: Provider) -> None:
    back = provider.agrees(await goes(joined.client), subject="somebody-else")

    ended = await comes_back(joined.client, back)

    assert ended == problem("oidc-unknown-account")
    assert await joined.rows("SELECT 1 FROM staff WHERE oidc_subject = 'somebody-else'") == []
    assert "somebody-else" not in str(await joined.rows("SELECT * FROM audit"))


async def test_the_same_subject_of_another_issuer_is_somebody_else(joined: ReviewUnderTest, provider: Provider) -> None:
    await joined.execute("UPDATE staff SET oidc_issuer = 'https://elsewhere.example' WHERE login = 'site'")

    ended = await comes_back(joined.client, provider.agrees(await goes(joined.client)))

    assert ended == problem("oidc-unknown-account")


async def test_a_closed_account_stays_closed(joined: ReviewUnderTest, provider: Provider) -> None:
    await joined.execute("UPDATE staff SET active = false WHERE login = 'site'")

    ended = await comes_back(joined.client, provider.agrees(await goes(joined.client)))

    assert ended == problem("account-closed")


async def test_such_an_account_has_no_password(joined: ReviewUnderTest) -> None:
    answer = await joined.client.post("/staff/session", json={"login": "site", "password": "None"})

    assert (answer.status_code, answer.json()["code"]) == (401, "login-failed")


async def test_a_provider_that_is_down_is_said_to_be_so_before_and_after(joined: ReviewUnderTest) -> None:
    state = joined.service.app.state
    with a_provider() as mortal:
        async with ours(joined, mortal.issuer) as own:
            state.edge = replace(state.edge, provider=own)
            back = mortal.agrees(await goes(joined.client))
            mortal.lies(status=500)
            while_ill = await comes_back(joined.client, back)
            back = mortal.agrees(await goes(joined.client))
            mortal.stop()
            after = await comes_back(joined.client, back)
        async with ours(joined, mortal.issuer) as own:
            state.edge = replace(state.edge, provider=own)
            before = await goes(joined.client)

    assert (while_ill, after, before) == (problem("oidc-unavailable"),) * 3


async def test_a_document_that_speaks_of_another_issuer_is_not_believed(
    joined: ReviewUnderTest, provider: Provider
) -> None:
    state = joined.service.app.state
    async with ours(joined, f"{provider.issuer}/") as own:
        state.edge = replace(state.edge, provider=own)

        ended = await goes(joined.client)

    assert ended == problem("oidc-unavailable")


async def test_without_a_provider_there_is_no_such_way(review: ReviewUnderTest) -> None:
    assert await goes(review.client) == problem("oidc-not-set-up")
    assert await comes_back(review.client, "/staff/oidc/callback?code=a&state=b") == problem("oidc-not-set-up")


async def test_an_address_that_comes_again_and_again_is_told_to_wait(joined: ReviewUnderTest) -> None:
    ends = [await goes(joined.client) for _ in range(61)]

    assert ends[-1] == problem("too-often")
    assert problem("too-often") not in ends[:60]


def test_the_console_has_words_of_its_own_for_whatever_the_way_back_may_end_with() -> None:
    table = Path("docs/accounts.md").read_text(encoding="utf-8").partition("/console/?problem=<code>")[2]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    told = set(re.findall(r"`([a-z-]+)`", " ".join(rows)))

    for file in ("words.login.ts", "words.login.en.ts"):
        words = Path("web/staff/src", file).read_text(encoding="utf-8")
        assert set(re.findall(r"^ +'?problem_([a-z-]+)'?:", words, re.MULTILINE)) == told | {"other"}
    assert {"oidc-refused", "too-often"} < told


async def test_a_client_without_a_secret_names_itself_in_the_body(joined: ReviewUnderTest, provider: Provider) -> None:
    state = joined.service.app.state
    async with ours(joined, provider.issuer, secret="") as own:
        state.edge = replace(state.edge, provider=own)

        ended = await comes_back(joined.client, provider.agrees(await goes(joined.client)))

    assert ended == "/console/"
    assert (provider.token_requests()[-1]["client_id"], provider.token_requests()[-1]["authorization"]) == (CLIENT, "")


async def test_an_administrator_opens_an_account_for_one_of_the_provider_s_people(
    joined: ReviewUnderTest, provider: Provider
) -> None:
    async with joined.service.sessions.begin() as session:
        account = StaffAccount(
            login="chief", display_name="主管", role="region_admin", region="15", oidc_issuer=provider.issuer,
            oidc_subject="chief-1",
        )  # fmt: skip
        await import_staff(session, [account])
    await comes_back(joined.client, provider.agrees(await goes(joined.client), subject="chief-1"))
    csrf = (await joined.client.get("/staff/session")).json()["csrf_token"]
    body = {"login": "new", "display_name": "新同事", "role": "auditor", "oidc_subject": "new-1"}

    answers = [
        await joined.client.post(
            "/staff/members", json=body | more, headers={"X-CSRF-Token": csrf, "Idempotency-Key": f"key-{n}-abcdefgh"}
        )
        for n, more in enumerate(({}, {"login": "new2"}))
    ]
    there = await joined.new_client()
    ended = await comes_back(there, provider.agrees(await goes(there), subject="new-1"))

    assert [answer.status_code for answer in answers] == [201, 409]
    assert ended == "/console/"
    assert (await there.get("/staff/session")).json()["role"] == "auditor"


async def test_the_service_is_put_together_with_the_provider_of_its_environment(review_settings: Settings) -> None:
    given = {"staff_oidc_issuer": "https://id.example", "staff_oidc_client_id": "baoshen", "staff_oidc_name": "登录"}

    service = build(review_settings.model_copy(update=given))

    provider = service.app.state.edge.provider
    assert (provider.issuer, provider.name) == ("https://id.example", "登录")
    await service.engine.dispose()


@pytest.mark.parametrize(
    "wrong",
    [{"staff_oidc_issuer": "http://id.example", "staff_oidc_client_id": "b"}, {"staff_oidc_issuer": "https://a"}],
)
def test_a_provider_over_plain_http_or_without_our_name_is_no_setting(
    review_settings: Settings, wrong: dict[str, str]
) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(review_settings.model_dump() | wrong)
