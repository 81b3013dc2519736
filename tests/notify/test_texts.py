"""The sentences: one SMS part each, and nothing in it that is for the inbox only."""

from datetime import UTC, datetime

import pytest

from services.notify import texts
from services.notify.domain import About, Content, NamedItem
from services.notify.texts import SIGNATURE, SMS_PART, Bilingual, Names

NAMES = Names(
    Bilingual("2026 年医师资格考试", "the 2026 exam"),
    {f"item_{chr(97 + n)}": Bilingual("材料" * length, "x") for n, length in enumerate([1, 2, 4, 6, 3, 8, 20])},
)


def content(*codes: str, **more: object) -> Content:
    return Content(items=tuple(NamedItem(item=code, words="words-of-the-reviewer") for code in codes), **more)


@pytest.mark.parametrize("about", ["returned", "reopened"])
@pytest.mark.parametrize("count", range(1, 8))
def test_an_sms_is_one_part_however_many_items_there_are(about: About, count: int) -> None:
    codes = list(NAMES.items)[-count:]

    sms = texts.sms(about, 99, content(*codes), NAMES)

    assert len(sms) <= SMS_PART
    assert sms.startswith(SIGNATURE)
    assert "words" not in sms


def test_items_that_do_not_fit_are_counted() -> None:
    sms = texts.sms("returned", 2, content(*NAMES.items), NAMES)

    assert "材料、材料材料、材料材料材料材料" in sms
    assert "等7项" in sms


def test_items_without_a_known_name_are_counted_not_called_by_their_code() -> None:
    sms = texts.sms("returned", 1, content("diploma", "degree"), Names())

    assert "2项材料" in sms
    assert "diploma" not in sms


@pytest.mark.parametrize("opinion", ["approved", "rejected", "disqualified"])
def test_the_sms_of_a_publication_does_not_tell_the_outcome(opinion: str) -> None:
    told = {texts.sms("published", 1, Content(opinion=each, words="理由"), NAMES) for each in ("approved", opinion)}

    assert len(told) == 1
    assert len(told.pop()) <= SMS_PART


@pytest.mark.parametrize("cause", ["image_failed", "registration_changed"])
def test_a_reopening_without_items_has_its_sms_too(cause: str) -> None:
    sms = texts.sms("reopened", 1, Content(cause=cause, items=content("item_a").items), NAMES)

    assert len(sms) <= SMS_PART
    assert "请登录系统" in sms


@pytest.mark.parametrize("about", ["withdrawn", "lapsed", "deadline_near"])
def test_every_sms_of_withdrawal_lapse_and_deadline_is_one_part(about: About) -> None:
    late = datetime(2026, 12, 31, 15, 59, tzinfo=UTC)

    sms = texts.sms(about, 99, Content(deadline=late, hours_left=72, was="withdrawn"), NAMES)

    assert len(sms) <= SMS_PART
    assert sms.startswith(SIGNATURE)


def test_the_sms_with_a_code_is_one_part_and_says_until_when() -> None:
    sms = texts.code_sms("482913", datetime(2026, 3, 1, 1, 10, tzinfo=UTC))

    assert sms == "【医师资格考试报审】验证码 482913，用于更换手机号码，09:10前有效。请勿告诉他人。"
    assert len(sms) <= SMS_PART


def test_times_are_beijing_time() -> None:
    at = datetime(2026, 3, 1, 18, 30, tzinfo=UTC)

    text = texts.text("submitted", 1, at, Content(), NAMES)

    assert "2026-03-02 02:30" in text.zh
    assert "2026-03-02 02:30 Beijing time" in text.en


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("缺少公章", "1. 毕业证书：缺少公章"),
        ("新增必交：毕业证书（您是应届毕业生）", "1. 新增必交：毕业证书（您是应届毕业生）"),
        ("毕业证书：至少 2 张（原为 1 张）", "1. 毕业证书：至少 2 张（原为 1 张）"),
    ],
)
def test_a_line_names_its_item_once(words: str, line: str) -> None:
    names = Names(items={"diploma": Bilingual("毕业证书", "Diploma")})

    assert texts.lines_of([NamedItem(item="diploma", words=words)], names).zh == line
