"""Every sentence that notify says to a candidate: Chinese and English in the inbox, Chinese by SMS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from services.notify.domain import About, Content, NamedItem
from shared.contracts.review import Opinion, Tier

# The sender's signature as it is registered with the provider; every Chinese SMS must begin with one.
SIGNATURE = "【医师资格考试报审】"
# One part of an SMS in UCS-2; a longer one is split, charged twice, and may arrive torn.
SMS_PART = 70
_BEIJING = timezone(timedelta(hours=8))


@dataclass(frozen=True)
class Bilingual:
    """A text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True)
class OwnWords:
    """What a region says instead of us."""

    inbox: Bilingual | None = None
    sms: str | None = None


@dataclass(frozen=True)
class Names:
    """What the application's rule pack calls things; empty while the pack has not been heard of."""

    exam: Bilingual = field(default_factory=lambda: Bilingual("医师资格考试", "the physicians' licensing exam"))
    items: Mapping[str, Bilingual] = field(default_factory=dict)
    region: Bilingual | None = None
    site: Bilingual | None = None
    phone: str | None = None
    own: Mapping[str, OwnWords] = field(default_factory=dict)
    closing: Mapping[str, datetime] = field(default_factory=dict)

    def item(self, code: str) -> Bilingual:
        """An item's title."""
        return self.items.get(code) or Bilingual(f"材料项 {code}", f"item {code}")


_TIERS: dict[Tier | None, Bilingual] = {
    "site": Bilingual("考点", "Your exam site"),
    "region": Bilingual("考区", "Your exam region"),
    None: Bilingual("审核人员", "The reviewers"),
}
_OPINIONS: dict[Opinion, Bilingual] = {
    "approved": Bilingual("审核通过", "approved"),
    "rejected": Bilingual("审核不通过", "not approved"),
    "disqualified": Bilingual("取消报考资格", "disqualified"),
}


_NOT_DONE: dict[str | None, Bilingual] = {
    "draft": Bilingual("您未提交材料", "you had not submitted your materials"),
    "returned": Bilingual("您未重新提交需修改的材料", "you had not submitted the corrected materials"),
    "withdrawn": Bilingual("您撤回后未重新提交材料", "you had not submitted again after withdrawing"),
    None: Bilingual("您未提交材料", "you had not submitted your materials"),
}


def title(about: About, content: Content) -> Bilingual:
    """The heading of a notice in the inbox."""
    if about == "submitted":
        return Bilingual("材料已提交审核", "Submitted for review")
    if about == "returned":
        return Bilingual("材料被退回，请修改后重新提交", "Materials returned: please correct and submit again")
    if about == "published":
        return Bilingual("终审意见已公布", "Your final opinion is published")
    if about == "withdrawn":
        return Bilingual("报名材料已撤回", "You withdrew your application")
    if about == "lapsed":
        return Bilingual("报名已失效", "Your application has lapsed")
    if about == "deadline_near":
        hours = content.hours_left or 0
        return Bilingual(f"距截止不足 {hours} 小时，请尽快提交", f"Less than {hours} hours left to submit")
    if content.cause == "registration_changed":
        return Bilingual("报名信息已变更，请核对材料", "Your registration changed: please check your materials")
    return Bilingual("有图片未通过检查，请更换后重新提交", "An image failed its check: please replace it")


def text(about: About, round_no: int, at: datetime, content: Content, names: Names) -> Bilingual:
    """The body of a notice in the inbox."""
    if about == "submitted":
        return _receipt(round_no, at, names)
    if about == "returned":
        tier = _TIERS[content.tier]
        return _with_items(
            Bilingual(
                f"{names.exam.zh}：{tier.zh}在第 {round_no} 轮审核中退回了以下材料：",
                f"{names.exam.en}: {tier.en} returned the following in round {round_no}:",
            ),
            content.items,
            Bilingual(
                "请按意见修改并重新提交；其他材料仍为锁定状态。",
                "Please correct them and submit again. Everything else stays locked.",
            ),
            names,
        )
    if about == "published":
        return opinion(content, names)
    if about == "withdrawn":
        return _withdrawal(at, names)
    if about == "lapsed":
        return _lapse(content, names)
    if about == "deadline_near":
        return _deadline(round_no, content, names)
    return _reopening(content, names)


def beijing(at: datetime) -> str:
    """A time as candidates read it; everywhere in the country clocks show Beijing time."""
    return f"{at.astimezone(_BEIJING):%Y-%m-%d %H:%M}"


def _withdrawal(at: datetime, names: Names) -> Bilingual:
    return Bilingual(
        f"您已于北京时间 {beijing(at)} 撤回{names.exam.zh}的报名材料，审核已停止。"
        "如仍要报考，请在材料上传截止前重新提交，逾期未提交的报名将失效。如非本人操作，请立即修改密码并联系考点。",
        f"On {beijing(at)} Beijing time you withdrew your application for {names.exam.en}, and its review has ended. "
        "To take part, submit again before uploads close, or the registration lapses. If it was not you, change your "
        "password at once and tell your exam site.",
    )


def _lapse(content: Content, names: Names) -> Bilingual:
    what = _NOT_DONE[content.was]
    by = beijing(content.deadline) if content.deadline else ""
    ask = f"（电话 {names.phone}）" if names.phone else ""
    ask_en = f" ({names.phone})" if names.phone else ""
    return Bilingual(
        f"{names.exam.zh}：截至北京时间 {by}，{what.zh}，本次报名已失效，不能再修改或提交。"
        f"如有疑问，请联系考点或考区{ask}。",
        f"{names.exam.en}: by {by} Beijing time {what.en}, so this registration has lapsed and nothing can be changed "
        f"any more. If you have questions, ask your exam site or region{ask_en}.",
    )


