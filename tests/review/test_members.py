"""The accounts of a region in the hands of its administrator; what is changed counts from the next call on."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.builders.review import a_pack
from tests.review.conftest import Desk, ReviewUnderTest
from tests.review.factors import enrol, lines_of, log_in

NEW: dict[str, Any] = {
    "login": "newcomer",
    "password": "long-enough-1",
    "display_name": "新审核员",
    "role": "site_reviewer",
    "site": "1501",
}


async def listed(desk: Desk, limit: int = 100) -> list[str]:
    """Every login, page by page."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await desk.get("/staff/members", limit=limit, **cursor)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        found += [item["login"] for item in page["items"]]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


async def change(desk: Desk, review: ReviewUnderTest, login: str, **what: Any) -> httpx.Response:
    return await desk.put(f"/staff/members/{review.people[login]}", what)


async def test_an_administrator_sees_the_accounts_of_the_region_page_by_page(review: ReviewUnderTest) -> None:
    admin = await review.desk("admin")

    assert await listed(admin) == ["admin", "othersite", "region", "site", "site2"]
    assert await listed(admin, limit=2) == ["admin", "othersite", "region", "site", "site2"]


@pytest.mark.parametrize("cursor", ["not ours", "äöü", "AA=="])
async def test_a_cursor_that_is_not_ours_is_refused(review: ReviewUnderTest, cursor: str) -> None:
    admin = await review.desk("admin")

    answer = await admin.get("/staff/members", cursor=cursor)

    assert (answer.status_code, answer.json()["code"]) == (422, "cursor-invalid")


@pytest.mark.parametrize("login", ["site", "region", "otherregion"])
async def test_others_neither_see_nor_open_nor_change_accounts(review: ReviewUnderTest, login: str) -> None:
    desk = await review.desk(login)

    answers = [
        await desk.get("/staff/members"),
        await desk.post("/staff/members", NEW),
        await change(desk, review, "site2", active=False),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "role-act")] * 3
    assert len(await lines_of(review, "open_account")) == 1


async def test_an_account_that_was_opened_logs_in_and_is_shown_with_when_it_was_last_there(
    review: ReviewUnderTest,
) -> None:
    await review.hears(a_pack())
    admin = await review.desk("admin")

    opened = await admin.post("/staff/members", NEW)
    before = opened.json()["last_seen_at"]
    session = await log_in(review, "newcomer", password=NEW["password"])
    shown = (await admin.get("/staff/members", limit=2)).json()["items"][1]

    assert (opened.status_code, before) == (201, None)
    assert (session.status_code, session.json()["site"], session.json()["region"]) == (201, "1501", "15")
    assert (shown["login"], shown["active"], shown["second_factor"]) == ("newcomer", True, False)
    assert shown["last_seen_at"] is not None


async def test_opening_twice_under_one_key_opens_once_and_the_password_s_hash_is_not_lying_about(
    review: ReviewUnderTest,
) -> None:
    await review.hears(a_pack())
    admin = await review.desk("admin")
    key = str(uuid4())

    first = await admin.post("/staff/members", NEW, key=key)
    again = await admin.post("/staff/members", NEW, key=key)
    other = await admin.post("/staff/members", NEW | {"password": "another-password"}, key=key)
    taken = await admin.post("/staff/members", NEW)

    assert first.json() == again.json()
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert (taken.status_code, taken.json()["code"]) == (409, "login-taken")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"role": "national_operator", "site": None}, "role-not-of-a-region"),
        ({"site": None}, "site-does-not-fit"),
        ({"role": "region_reviewer"}, "site-does-not-fit"),
        ({"site": "4301"}, "site-not-of-the-region"),
        ({"password": None}, "no-way-in"),
        ({"oidc_subject": "42"}, "no-identity-provider"),
        ({"password": "short"}, "invalid-request"),
        ({"region": "43"}, "invalid-request"),
        ({"display_name": "a\u0000b"}, "invalid-request"),
    ],
)
async def test_an_account_that_does_not_fit_the_region_is_refused(
    review: ReviewUnderTest, wrong: dict[str, Any], code: str
) -> None:
    await review.hears(a_pack())
    admin = await review.desk("admin")

    answer = await admin.post("/staff/members", NEW | wrong)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await review.rows("SELECT 1 FROM staff WHERE login = 'newcomer'") == []


async def test_before_its_rules_a_region_opens_accounts_of_its_own_and_none_of_a_site(review: ReviewUnderTest) -> None:
    admin = await review.desk("admin")

    of_site = await admin.post("/staff/members", NEW)
    moved = await change(admin, review, "site", site="1502")
    of_region = await admin.post("/staff/members", NEW | {"role": "region_reviewer", "site": None})
    await review.hears(a_pack())
    then = await admin.post("/staff/members", NEW | {"login": "newcomer2"})

    assert [(answer.status_code, answer.json()["code"]) for answer in (of_site, moved)] == [
        (409, "region-has-no-rules")
    ] * 2
    assert "请先发布规则" in of_site.json()["detail"]
    assert (of_region.status_code, then.status_code) == (201, 201)


