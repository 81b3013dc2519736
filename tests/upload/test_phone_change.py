"""A new phone number, proven with a code by SMS (attack matrix 14)."""

import asyncio
from uuid import uuid4

import httpx
from sqlalchemy import text

from shared.contracts.event import CodeToSend, Person
from shared.contracts.upload import CodeRequested, ContactChanged
from tests.builders.events import PERSON, a_registration
from tests.upload.conftest import NUMBER, Upload

NEW = "19900000123"


async def _asks(upload: Upload, phone: str = NEW, key: str | None = None) -> httpx.Response:
    headers = upload.writes(**{"Idempotency-Key": key or str(uuid4())})
    return await upload.client.post("/candidate/phone/codes", json={"phone": phone}, headers=headers)


async def _enters(upload: Upload, code_id: str, code: str) -> httpx.Response:
    body = {"code_id": code_id, "code": code}
    return await upload.client.put("/candidate/phone", json=body, headers=upload.writes())


async def _sent(upload: Upload) -> tuple[CodeRequested, CodeToSend]:
    told = (await upload.tells(CodeRequested))[-1]
    return told, upload.keys.open_as(told.sealed, CodeToSend)


async def _a_minute_passes(upload: Upload) -> None:
    async with upload.service.sessions.begin() as session:
        await session.execute(text("UPDATE phone_codes SET requested_at = requested_at - interval '1 minute'"))


async def _changes_to(upload: Upload, phone: str) -> httpx.Response:
    await _a_minute_passes(upload)
    asked = await _asks(upload, phone)
    assert asked.status_code == 202, asked.text
    _, sent = await _sent(upload)
    return await _enters(upload, asked.json()["code_id"], sent.code)


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


async def test_the_code_goes_to_the_new_phone_and_changes_it(upload: Upload) -> None:
    asked = await _asks(upload)
    told, sent = await _sent(upload)
    changed = await _enters(upload, asked.json()["code_id"], sent.code)

    assert (asked.status_code, asked.json()["retry_after_s"]) == (202, 60)
    assert (str(told.code_id), told.application_no) == (asked.json()["code_id"], NUMBER)
    assert sent.phone == NEW
    assert len(sent.code) == 6
    assert (changed.status_code, changed.json()) == (200, {"phone_masked": "199****0123"})
    page = await upload.page()
    assert page["candidate"]["phone_masked"] == "199****0123"
    assert page["timeline"][0]["kind"] == "phone_changed"


async def test_the_new_contact_is_told_sealed_and_its_revision_grows(upload: Upload) -> None:
    await _changes_to(upload, NEW)
    await _changes_to(upload, "19900000124")

    first, second = await upload.tells(ContactChanged)

    assert (first.contact_revision, second.contact_revision) == (1, 2)
    assert upload.keys.open_as(second.sealed, Person) == PERSON.model_copy(update={"phone": "19900000124"})
    assert NEW not in first.model_dump_json()


async def test_open_pages_are_told(upload: Upload) -> None:
    await _changes_to(upload, NEW)

    async with upload.service.sessions() as session:
        kinds = (await session.scalars(text("SELECT kind FROM page_events ORDER BY seq"))).all()

    assert kinds[-1] == "contact_changed"


