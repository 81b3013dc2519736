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
class Names:
    """What the application's rule pack calls things; empty while the pack has not been heard of."""

    exam: Bilingual = field(default_factory=lambda: Bilingual("医师资格考试", "the physicians' licensing exam"))
    items: Mapping[str, Bilingual] = field(default_factory=dict)

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


def title(about: About, content: Content) -> Bilingual:
    """The heading of a notice in the inbox."""
    if about == "submitted":
        return Bilingual("材料已提交审核", "Submitted for review")
    if about == "returned":
        return Bilingual("材料被退回，请修改后重新提交", "Materials returned: please correct and submit again")
    if about == "published":
        return Bilingual("终审意见已公布", "Your final opinion is published")
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
        return _opinion(content, names)
    return _reopening(content, names)


def _receipt(round_no: int, at: datetime, names: Names) -> Bilingual:
    when = f"{at.astimezone(_BEIJING):%Y-%m-%d %H:%M}"
    return Bilingual(
        f"您的{names.exam.zh}报名材料已于北京时间 {when} 提交审核（第 {round_no} 轮），现已全部锁定。"
        "审核有进展时会在这里通知您。",
        f"Your materials for {names.exam.en} were handed in on {when} Beijing time (round {round_no}) and are locked "
        "now. You will find news of the review here.",
    )


def _opinion(content: Content, names: Names) -> Bilingual:
    opinion = _OPINIONS[content.opinion or "rejected"]
    return Bilingual(
        "\n".join(filter(None, (f"{names.exam.zh}报名终审意见：{opinion.zh}。", content.words))),
        "\n".join(filter(None, (f"Final opinion on {names.exam.en}: {opinion.en}.", content.words))),
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


def _with_items(opening: Bilingual, items: Sequence[NamedItem], closing: Bilingual, names: Names) -> Bilingual:
    zh = [f"{n}. {names.item(each.item).zh}：{each.words}" for n, each in enumerate(items, 1)]
    en = [f"{n}. {names.item(each.item).en}: {each.words}" for n, each in enumerate(items, 1)]
    return Bilingual("\n".join([opening.zh, *zh, closing.zh]), "\n".join([opening.en, *en, closing.en]))


def sms(about: About, round_no: int, content: Content, names: Names) -> str:
    """The SMS of a notice, in one part: what to look at, never a reviewer's words or the outcome."""
    if about == "published":
        return SIGNATURE + "考区已公布终审意见，请登录系统查看。"
    if about == "returned":
        before, after = f"第{round_no}轮审核需修改：", "。请登录系统查看审核意见并重新提交。"
    elif content.cause == "registration_changed":
        return SIGNATURE + "报名信息已变更，材料要求可能不同，请登录系统核对并重新提交。"
    else:
        before, after = "图片未通过检查：", "。请登录系统查看原因，更换后重新提交。"
    room = SMS_PART - len(SIGNATURE) - len(before) - len(after)
    return SIGNATURE + before + _listed(content.items, names, room) + after


def _listed(items: Sequence[NamedItem], names: Names, room: int) -> str:
    """As many titles as fit, then how many there are in all."""
    titles = [" ".join(names.items[each.item].zh.split()) for each in items if each.item in names.items]
    for count in range(len(titles), 0, -1):
        listed = "、".join(titles[:count]) + (f"等{len(items)}项" if count < len(items) else "")
        if len(listed) <= room:
            return listed
    return f"{len(items)}项材料"
