"""Logging in, and who may write."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from shared.contracts.facts import Facts
from tests.builders.events import PERSON, a_registration, rules_published
from tests.builders.images import a_jpeg
from tests.upload.conftest import NUMBER, Upload


async def test_a_candidate_logs_in_with_the_number_or_the_id_number(upload: Upload) -> None:
    by_number = await upload.log_in(NUMBER)
    by_id_number = await upload.log_in(PERSON.id_number.lower())

    assert (by_number.status_code, by_id_number.status_code) == (201, 201)
    assert by_id_number.json()["application_no"] == NUMBER
    assert "HttpOnly" in by_number.headers["set-cookie"]
    assert "SameSite=strict" in by_number.headers["set-cookie"]


async def test_a_wrong_password_and_an_unknown_login_get_the_same_answer(upload: Upload) -> None:
    wrong = await upload.log_in(NUMBER, "not it")
    unknown = await upload.log_in("2021999999", "not it")

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.json() == unknown.json()


async def test_a_write_without_the_csrf_token_or_from_another_origin_is_refused(upload: Upload) -> None:
    no_token = await upload.client.put(f"/applications/{NUMBER}/items/diploma/images/x", content=a_jpeg())
    wrong = await upload.put("diploma", a_jpeg(), **{"X-CSRF-Token": "0" * 64})
    foreign = await upload.put("diploma", a_jpeg(), Origin="https://evil.example")
    foreign_login = await upload.client.post(
        "/candidate/session", json={"login": NUMBER, "password": "x"}, headers={"Origin": "https://evil.example"}
    )

    assert [a.status_code for a in (no_token, wrong, foreign, foreign_login)] == [403, 403, 403, 403]
    assert wrong.json()["code"] == "csrf-token-wrong"
    assert foreign.json()["code"] == "foreign-origin"


async def test_an_expired_or_ended_session_is_refused(upload: Upload) -> None:
    async with upload.service.sessions.begin() as session:
        await session.execute(
            text("UPDATE sessions SET last_seen_at = last_seen_at - CAST(:idle AS interval)"),
            {"idle": timedelta(hours=3)},
        )
    expired = await upload.put("diploma", a_jpeg())
    await upload.log_in()
    out = await upload.client.delete("/candidate/session", headers=upload.writes())
    after = await upload.client.get(f"/applications/{NUMBER}")

    assert (expired.status_code, expired.json()["code"]) == (401, "not-logged-in")
    assert (out.status_code, after.status_code) == (204, 401)


async def test_logging_in_makes_a_new_token_each_time(upload: Upload) -> None:
    upload.client.cookies.set("baoshen_candidate", "planted")

    answer = await upload.log_in()

    assert answer.status_code == 201
    assert "planted" not in answer.headers["set-cookie"]


async def test_unknown_fields_and_broken_json_are_problems_that_quote_nothing(upload: Upload) -> None:
    unknown = await upload.client.post("/candidate/session", json={"login": "x", "password": "secret", "admin": True})
    broken = await upload.client.post("/candidate/session", content=b"{", headers={"Content-Type": "application/json"})

    assert (unknown.status_code, broken.status_code) == (422, 400)
    assert "secret" not in unknown.text
    assert unknown.headers["content-type"] == "application/problem+json"


async def test_a_newer_registration_replaces_the_facts_and_an_older_one_does_not(upload: Upload) -> None:
    newer = Facts(upgraded_from_junior_college=True, upgrade_entered_on="2016-09-01")

    await upload.hears(a_registration(upload.keys, revision=3, facts=newer))
    await upload.hears(a_registration(upload.keys, revision=2))

    item = await upload.item("junior_college_diploma")
    assert item["required"] is True
    assert item["reason"]["zh"] == "您的本科为专升本，且于2015年9月1日以后升入本科"


async def test_a_draft_follows_the_newest_pack_and_a_submission_keeps_its_own(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.hears(rules_published(version=2))
    in_draft = (await upload.page())["pack"]["version"]
    await upload.submit()
    await upload.hears(rules_published(version=3))

    assert in_draft == 2
    assert (await upload.page())["pack"]["version"] == 2


async def test_personal_data_is_masked_on_the_page_and_sealed_in_the_database(upload: Upload) -> None:
    page = await upload.page()
    async with upload.service.sessions() as session:
        rows = str((await session.execute(text("SELECT * FROM applications"))).all())

    assert page["candidate"] == {
        "name": PERSON.name,
        "id_number_masked": "999***********1238",
        "phone_masked": "199****0001",
    }
    assert PERSON.id_number not in rows
    assert PERSON.phone not in rows
    assert PERSON.name not in rows


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "csrf-token-wrong"),
        ({"X-CSRF-Token": "é"}, "csrf-token-wrong"),
        ({"X-CSRF-Token": "right", "Origin": "https://evil.example"}, "foreign-origin"),
    ],
    ids=["no token", "no ASCII", "another site's page"],
)
async def test_a_write_that_the_gateway_passes_on_is_checked_like_one_of_our_own(
    upload: Upload, headers: dict[str, str], code: str
) -> None:
    sent = {name: upload.csrf if value == "right" else value for name, value in headers.items()}

    answer = await upload.client.get(
        "/candidate/identity",
        params={"audience": "notify"},
        headers={name: value.encode() for name, value in (sent | {"X-Forwarded-Method": "PUT"}).items()},
    )

    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert "X-Baoshen-Identity" not in answer.headers
