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
    a_lapse,
    a_near_deadline,
    a_publication,
    a_registration,
    a_reopening,
    a_submission,
    a_withdrawal,
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
        (a_withdrawal(), "withdrawn", 1),
        (a_near_deadline(), "deadline_near", 1),
        (a_lapse(), "lapsed", 1),
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


async def test_a_near_deadline_is_said_in_beijing_time(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    await notify.hears(a_registration(key_ring), some_rules(), a_near_deadline(hours=2))
    await notify.sends()

    notice = (await notify.inbox())["items"][0]

    assert notice["title"]["zh"] == "距截止不足 2 小时，请尽快提交"
    assert "北京时间 2096-03-01 17:00 截止" in notice["text"]["zh"]
    assert "2096-03-01 17:00 Beijing time" in notice["text"]["en"]
    assert "北京时间3月1日17:00截止" in notify.provider.asked[0][2]


@pytest.mark.parametrize(
    ("was", "said"), [("draft", "您未提交材料"), ("returned", "未重新提交需修改"), ("withdrawn", "撤回后未重新提交")]
)
async def test_a_lapse_says_what_was_not_done_and_whom_to_ask(
    notify: NotifyUnderTest, key_ring: KeyRing, was: str, said: str
) -> None:
    office = {"office": {"zh": "考区办公室", "en": "Office"}, "phone": "0471-0000001"}
    await notify.hears(a_registration(key_ring), some_rules(contact=office), a_lapse(was=was))

    text = (await notify.inbox())["items"][0]["text"]["zh"]

    assert said in text
    assert "0471-0000001" in text


async def test_a_changed_registration_without_items_is_told_all_the_same(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    await notify.hears(a_registration(key_ring), some_rules(), a_reopening(cause="registration_changed"))
    await notify.sends()

    text = (await notify.inbox())["items"][0]["text"]["zh"]

    assert "\n\n" not in text
    assert "重新提交" in text
    assert len(notify.provider.asked) == 1


async def test_the_region_s_own_words_are_used_in_inbox_and_sms(notify: NotifyUnderTest, key_ring: KeyRing) -> None:
    messages = {
        "returned": {
            "inbox": {"zh": "{region}{site}：第{round}轮退回{items}，请于{deadline}前更换。", "en": "{site}: {items}."},
            "sms": "第{round}轮退回：{items}，请更换。",
        }
    }
    windows = {"review": {"opens": "2026-02-01T09:00:00", "closes": "2026-02-05T17:00:00"}}
    await notify.hears(a_registration(key_ring), some_rules(messages=messages, windows=windows))
    await notify.hears(a_feedback("diploma", "degree", words="缺少公章"))
    await notify.sends()

    text = (await notify.inbox())["items"][0]["text"]

    assert text["zh"].startswith("样本考区样本考点：第1轮退回毕业证书、学位证书，请于2026-02-05 17:00前更换。\n")
    assert "1. 毕业证书：缺少公章" in text["zh"]
    assert text["en"].startswith("Sample site: Diploma, Degree certificate.\n")
    assert notify.provider.asked[0][2] == "【医师资格考试报审】第1轮退回：毕业证书、学位证书，请更换。"


BROKEN = [
    "{nobody}请更换", "{deadline}前", "{", "{exam.zh}", "{exam!r:>99999}", "}{", "长" * 61, "{items}" + "长" * 58,
]  # fmt: skip


@pytest.mark.parametrize("words", BROKEN, ids=lambda words: words[:16].encode("ascii", "ignore").decode() or "long")
async def test_words_that_can_not_be_filled_in_never_stop_a_message(
    notify: NotifyUnderTest, key_ring: KeyRing, words: str
) -> None:
    broken = {"inbox": {"zh": words + "{nobody}", "en": words}, "sms": words}
    await notify.hears(a_registration(key_ring), some_rules(messages={"returned": broken}), a_feedback())
    await notify.sends()

    text = (await notify.inbox())["items"][0]["text"]["zh"]

    assert text.startswith("2026 年医师资格考试：考点在第 1 轮审核中退回")
    ours = "【医师资格考试报审】第1轮审核需修改：毕业证书。请登录系统查看审核意见并重新提交。"
    assert notify.provider.asked[0][2] == ours


async def test_the_region_s_own_words_of_a_publication_never_hide_the_opinion(
    notify: NotifyUnderTest, key_ring: KeyRing
) -> None:
    own = {"published": {"inbox": {"zh": "结果已公布，请知悉。", "en": "Results are out."}}}
    await notify.hears(a_registration(key_ring), some_rules(messages=own), a_publication(opinion="rejected"))

    text = (await notify.inbox())["items"][0]["text"]["zh"]

    assert text.startswith("结果已公布，请知悉。\n")
    assert "审核不通过" in text
