"""A phone that the candidate changed, and SMS that events have overtaken."""

from datetime import timedelta

import pytest

from shared.contracts.event import Event
from shared.contracts.notify import NoticeDelivered
from shared.security.sealing import KeyRing
from tests.notify.builders import (
    PHONE,
    a_contact,
    a_feedback,
    a_lapse,
    a_near_deadline,
    a_publication,
    a_registration,
    a_reopening,
    a_submission,
    a_withdrawal,
    now,
)
from tests.notify.conftest import NotifyUnderTest

NEW, NEWER, OTHER = "13900000001", "13900000002", "13700000003"


async def sent_to(notify: NotifyUnderTest) -> list[str]:
    await notify.hears(a_feedback())
    await notify.sends()
    return [phone for _, phone, _ in notify.provider.asked]


async def test_a_changed_phone_is_used_from_then_on(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    await notify.hears(a_registration(key_ring))
    await notify.hears(a_contact(key_ring, NEW))

    assert await sent_to(notify) == [NEW]


async def test_a_phone_changed_before_any_registration_is_heard_counts(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    await notify.hears(a_contact(key_ring, NEW))
    first = await sent_to(notify)
    await notify.hears(a_registration(key_ring))

    assert first == [NEW]
    assert await sent_to(notify) == [NEW, NEW]


@pytest.mark.parametrize("order", [(1, 2), (2, 1), (2, 1, 2)])
async def test_the_higher_contact_revision_counts_in_any_order(
    notify: NotifyUnderTest, key_ring: KeyRing, order: tuple[int, ...]
) -> None:
    await notify.hears(a_registration(key_ring))
    for revision in order:
        await notify.hears(a_contact(key_ring, NEWER if revision == 2 else NEW, revision=revision))

    assert await sent_to(notify) == [NEWER]


async def test_two_changes_in_one_batch_leave_the_higher_revision(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    await notify.hears(a_registration(key_ring))
    await notify.hears(a_contact(key_ring, NEWER, revision=2), a_contact(key_ring, NEW, revision=1))

    assert await sent_to(notify) == [NEWER]


async def test_a_registration_with_the_phone_that_was_changed_does_not_undo_it(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    await notify.hears(a_registration(key_ring))
    await notify.hears(a_contact(key_ring, NEW))

    await notify.hears(a_registration(key_ring, revision=2, phone=PHONE))

    assert await sent_to(notify) == [NEW]


async def test_a_registration_with_another_phone_counts_again(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    await notify.hears(a_registration(key_ring))
    await notify.hears(a_contact(key_ring, NEW))

    await notify.hears(a_registration(key_ring, revision=2, phone=OTHER))
    by_registration = await sent_to(notify)
    await notify.hears(a_contact(key_ring, NEWER, revision=2))

    assert by_registration == [OTHER]
    assert await sent_to(notify) == [OTHER, NEWER]


async def test_an_erased_changed_phone_is_not_replaced_by_the_old_one(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    await notify.hears(a_registration(key_ring))
    await notify.hears(a_contact(key_ring, NEW, year=2018))
    key_ring.destroy("99-2018")

    assert await sent_to(notify) == []
    assert (await notify.messages())[0]["failure"] == "erased"


async def test_no_phone_lies_open_in_the_tables(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    await notify.hears(a_registration(key_ring))
    await notify.hears(a_contact(key_ring, NEW))
    await sent_to(notify)

    async with notify.service.sessions() as session:
        connection = await session.connection()
        raw = await connection.exec_driver_sql("SELECT string_agg(a::text, ' ') FROM applications a")
        everything = raw.scalar_one()

    assert NEW not in everything
    assert PHONE not in everything


@pytest.mark.parametrize(
    ("asks", "goes_on"),
    [
        (a_feedback(), a_submission(round_no=2, revision=2)),
        (a_reopening(), a_submission(round_no=2, revision=3)),
        (a_near_deadline(revision=1), a_submission(round_no=2, revision=2)),
        (a_feedback(), a_withdrawal(revision=2)),
        (a_feedback(), a_lapse(revision=1)),
        (a_near_deadline(revision=2), a_lapse(revision=3)),
    ],
    ids=lambda event: f"{event.topic}-{event.revision}",
)
@pytest.mark.parametrize("first", ["asks", "goes_on"])
async def test_an_sms_that_was_overtaken_is_not_sent_and_its_notice_stays(
    notify: NotifyUnderTest, key_ring: KeyRing, asks: Event, goes_on: Event, first: str
) -> None:
    await notify.hears(*((asks, goes_on) if first == "asks" else (goes_on, asks)))
    await notify.hears(a_registration(key_ring))

    await notify.sends()

    statuses = [m["status"] for m in await notify.messages() if m["overtaken_after"] is not None]
    sms = [each.about for each in await notify.tells(NoticeDelivered) if each.channel == "sms"]
    assert statuses == ["superseded"]
    assert len((await notify.inbox())["items"]) == 2
    assert all(about in {"withdrawn", "lapsed"} for about in sms)


@pytest.mark.parametrize(
    ("asks", "before"),
    [
        (a_feedback(round_no=2), a_submission(round_no=2)),
        (a_near_deadline(revision=2), a_withdrawal(revision=2)),
        (a_reopening(), a_submission()),
        (a_publication(), a_submission(round_no=2)),
    ],
    ids=lambda event: event.topic,
)
async def test_an_sms_about_the_present_revision_is_sent(
    notify: NotifyUnderTest, key_ring: KeyRing, asks: Event, before: Event
) -> None:
    await notify.hears(a_registration(key_ring), before, asks)

    await notify.sends()

    assert all(message["status"] == "sent" for message in await notify.messages())


async def test_many_that_were_overtaken_do_not_hold_up_the_one_that_was_not(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    await notify.hears(*(a_feedback() for _ in range(25)))
    await notify.hears(a_submission(round_no=2), a_registration(key_ring))
    await notify.hears(a_feedback(round_no=2))

    await notify.sends()

    assert len(notify.provider.asked) == 1
    assert sorted(str(m["status"]) for m in await notify.messages()) == ["sent"] + ["superseded"] * 25


async def test_a_warning_of_a_deadline_that_is_past_is_not_sent_any_more(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    await notify.hears(a_registration(key_ring), a_near_deadline(deadline=now() - timedelta(minutes=1)))

    await notify.sends()

    assert notify.provider.asked == []
    assert await notify.has_messages("superseded")
    assert [each["about"] for each in (await notify.inbox())["items"]] == ["deadline_near"]