async def test_a_code_counts_once(upload: Upload) -> None:
    asked = (await _asks(upload)).json()
    _, sent = await _sent(upload)

    answers = await asyncio.gather(*(_enters(upload, asked["code_id"], sent.code) for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]
    assert {a.json()["code"] for a in answers if a.status_code == 400} == {"code-expired"}
    assert len(await upload.tells(ContactChanged)) == 1


async def test_five_wrong_codes_end_it(upload: Upload) -> None:
    asked = (await _asks(upload)).json()
    _, sent = await _sent(upload)

    wrong = [await _enters(upload, asked["code_id"], _wrong(sent.code)) for _ in range(5)]
    right = await _enters(upload, asked["code_id"], sent.code)

    assert [a.json()["code"] for a in wrong] == ["code-wrong"] * 5
    assert [a.json()["tries_left"] for a in wrong] == [4, 3, 2, 1, 0]
    assert (right.status_code, right.json()["code"]) == (400, "code-expired")
    assert await upload.tells(ContactChanged) == []


async def test_a_code_ends_after_ten_minutes(upload: Upload) -> None:
    asked = (await _asks(upload)).json()
    _, sent = await _sent(upload)
    async with upload.service.sessions.begin() as session:
        await session.execute(text("UPDATE phone_codes SET expires_at = expires_at - interval '10 minutes'"))

    late = await _enters(upload, asked["code_id"], sent.code)

    assert (late.status_code, late.json()["code"]) == (400, "code-expired")


async def test_a_newer_code_ends_the_older_one(upload: Upload) -> None:
    old = (await _asks(upload)).json()
    _, sent = await _sent(upload)
    await _a_minute_passes(upload)
    await _asks(upload)

    assert (await _enters(upload, old["code_id"], sent.code)).json()["code"] == "code-expired"


async def test_one_code_a_minute_and_five_a_day(upload: Upload) -> None:
    first, too_soon = await _asks(upload), await _asks(upload)
    for _ in range(4):
        await _a_minute_passes(upload)
        assert (await _asks(upload)).status_code == 202
    await _a_minute_passes(upload)
    sixth = await _asks(upload)

    assert first.status_code == 202
    assert (too_soon.status_code, too_soon.json()["code"]) == (429, "code-too-soon")
    assert 1 <= too_soon.json()["retry_after_s"] <= 61
    assert (sixth.status_code, sixth.json()["code"]) == (429, "code-limit")
    assert len(await upload.tells(CodeRequested)) == 5


async def test_many_requests_at_once_send_one_code(upload: Upload) -> None:
    answers = await asyncio.gather(*(_asks(upload) for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [202] + [429] * 5
    assert len(await upload.tells(CodeRequested)) == 1


async def test_the_same_request_again_sends_nothing_again(upload: Upload) -> None:
    first, again = await _asks(upload, key="one-click-1"), await _asks(upload, key="one-click-1")
    other = await _asks(upload, "19900000124", key="one-click-1")

    assert first.json() == again.json()
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert len(await upload.tells(CodeRequested)) == 1


async def test_what_is_no_phone_or_the_same_one_is_refused(upload: Upload) -> None:
    same, odd = await _asks(upload, PERSON.phone), await _asks(upload, "12345")

    assert (same.status_code, same.json()["code"]) == (422, "phone-unchanged")
    assert (odd.status_code, odd.json()["code"]) == (422, "invalid-request")


async def test_another_candidate_s_code_is_worth_nothing(upload: Upload) -> None:
    asked = (await _asks(upload)).json()
    _, sent = await _sent(upload)
    await upload.has_candidate("2021110002", PERSON.model_copy(update={"id_number": "110101199003070011"}))
    await upload.log_in("2021110002")

    stolen = await _enters(upload, asked["code_id"], sent.code)

    assert (stolen.status_code, stolen.json()["code"]) == (400, "code-expired")


async def test_the_candidate_s_phone_wins_until_the_registration_has_another(upload: Upload) -> None:
    await _changes_to(upload, NEW)
    await upload.hears(a_registration(upload.keys, revision=5))
    same_as_before = (await upload.page())["candidate"]["phone_masked"]
    other = PERSON.model_copy(update={"phone": "19900000999"})
    await upload.hears(a_registration(upload.keys, revision=6, person=other))

    assert same_as_before == "199****0123"
    assert (await upload.page())["candidate"]["phone_masked"] == "199****0999"


async def test_neither_phone_nor_code_lies_open_in_the_database(upload: Upload) -> None:
    await _asks(upload)
    _, sent = await _sent(upload)

    async with upload.service.sessions() as session:
        rows = str((await session.execute(text("SELECT sealed, code_hash, phone_hash FROM phone_codes"))).all())
        saved = str((await session.execute(text("SELECT answer FROM idempotency_keys"))).all())

    assert NEW not in rows + saved
    assert f"'{sent.code}'" not in rows + saved
