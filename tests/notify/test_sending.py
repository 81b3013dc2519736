"""Each SMS goes out once, whatever happens to the provider, the order of events, or the process."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from services.notify import use_cases
from services.notify.domain import MOST_TRIES, pause_after
from services.notify.sms import SmsAway, SmsRefused
from shared.contracts.notify import NoticeDelivered
from shared.security.sealing import KeyRing
from tests.notify.builders import (
    ID_NUMBER,
    NAME,
    OTHER_APPLICATION,
    PHONE,
    a_feedback,
    a_registration,
    some_rules,
)
from tests.notify.conftest import NotifyUnderTest


async def test_feedback_before_the_registration_waits_for_the_contact(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    await notify.hears(a_feedback())
    await notify.sends()
    waiting = (await notify.messages())[0]

    await notify.hears(a_registration(key_ring))
    await notify.sends()

    assert (waiting["status"], waiting["tries"]) == ("pending", 0)
    assert [phone for _, phone, _ in notify.provider.asked] == [PHONE]
    assert (await notify.messages())[0]["status"] == "sent"


async def test_the_contact_of_the_higher_registration_revision_is_used_in_any_order(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    newest = a_registration(key_ring, revision=3, phone="13900000003")
    await notify.hears(a_registration(key_ring, revision=1), newest, a_registration(key_ring, revision=2))
    await notify.hears(a_registration(key_ring, revision=2, phone="13900000002"))
    await notify.hears(a_feedback())

    await notify.sends()

    assert [phone for _, phone, _ in notify.provider.asked] == ["13900000003"]


async def test_the_contact_is_kept_sealed_until_the_moment_of_sending(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    await notify.hears(a_registration(key_ring), a_feedback())
    await notify.sends()

    async with notify.service.sessions() as session:
        connection = await session.connection()
        raw = await connection.exec_driver_sql(
            "SELECT (SELECT string_agg(a::text, ' ') FROM applications a)"
            " || (SELECT string_agg(m::text, ' ') FROM messages m) || (SELECT string_agg(n::text, ' ') FROM notices n)"
        )
        everything = raw.scalar_one()

    assert PHONE not in everything
    assert NAME not in everything
    assert ID_NUMBER not in everything


async def test_the_sms_names_the_items_but_not_the_words(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    await notify.hears(a_registration(key_ring), some_rules(), a_feedback("diploma", "degree", words="缺少公章"))

    await notify.sends()

    sent = notify.provider.asked[0][2]
    assert sent == "【医师资格考试报审】第1轮审核需修改：毕业证书、学位证书。请登录系统查看审核意见并重新提交。"


async def test_a_provider_that_is_down_is_tried_again_and_one_message_goes_out(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    notify.provider.breaks = [SmsAway("ConnectError"), SmsAway("HTTP 503"), RuntimeError("a bug of the provider's")]
    await notify.hears(a_registration(key_ring), a_feedback())

    for _ in range(6):
        await notify.sends()
        await notify.time_passes()

    assert len(notify.provider.asked) == 4
    assert len({reference for reference, _, _ in notify.provider.asked}) == 1
    assert len(notify.provider.kept) == 1
    assert [(m["status"], m["tries"]) for m in await notify.messages()] == [("sent", 4)]
    assert [t.outcome for t in await notify.tells(NoticeDelivered) if t.channel == "sms"] == ["delivered"]


async def test_between_two_tries_there_is_a_pause(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    notify.provider.always = SmsAway("HTTP 503")
    await notify.hears(a_registration(key_ring), a_feedback())

    for _ in range(5):
        await notify.sends()

    # The second try comes at once, the third after five seconds.
    assert len(notify.provider.asked) == 2


async def test_after_the_last_try_the_failure_is_told_once(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    notify.provider.always = SmsAway("HTTP 503")
    await notify.hears(a_registration(key_ring), a_feedback())
    await notify.execute(f"UPDATE messages SET tries = {MOST_TRIES - 2}")

    for _ in range(4):
        await notify.sends()
        await notify.time_passes()

    message = (await notify.messages())[0]
    assert (message["status"], message["tries"], message["failure"]) == ("failed", MOST_TRIES, "HTTP 503")
    assert len(notify.provider.asked) == 2
    assert [t.outcome for t in await notify.tells(NoticeDelivered) if t.channel == "sms"] == ["failed"]


def test_the_pauses_grow_to_300_seconds_and_end_after_48_tries() -> None:
    pauses = [pause_after(tries) for tries in range(1, MOST_TRIES + 1)]

    assert pauses[:4] == [timedelta(), timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=20)]
    assert max(pause for pause in pauses if pause is not None) == timedelta(seconds=300)
    assert pauses[-2] == timedelta(seconds=300)
    assert pauses[-1] is None


async def test_a_message_that_the_provider_refuses_is_not_tried_again(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    notify.provider.always = SmsRefused("HTTP 422")
    await notify.hears(a_registration(key_ring), a_feedback())

    await notify.sends()
    await notify.time_passes()
    await notify.sends()

    assert len(notify.provider.asked) == 1
    assert (await notify.messages())[0]["failure"] == "refused: HTTP 422"
    assert [t.outcome for t in await notify.tells(NoticeDelivered) if t.channel == "sms"] == ["failed"]


async def test_an_erased_contact_fails_and_is_told_without_asking_the_provider(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    await notify.hears(a_registration(key_ring, year=2019), a_feedback())
    key_ring.destroy("99-2019")

    await notify.sends()

    assert notify.provider.asked == []
    assert (await notify.messages())[0]["failure"] == "erased"
    assert [t.outcome for t in await notify.tells(NoticeDelivered) if t.channel == "sms"] == ["failed"]


async def test_a_contact_that_was_tampered_with_fails_and_others_go_out(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    await notify.hears(a_registration(key_ring), a_registration(key_ring, application_no=OTHER_APPLICATION))
    await notify.hears(a_feedback(), a_feedback(application_no=OTHER_APPLICATION))
    await notify.execute(
        "UPDATE applications SET sealed = jsonb_set(sealed, '{key_id}', '\"99-2099\"') "
        f"WHERE application_no = '{OTHER_APPLICATION}'"
    )
    key_ring.seal("99", 2099, key_ring.open(a_registration(key_ring).sealed))

    await notify.sends()

    assert sorted(str(m["failure"]) for m in await notify.messages()) == ["None", "unreadable"]
    assert len(notify.provider.asked) == 1


async def test_no_database_session_is_held_while_the_provider_thinks(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    held: list[int] = []

    async def look() -> None:
        await asyncio.sleep(0.05)
        held.append(notify.service.engine.pool.checkedout())  # type: ignore[attr-defined]

    notify.provider.meanwhile = look
    await notify.hears(a_registration(key_ring), a_feedback())

    await notify.sends()

    assert held == [0]


async def test_two_senders_at_once_send_each_message_once(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    numbers = [f"20261100{n:05d}" for n in range(40)]
    await notify.hears(*(a_registration(key_ring, application_no=number) for number in numbers))
    await notify.hears(*(a_feedback(application_no=number) for number in numbers))

    await asyncio.gather(*(notify.sender.send_due() for _ in range(4)))
    await notify.sends()

    assert len(notify.provider.asked) == 40
    assert {m["status"] for m in await notify.messages()} == {"sent"}
    assert len([t for t in await notify.tells(NoticeDelivered) if t.channel == "sms"]) == 40


async def test_a_try_that_is_under_way_is_not_overtaken(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    notify.provider.meanwhile = notify.sender.send_due
    await notify.hears(a_registration(key_ring), a_feedback())

    await notify.sends()

    assert len(notify.provider.asked) == 1


async def test_two_tries_that_both_reach_the_provider_are_told_as_one_delivery(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    async def lease_ends_meanwhile() -> None:
        notify.provider.meanwhile = None
        await notify.time_passes()
        await notify.sender.send_due()

    notify.provider.meanwhile = lease_ends_meanwhile
    await notify.hears(a_registration(key_ring), a_feedback())

    await notify.sends()

    assert len(notify.provider.asked) == 2
    assert len(notify.provider.kept) == 1
    assert [t.outcome for t in await notify.tells(NoticeDelivered) if t.channel == "sms"] == ["delivered"]


async def test_an_outcome_that_cannot_be_marked_is_sent_again_under_the_same_reference_and_text(
    notify: NotifyUnderTest, key_ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise OSError("the database went away")

    await notify.hears(a_registration(key_ring), a_feedback())
    with monkeypatch.context() as broken:
        broken.setattr(use_cases, "mark_sent", away)
        await notify.sends()
    between = (await notify.messages())[0]["status"]

    await notify.hears(some_rules())  # would give the SMS another text
    await notify.time_passes()
    await notify.sends()

    assert between == "sending"
    assert len(notify.provider.asked) == 2
    assert len(set(notify.provider.asked)) == 1
    assert UUID(notify.provider.asked[0][0]) == (await notify.notices())[0]
    assert (await notify.messages())[0]["status"] == "sent"
