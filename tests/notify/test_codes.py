"""A code reaches its phone at once, once, in time, and leaves no trace."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from services.notify.codes import PAUSES_S
from services.notify.sms import SmsAway, SmsRefused
from shared import clock
from shared.contracts.notify import NoticeDelivered
from shared.security.sealing import KeyRing
from tests.harness import record_of
from tests.notify.builders import a_code, a_feedback, a_registration, now
from tests.notify.conftest import NotifyUnderTest

PHONE, CODE = "13912340000", "739105"


async def test_a_code_goes_to_its_phone_and_nobody_needs_the_registration(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    code = a_code(key_ring, CODE, phone=PHONE)
    await notify.hears(code)

    await notify.sends_codes()

    ((reference, phone, text),) = notify.provider.asked
    assert (reference, phone) == (str(code.code_id), PHONE)
    assert f"验证码 {CODE}" in text
    assert [kept["status"] for kept in await notify.kept_codes()] == ["sent"]
    assert await notify.tells(NoticeDelivered) == []
    assert (await notify.inbox())["items"] == []


async def test_heard_three_times_it_is_sent_once(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    code = a_code(key_ring)
    again = code.model_copy(update={"event_id": uuid4()})
    for event in (code, again):
        await notify.hears_records(event.topic, [record_of(event), record_of(event)])
        await notify.sends_codes()

    assert len(notify.provider.asked) == 1


async def test_nothing_of_it_is_kept_in_clear_and_nothing_at_all_once_it_was_sent(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    await notify.hears(a_code(key_ring, CODE, phone=PHONE))
    waiting = str(await notify.kept_codes())
    with capture_logs() as lines:
        await notify.sends_codes()

    assert "ciphertext" in waiting
    assert CODE not in waiting
    assert (await notify.kept_codes())[0]["sealed"] is None
    for trace in (str(lines), str(await notify.kept_codes()), str(await notify.messages())):
        assert CODE not in trace
        assert PHONE not in trace


async def test_after_it_has_expired_it_is_never_sent(
    notify: NotifyUnderTest, key_ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    await notify.hears(a_code(key_ring, lives=timedelta(minutes=10)))
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(minutes=10, seconds=1))

    await notify.sends_codes()

    assert notify.provider.asked == []
    assert [(kept["status"], kept["sealed"]) for kept in await notify.kept_codes()] == [("expired", None)]


async def test_one_that_comes_too_late_is_not_even_kept(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    await notify.hears(a_code(key_ring, lives=timedelta(seconds=-1)))
    await notify.sends_codes()

    assert notify.provider.asked == []
    assert [(kept["status"], kept["sealed"]) for kept in await notify.kept_codes()] == [("expired", None)]


async def test_a_provider_that_is_down_is_tried_a_few_times_under_one_reference(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    notify.provider.breaks = [SmsAway("HTTP 503"), RuntimeError("a bug of the provider's")]
    await notify.hears(a_code(key_ring))

    for _ in range(5):
        await notify.sends_codes()
        await notify.time_passes()

    assert len(notify.provider.asked) == 3
    assert len(set(notify.provider.asked)) == 1
    assert [(kept["status"], kept["tries"]) for kept in await notify.kept_codes()] == [("sent", 3)]


async def test_the_tries_come_to_an_end_and_the_code_is_gone(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    notify.provider.always = SmsAway("HTTP 503")
    await notify.hears(a_code(key_ring))

    for _ in range(len(PAUSES_S) + 5):
        await notify.sends_codes()
        await notify.time_passes()

    assert len(notify.provider.asked) == len(PAUSES_S) + 1
    assert [(kept["status"], kept["sealed"]) for kept in await notify.kept_codes()] == [("failed", None)]
    assert sum(PAUSES_S) < timedelta(minutes=10).total_seconds()


async def test_a_refused_or_erased_code_fails_at_once(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    notify.provider.always = SmsRefused("HTTP 422")
    await notify.hears(a_code(key_ring), a_code(key_ring, year=2017))
    key_ring.destroy("99-2017")

    await notify.sends_codes()

    assert sorted(str(kept["failure"]) for kept in await notify.kept_codes()) == ["erased", "refused: HTTP 422"]
    assert len(notify.provider.asked) == 1


async def test_it_does_not_wait_behind_other_messages(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    await notify.hears(a_registration(key_ring), *(a_feedback() for _ in range(30)))
    await notify.hears(a_code(key_ring, CODE))

    await notify.sends_codes()

    assert [CODE in text for _, _, text in notify.provider.asked] == [True]


async def test_two_senders_at_once_send_each_code_once(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    await notify.hears(*(a_code(key_ring) for _ in range(30)))

    await asyncio.gather(*(notify.sends_codes() for _ in range(4)))
    await notify.sends_codes()

    assert len(notify.provider.asked) == 30
    assert {kept["status"] for kept in await notify.kept_codes()} == {"sent"}


async def test_codes_of_yesterday_are_forgotten(
    notify: NotifyUnderTest, key_ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    await notify.hears(a_code(key_ring))
    await notify.sends_codes()
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(days=2))

    await notify.sends_codes()

    assert await notify.kept_codes() == []