async def test_an_account_of_a_site_that_the_rules_do_not_have_can_still_be_closed(review: ReviewUnderTest) -> None:
    admin = await review.desk("admin")
    before = await change(admin, review, "site", password="a-new-password")
    await review.hears(a_pack())
    await review.execute("UPDATE staff SET site = '1599' WHERE login = 'site'")

    closed = await change(admin, review, "site", active=False)
    again = await change(admin, review, "site", site="1599", active=True)
    elsewhere = await change(admin, review, "site", site="1598")

    assert (before.status_code, closed.status_code, again.status_code) == (200, 200, 200)
    assert (closed.json()["active"], closed.json()["site"]) == (False, "1599")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (422, "site-not-of-the-region")


async def test_a_role_that_is_taken_away_stops_the_next_call(review: ReviewUnderTest) -> None:
    await review.passed()
    region, admin = await review.desk("region"), await review.desk("admin")
    before = await region.claim()

    changed = await change(admin, review, "region", role="auditor")
    after = [await region.claim(), await region.post("/reviews/15012021000001/decisions", {"outcome": "approved"})]

    assert (before.status_code, changed.status_code) == (200, 200)
    assert [answer.status_code for answer in after] == [403, 403]


async def test_another_site_counts_from_the_next_call(review: ReviewUnderTest) -> None:
    await review.has()
    site, admin = await review.desk("site"), await review.desk("admin")
    before = await site.get("/reviews/15012021000001")

    await change(admin, review, "site", site="1502")
    after = await site.get("/reviews/15012021000001")

    assert (before.status_code, after.status_code) == (200, 404)


async def test_an_account_that_is_closed_stops_the_next_call_and_opens_again(review: ReviewUnderTest) -> None:
    site, admin = await review.desk("site"), await review.desk("admin")

    await change(admin, review, "site", active=False)
    closed, login = await site.get("/reviews"), await log_in(review, "site")
    await change(admin, review, "site", active=True)
    opened = await site.get("/reviews")

    assert (closed.status_code, closed.json()["code"]) == (403, "account-closed")
    assert (login.status_code, opened.status_code) == (401, 200)


async def test_a_new_password_ends_the_sessions_of_the_old_one(review: ReviewUnderTest) -> None:
    site, admin = await review.desk("site"), await review.desk("admin")

    await change(admin, review, "site", password="a-new-password")

    assert (await site.get("/reviews")).status_code == 401
    assert (await log_in(review, "site")).status_code == 401
    assert (await log_in(review, "site", password="a-new-password")).status_code == 201


async def test_who_comes_to_the_region_leaves_the_site(review: ReviewUnderTest) -> None:
    await review.hears(a_pack())
    admin = await review.desk("admin")

    up = await change(admin, review, "site", role="region_reviewer")
    down = await change(admin, review, "site", role="site_reviewer")
    down_to = await change(admin, review, "site", role="site_reviewer", site="1502")

    assert (up.json()["role"], up.json()["site"]) == ("region_reviewer", None)
    assert (down.status_code, down.json()["code"]) == (422, "site-does-not-fit")
    assert down_to.json()["site"] == "1502"


async def test_a_second_factor_that_is_reset_is_gone_with_its_sessions(review: ReviewUnderTest) -> None:
    site, admin = await review.desk("site"), await review.desk("admin")
    await enrol(site)

    answer = await change(admin, review, "site", reset_second_factor=True)

    assert answer.json()["second_factor"] is False
    assert (await site.get("/staff/session")).status_code == 401
    assert (await log_in(review, "site")).status_code == 201
    assert await review.rows("SELECT 1 FROM recovery_codes") == []


@pytest.mark.parametrize(
    "what", [{"role": "auditor"}, {"active": False}, {"reset_second_factor": True}, {"password": "a-new-password"}]
)
async def test_nobody_changes_their_own_account(review: ReviewUnderTest, what: dict[str, Any]) -> None:
    admin = await review.desk("admin")

    answer = await change(admin, review, "admin", **what)

    assert (answer.status_code, answer.json()["code"]) == (403, "own-account")
    assert (await admin.get("/staff/session")).json()["role"] == "region_admin"


async def test_another_region_s_account_is_not_there(review: ReviewUnderTest) -> None:
    admin = await review.desk("admin")

    theirs = await change(admin, review, "otherregion", active=False)
    nobody = await admin.put(f"/staff/members/{uuid4()}", {"active": False})

    assert (theirs.status_code, nobody.status_code) == (404, 404)
    assert theirs.json() == nobody.json()
    assert await review.rows("SELECT 1 FROM staff WHERE NOT active") == []


async def test_accounts_that_are_opened_and_changed_are_in_the_audit_trail(review: ReviewUnderTest) -> None:
    await review.hears(a_pack())
    admin = await review.desk("admin")

    await admin.post("/staff/members", NEW)
    await change(admin, review, "site", role="region_reviewer", password="a-new-password")
    await change(admin, review, "site2", reset_second_factor=True)
    await change(admin, review, "othersite", active=True)

    lines = await lines_of(review, "account_opened", "account_changed", "second_factor_reset")
    assert [(line["act"], line["staff_id"], line["region"]) for line in lines] == [
        ("account_opened", admin.staff_id, "15"),
        ("account_changed", admin.staff_id, "15"),
        ("second_factor_reset", admin.staff_id, "15"),
    ]
    assert lines[1]["detail"] == {
        "account": str(review.people["site"]),
        "changed": {"role": ["site_reviewer", "region_reviewer"], "site": ["1501", None], "password": True},
    }
    kept = str(await review.rows("SELECT * FROM audit")) + str(await review.rows("SELECT * FROM idempotency_keys"))
    assert "a-new-password" not in kept
    assert NEW["password"] not in kept
