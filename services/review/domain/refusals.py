"""Refusals that several rules share."""

from shared.errors import Conflict, NotFound


def not_claimed() -> Conflict:
    """An act wants a claim that lasts."""
    return Conflict(
        "not-claimed",
        "您尚未领取该报名，或领取已到期。请先领取；已填写的内容不会丢失。",
        "You do not hold this application (your claim may have ended). Claim it first; your marks are kept.",
    )


def no_such_application() -> NotFound:
    """Also the answer for another region's or site's: that it exists is nobody's business."""
    return NotFound(
        "application-not-found",
        "没有找到该报名，或不在您的审核范围内。请核对报名编号。",
        "There is no such application for you. Check its number.",
    )


def no_such_item() -> NotFound:
    """The pack has no such item."""
    return NotFound(
        "item-not-in-pack",
        "材料清单中没有这一项，请刷新页面。",
        "The region's rules have no such item. Reload the page.",
    )
