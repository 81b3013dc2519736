"""What notify hears becomes notices in the inbox, once each, at the right time."""

from datetime import timedelta

import pytest

from shared import clock
from shared.contracts.event import Event
from shared.contracts.notify import NoticeDelivered
from shared.security.sealing import KeyRing
from tests.notify.builders import (
    APPLICATION,
    a_feedback,
    a_publication,
    a_registration,
    a_reopening,
    a_submission,
    now,
    some_rules,
)
from tests.notify.conftest import NotifyUnderTest


@pytest.mark.parametrize(
    ("event", "about", "sms"),
    [
        (a_submission(), "submitted", 0),
        (a_reopening(), "reopened", 1),
        (a_feedback(), "returned", 1),
        (a_publication(), "published", 1),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_an_event_heard_three_times_gives_one_notice_and_at_most_one_sms(
    notify: NotifyUnderTest, key_ring: KeyRing, event: Event, about: str, sms: int
) -> None:
    await notify.hears(a_registration(key_ring))
    await notify.hears(event)
    await notify.hears(event, event)
    await notify.sends()
    await notify.sends()

    inbox = await notify.inbox()

    assert [item["about"] for item in inbox["items"]] == [about]
    assert inbox["unread"] == 1
    assert len(notify.provider.asked) == sms
    assert len(await notify.messages()) == sms


async def test_an_event_that_comes_back_after_the_inbox_forgot_it_gives_no_second_notice(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    feedback = a_feedback()
    await notify.hears(a_registration(key_ring), feedback)
    await notify.sends()

    await notify.execute("DELETE FROM inbox")
    await notify.hears(feedback)
    await notify.sends()

    assert len(await notify.notices()) == 1
    assert len(notify.provider.asked) == 1
    assert [each.channel for each in await notify.tells(NoticeDelivered)] == ["inbox", "sms"]


async def test_the_delivery_is_told_once_for_each_channel(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    feedback = a_feedback(round_no=2)
    await notify.hears(a_registration(key_ring), feedback, a_submission())
    await notify.sends()
    await notify.sends()

    told = await notify.tells(NoticeDelivered)

    assert sorted((each.about, each.channel, each.outcome, each.round) for each in told) == [
        ("returned", "inbox", "delivered", 2),
        ("returned", "sms", "delivered", 2),
        ("submitted", "inbox", "delivered", 1),
    ]
    assert {each.application_no for each in told} == {APPLICATION}


async def test_feedback_shows_its_items_and_words_in_both_languages(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    await notify.hears(a_registration(key_ring), some_rules(), a_feedback("diploma", "degree", words="缺少公章"))

    notice = (await notify.inbox())["items"][0]

    assert "1. 毕业证书：缺少公章" in notice["text"]["zh"]
    assert "2. 学位证书：缺少公章" in notice["text"]["zh"]
    assert "2026 年医师资格考试" in notice["text"]["zh"]
    assert "2. Degree certificate: 缺少公章" in notice["text"]["en"]
    assert notice["title"] == {
        "zh": "材料被退回，请修改后重新提交",
        "en": "Materials returned: please correct and submit again",
    }


async def test_names_come_from_the_version_of_the_submission(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    await notify.hears(a_registration(key_ring), some_rules(exam="旧名"), some_rules(version=2, exam="新名"))
    await notify.hears(a_feedback())
    before = (await notify.inbox())["items"][0]["text"]["zh"]

    await notify.hears(a_submission(pack_version=1))
    after = (await notify.inbox())["items"][1]["text"]["zh"]

    assert before.startswith("新名")
    assert after.startswith("旧名")


async def test_a_notice_can_be_read_before_the_rules_are_known(notify: NotifyUnderTest) -> None:
    await notify.hears(a_feedback("diploma"))

    notice = (await notify.inbox())["items"][0]

    assert notice["text"]["zh"].startswith("医师资格考试：考点在第 1 轮审核中退回")


async def test_a_version_of_the_rules_that_was_heard_is_never_changed(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    await notify.hears(a_registration(key_ring), some_rules(exam="第一"), a_feedback())

    await notify.hears(some_rules(exam="第二"))

    assert (await notify.inbox())["items"][0]["text"]["zh"].startswith("第一")


@pytest.mark.parametrize("cause", ["image_failed", "registration_changed"])
async def test_a_reopening_says_why(notify: NotifyUnderTest, cause: str) -> None:
    await notify.hears(some_rules(), a_reopening(cause=cause))

    notice = (await notify.inbox())["items"][0]

    assert ("图片无法打开" in notice["text"]["zh"]) is (cause == "image_failed")
    assert ("报名信息已变更" in notice["text"]["zh"]) is (cause == "registration_changed")


async def test_a_publication_is_neither_visible_nor_sent_nor_told_before_it_takes_effect(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    await notify.hears(a_registration(key_ring), a_publication(effective_in=timedelta(hours=1)))
    await notify.sends()

    inbox = await notify.inbox()
    notice_id = (await notify.notices())[0]
    read = await notify.client.put(f"/inbox/{notice_id}/read", headers=notify.identity())

    assert (inbox["items"], inbox["unread"], inbox["next"]) == ([], 0, None)
    assert read.status_code == 404
    assert notify.provider.asked == []
    assert await notify.tells(NoticeDelivered) == []


async def test_a_publication_is_seen_and_sent_once_it_takes_effect(
    notify: NotifyUnderTest, key_ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    await notify.hears(a_registration(key_ring), a_publication(opinion="rejected", effective_in=timedelta(hours=1)))
    await notify.sends()

    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(hours=1, seconds=1))
    await notify.sends()
    await notify.sends()

    notice = (await notify.inbox())["items"][0]
    assert notice["text"]["zh"] == "医师资格考试报名终审意见：审核不通过。\n材料齐全"
    assert notify.provider.asked[0][2] == "【医师资格考试报审】考区已公布终审意见，请登录系统查看。"
    assert [each.channel for each in await notify.tells(NoticeDelivered)] == ["inbox", "sms"]
