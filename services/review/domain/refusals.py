"""Refusals that several rules share."""

from shared.errors import Conflict, Invalid, NotFound


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


def claimed_by_another() -> Conflict:
    """Two people never hold one application."""
    return Conflict(
        "claimed-by-another",
        "该报名正由其他审核人员处理，请领取下一份。",
        "Another reviewer holds this application. Claim the next one.",
    )


def act_pending(state: str) -> Conflict:
    """What was done last may still be undone, so it is nobody else's turn yet."""
    return Conflict(
        "act-pending",
        "该报名刚由审核人员处理，几秒内仍可撤销，请稍后再试或领取下一份。",
        "It was acted on a moment ago, which may still be undone. Try again in some seconds, or claim the next one.",
        state=state,
    )


def published_already(state: str) -> Conflict:
    """A publication has it, running or done."""
    return Conflict(
        "published-already",
        "该报名的终审意见已公布或正在公布，不能再操作。",
        "Its opinion is published, or being published; nothing more can be done with it.",
        state=state,
    )


def same_reviewer() -> Conflict:
    """Nobody looks twice at their own proposal."""
    return Conflict(
        "same-reviewer",
        "该意见由您提出，须由另一位审核人员复核。",
        "The proposal is yours: another reviewer must look at it.",
    )


def needs_second_look() -> Conflict:
    """A proposal waits: first it is agreed to, or not."""
    return Conflict(
        "needs-second-look",
        "该报名有待复核的意见，请先复核：同意或不同意。",
        "A proposed opinion waits for a second look. Agree or disagree first.",
    )


def words_missing() -> Invalid:
    """A rejection without a reason."""
    return Invalid(
        "words-missing",
        "请写明理由，公布后考生会看到这段文字。",
        "Write `words`: the candidate reads them once the opinion is published.",
    )


def revision_changed(round_no: int, revision: int, **more: object) -> Conflict:
    """The candidate handed in anew meanwhile; `more` says what changed."""
    return Conflict(
        "revision-changed",
        "考生已提交新的版本，请刷新页面后按最新材料审核。",
        "The candidate handed in a newer revision. Reload and look at what changed.",
        round=round_no,
        revision=revision,
        **more,
    )