def _deadline(round_no: int, content: Content, names: Names) -> Bilingual:
    by = beijing(content.deadline) if content.deadline else ""
    again, again_en = ("重新提交", "submitted again") if round_no else ("提交", "submitted")
    return Bilingual(
        f"{names.exam.zh}：材料提交将于北京时间 {by} 截止，您的材料尚未{again}。逾期未提交，报名将失效，请尽快完成。",
        f"{names.exam.en}: submissions close at {by} Beijing time, and your materials are not {again_en} yet. "
        "After that the registration lapses: please finish soon.",
    )


def _receipt(round_no: int, at: datetime, names: Names) -> Bilingual:
    when = beijing(at)
    return Bilingual(
        f"您的{names.exam.zh}报名材料已于北京时间 {when} 提交审核（第 {round_no} 轮），现已全部锁定。"
        "审核有进展时会在这里通知您。",
        f"Your materials for {names.exam.en} were handed in on {when} Beijing time (round {round_no}) and are locked "
        "now. You will find news of the review here.",
    )


def opinion(content: Content, names: Names) -> Bilingual:
    """The region's opinion, with its words."""
    said = _OPINIONS[content.opinion or "rejected"]
    return Bilingual(
        "\n".join(filter(None, (f"{names.exam.zh}报名终审意见：{said.zh}。", content.words))),
        "\n".join(filter(None, (f"Final opinion on {names.exam.en}: {said.en}.", content.words))),
    )


def _reopening(content: Content, names: Names) -> Bilingual:
    if content.cause == "registration_changed":
        opening = Bilingual(
            f"{names.exam.zh}：您的报名信息已变更，材料要求已重新计算。",
            f"{names.exam.en}: your registration changed, so the checklist was worked out again.",
        )
        closing = Bilingual(
            "请核对材料清单，补齐后重新提交，否则报名将失效。",
            "Please check the list, complete it and submit again, or the registration lapses.",
        )
    else:
        opening = Bilingual(
            f"{names.exam.zh}：提交后的系统检查发现以下材料的图片不能使用：",
            f"{names.exam.en}: the check after your submission found images that can't be used:",
        )
        closing = Bilingual(
            "请更换后重新提交；首次提交的时间仍然有效。",
            "Please replace them and submit again. The time of your first submission still counts.",
        )
    return _with_items(opening, content.items, closing, names)


def lines_of(items: Sequence[NamedItem], names: Names) -> Bilingual:
    """A line for each item, with what is said of it."""
    zh, en = [], []
    for n, each in enumerate(items, 1):
        title = names.item(each.item)
        # Words about a changed registration name the item already: 新增必交：毕业证书（…）.
        named = f"{title.zh}：" in each.words or f"：{title.zh}" in each.words
        zh.append(f"{n}. {each.words}" if named else f"{n}. {title.zh}：{each.words}")
        en.append(f"{n}. {title.en}: {each.words}")
    return Bilingual("\n".join(zh), "\n".join(en))


def _with_items(opening: Bilingual, items: Sequence[NamedItem], closing: Bilingual, names: Names) -> Bilingual:
    lines = lines_of(items, names)
    return Bilingual(
        "\n".join(filter(None, (opening.zh, lines.zh, closing.zh))),
        "\n".join(filter(None, (opening.en, lines.en, closing.en))),
    )


def sms(about: About, round_no: int, content: Content, names: Names) -> str:
    """The SMS of a notice, in one part: what to look at, never a reviewer's words or the outcome."""
    if about == "published":
        return SIGNATURE + "考区已公布终审意见，请登录系统查看。"
    if about == "withdrawn":
        return SIGNATURE + "您的报名材料已撤回。仍要报考的，请在上传截止前登录系统重新提交。"
    if about == "lapsed":
        return SIGNATURE + f"{_short(content)}前未提交材料，您的报名已失效。如有疑问请联系考点。"
    if about == "deadline_near":
        return SIGNATURE + f"您的材料尚未提交，将于{_short(content)}截止，逾期报名失效，请尽快登录系统提交。"
    if about == "returned":
        before, after = f"第{round_no}轮审核需修改：", "。请登录系统查看审核意见并重新提交。"
    elif content.cause == "registration_changed":
        return SIGNATURE + "报名信息已变更，材料要求可能不同，请登录系统核对并重新提交。"
    else:
        before, after = "图片未通过检查：", "。请登录系统查看原因，更换后重新提交。"
    room = SMS_PART - len(SIGNATURE) - len(before) - len(after)
    return SIGNATURE + before + listed(content.items, names, room) + after


def code_sms(code: str, expires_at: datetime) -> str:
    """The SMS with a code. It must not be kept anywhere."""
    until = f"{expires_at.astimezone(_BEIJING):%H:%M}"
    return f"{SIGNATURE}验证码 {code}，用于更换手机号码，{until}前有效。请勿告诉他人。"


def _short(content: Content) -> str:
    if content.deadline is None:
        return "截止时间"
    at = content.deadline.astimezone(_BEIJING)
    return f"北京时间{at.month}月{at.day}日{at:%H:%M}"


def listed(items: Sequence[NamedItem], names: Names, room: int) -> str:
    """As many titles as fit, then how many there are in all."""
    titles = [" ".join(names.items[each.item].zh.split()) for each in items if each.item in names.items]
    for count in range(len(titles), 0, -1):
        listed = "、".join(titles[:count]) + (f"等{len(items)}项" if count < len(items) else "")
        if len(listed) <= room:
            return listed
    return f"{len(items)}项材料"
