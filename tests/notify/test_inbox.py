"""The inbox over HTTP: whose it is, page by page, and what has been read."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.security.identity import HEADER, Identity, IdentityChecker, IdentitySigner
from tests.notify.builders import APPLICATION, OTHER_APPLICATION, a_feedback, a_submission, now
from tests.notify.conftest import NotifyUnderTest, key_pair

SOME_ID = UUID("8a9fee61-75d6-4828-8e3e-7146e68697f7")  # the same in every worker

PROBLEM = "application/problem+json"


def seed_of(signer: IdentitySigner) -> Ed25519PrivateKey:
    return signer._key


def claims(**changed: object) -> dict[str, object]:
    at = datetime.now(UTC)
    return {
        "iss": "upload",
        "aud": "notify",
        "sub": APPLICATION,
        "kind": "candidate",
        "iat": at,
        "exp": at + timedelta(seconds=30),
    } | changed


FORGERIES: dict[str, Callable[[NotifyUnderTest], str | None]] = {
    "missing": lambda _: None,
    "no token": lambda _: "candidate " + APPLICATION,
    "signed by a stranger": lambda _: IdentitySigner("upload", key_pair()[0]).sign(
        Identity("candidate", APPLICATION), "notify"
    ),
    "an unknown issuer": lambda it: jwt.encode(claims(iss="gateway"), seed_of(it.upload_signer), algorithm="EdDSA"),
    "another audience": lambda it: it.upload_signer.sign(Identity("candidate", APPLICATION), "review"),
    "expired": lambda it: jwt.encode(
        claims(exp=datetime.now(UTC) - timedelta(seconds=10)), seed_of(it.upload_signer), algorithm="EdDSA"
    ),
    "not signed": lambda _: jwt.encode(claims(), "", algorithm="none"),
    "upload speaking for staff": lambda it: it.upload_signer.sign(Identity("staff", APPLICATION), "notify"),
    "changed after signing": lambda it: _with_subject(
        it.upload_signer.sign(Identity("candidate", APPLICATION), "notify"), OTHER_APPLICATION
    ),
}


def _with_subject(token: str, subject: str) -> str:
    head, body, signature = token.split(".")
    plain = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode().replace(APPLICATION, subject)
    return ".".join((head, base64.urlsafe_b64encode(plain.encode()).decode().rstrip("="), signature))


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_an_identity_that_is_not_to_be_trusted_is_refused(notify: NotifyUnderTest, forgery: str) -> None:
    await notify.hears(a_feedback())
    header = FORGERIES[forgery](notify)
    headers = {HEADER: header} if header else {}

    read = await notify.client.get("/inbox", headers=headers)
    write = await notify.client.put(f"/inbox/{(await notify.notices())[0]}/read", headers=headers)

    assert (read.status_code, write.status_code) == (401, 401)
    assert read.headers["content-type"] == PROBLEM
    assert read.json()["code"] == "not-logged-in"
    assert (await notify.inbox())["unread"] == 1


async def test_staff_have_no_inbox_even_where_review_is_trusted(notify: NotifyUnderTest) -> None:
    seed, public = key_pair()
    app = notify.service.app
    before = app.state.edge
    app.state.edge = replace(before, identities=IdentityChecker("notify", {"review": public}))
    try:
        answer = await notify.client.get(
            "/inbox", headers={HEADER: IdentitySigner("review", seed).sign(Identity("staff", APPLICATION), "notify")}
        )
    finally:
        app.state.edge = before

    assert (answer.status_code, answer.json()["code"]) == (403, "candidates-only")


async def test_another_candidates_notices_are_not_there(notify: NotifyUnderTest) -> None:
    await notify.hears(a_feedback(application_no=OTHER_APPLICATION))
    theirs = (await notify.notices())[0]

    inbox = await notify.inbox()
    read = await notify.client.put(f"/inbox/{theirs}/read", headers=notify.identity())

    assert (inbox["items"], inbox["unread"]) == ([], 0)
    assert (read.status_code, read.json()["code"]) == (404, "notice-not-found")
    assert (await notify.inbox(OTHER_APPLICATION))["unread"] == 1


async def test_a_notice_is_read_once_and_reading_it_again_changes_nothing(notify: NotifyUnderTest) -> None:
    await notify.hears(a_feedback(), a_submission())
    first = (await notify.inbox())["items"][0]

    answers = [
        await notify.client.put(f"/inbox/{first['notice_id']}/read", headers=notify.identity()) for _ in range(2)
    ]

    inbox = await notify.inbox()
    assert [answer.status_code for answer in answers] == [204, 204]
    assert inbox["unread"] == 1
    assert {item["notice_id"]: item["read"] for item in inbox["items"]}[first["notice_id"]] is True


async def test_pages_are_newest_first_and_miss_nothing_though_new_notices_come(notify: NotifyUnderTest) -> None:
    start = now()
    # Pairs at the same moment: the place in the inbox must tell them apart.
    await notify.hears(*(a_feedback(round_no=n + 1, at=start + timedelta(minutes=n // 2)) for n in range(8)))
    pages = [await notify.inbox(limit=3)]
    await notify.hears(a_feedback(round_no=9, at=start + timedelta(hours=1)))

    while pages[-1]["next"]:
        pages.append(await notify.inbox(limit=3, cursor=pages[-1]["next"]))

    items = [item for page in pages for item in page["items"]]
    times = [item["at"] for item in items]
    assert [len(page["items"]) for page in pages] == [3, 3, 2]
    assert len({item["notice_id"] for item in items}) == 8
    assert times == sorted(times, reverse=True)
    assert pages[0]["unread"] == 8


async def test_a_full_last_page_has_no_next(notify: NotifyUnderTest) -> None:
    await notify.hears(a_feedback(), a_submission())

    page = await notify.inbox(limit=2)

    assert (len(page["items"]), page["next"]) == (2, None)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "?",
        "Ω",
        base64.urlsafe_b64encode(b"no place").decode(),
        base64.urlsafe_b64encode(f"2026-01-01T00:00:00 {SOME_ID}".encode()).decode(),
        base64.urlsafe_b64encode(f"0001-01-01T00:00:00+23:59 {SOME_ID}".encode()).decode(),
        base64.urlsafe_b64encode(f"9999-12-31T23:59:59-23:59 {SOME_ID}".encode()).decode(),
        base64.urlsafe_b64encode(b"2026-01-01T00:00:00+00:00 ' OR 1=1 --").decode(),
        "A" * 500,
    ],
)
async def test_a_cursor_that_is_not_ours_is_refused(notify: NotifyUnderTest, cursor: str) -> None:
    answer = await notify.client.get("/inbox", params={"cursor": cursor}, headers=notify.identity())

    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM


@pytest.mark.parametrize("limit", ["0", "51", "-1", "many", "99999999999999999999"])
async def test_a_page_has_between_one_and_fifty_notices(notify: NotifyUnderTest, limit: str) -> None:
    answer = await notify.client.get("/inbox", params={"limit": limit}, headers=notify.identity())

    assert answer.status_code == 422


@pytest.mark.parametrize("notice_id", ["x", "1", "%00", "../inbox"])
async def test_a_notice_id_that_is_none_is_refused(notify: NotifyUnderTest, notice_id: str) -> None:
    answer = await notify.client.put(f"/inbox/{notice_id}/read", headers=notify.identity())

    assert answer.status_code in {404, 405, 422}
    assert answer.headers["content-type"] == PROBLEM


async def test_the_openapi_document_names_the_inbox_and_no_health_pages(notify: NotifyUnderTest) -> None:
    document = (await notify.client.get("/openapi.json")).json()

    assert sorted(document["paths"]) == ["/inbox", "/inbox/{notice_id}/read"]


async def test_the_document_names_the_problems_that_one_must_expect(notify: NotifyUnderTest) -> None:
    paths = notify.service.app.openapi()["paths"]

    for operation in (paths["/inbox"]["get"], paths["/inbox/{notice_id}/read"]["put"]):
        for status in ("401", "403", "404", "422", "503"):
            assert PROBLEM in operation["responses"][status]["content"]
