"""Where an application is, and what may become of it."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

from shared.contracts.review import Tier
from shared.errors import Conflict


class State(StrEnum):
    """Where an application is."""

    SUBMITTED = "submitted"  # handed in; an image is still being checked, so nobody is offered it yet
    AT_SITE = "at_site"
    AT_REGION = "at_region"
    RETURNED = "returned"  # with the candidate
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"  # the candidate took it back
    LAPSED = "lapsed"  # not handed in (again) by the deadline


NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""The due time of what is never late."""

# What upload tells with a higher revision counts in every state, in whatever order the topics bring it.
TOLD = frozenset({State.SUBMITTED, State.RETURNED, State.WITHDRAWN, State.LAPSED})
LOOKED_AT = frozenset({State.AT_SITE, State.AT_REGION, State.DECIDED})
"""In these states staff can have seen what the candidate changed."""
MOVES: dict[State, frozenset[State]] = {
    State.SUBMITTED: TOLD | {State.AT_SITE, State.AT_REGION},
    State.AT_SITE: TOLD | {State.AT_REGION},
    State.AT_REGION: TOLD | {State.AT_SITE, State.DECIDED},
    State.RETURNED: TOLD,
    State.DECIDED: TOLD,
    State.WITHDRAWN: TOLD,
    State.LAPSED: TOLD,
}

FINISHED = frozenset({State.DECIDED, State.WITHDRAWN, State.LAPSED})
"""Nothing is left to do for a reviewer: such an application does not hold up a publication."""

QUEUE: dict[Tier, State] = {"site": State.AT_SITE, "region": State.AT_REGION}
"""The state in which a tier's staff can claim an application."""

Queue = Literal["new", "resubmitted", "sent_back", "second_look", "onsite"]
"""Which list of its tier an application waits in."""

Kind = Literal["return", "pass", "send_back", "decide", "propose", "agree", "disagree"]
"""What staff do with an application as a whole."""

QUEUE_AFTER: dict[Kind, Queue | None] = {
    "return": None,
    "pass": "new",
    "send_back": "sent_back",
    "decide": None,
    "propose": "second_look",
    "agree": None,
    "disagree": "new",
}
"""Where an application waits once an act is told."""


class Heard(StrEnum):
    """What a revision that upload tells means here."""

    OLD = "old"  # known already, or overtaken: it changes nothing
    NEW = "new"
    LATE = "late"  # after publication: it is only listed


_ELSEWHERE: dict[State, tuple[str, str]] = {
    State.SUBMITTED: (
        "系统还在检查该报名的图片，检查完成后才能审核，请稍后再试。",
        "Its images are still being checked. It comes into the queue by itself; try later.",
    ),
    State.AT_SITE: ("该报名正在考点审核，请领取其他报名。", "It is with the site now. Claim another one."),
    State.AT_REGION: ("该报名已转到考区审核，请领取其他报名。", "It is with the region now. Claim another one."),
    State.RETURNED: (
        "该报名已退回考生，重新提交后才能审核。",
        "It is with the candidate. It comes back into the queue once it is handed in again.",
    ),
    State.DECIDED: ("该报名已有终审意见，不能再操作。", "It is decided; nothing more can be done with it."),
    State.WITHDRAWN: (
        "考生已撤回该报名，重新提交后才能审核。",
        "The candidate withdrew it. It comes into the site's queue if it is handed in again.",
    ),
    State.LAPSED: (
        "该报名逾期未提交，已失效，不能再操作。",
        "It was not handed in by the deadline and has lapsed; nothing more can be done with it.",
    ),
}


def elsewhere(state: State) -> Conflict:
    """It does not wait at the tier of the one who asks; where it is instead."""
    zh, en = _ELSEWHERE[state]
    return Conflict("not-in-your-queue", zh, en, state=state.value)


def illegal_move(state: State, wanted: str) -> Conflict:
    """The table of moves does not have it."""
    return Conflict(
        "illegal-move",
        "当前状态不能进行此操作，请刷新页面。",
        f"It is {state} and can't become {wanted}. Reload the page.",
        state=state.value,
    )
