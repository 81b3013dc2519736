"""What upload keeps of an application, its states, and what of it is locked."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from services.upload.checklist import Checklist
from services.upload.domain.windows import closed
from shared.errors import Conflict, NotFound


class State(StrEnum):
    """Where the application is, as far as upload enforces it; review knows the tiers."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


MOVES: dict[State, set[State]] = {
    State.DRAFT: {State.SUBMITTED, State.WITHDRAWN, State.LAPSED},
    State.SUBMITTED: {State.RETURNED, State.WITHDRAWN},
    # Returned again: a second image of the same submission may fail its check.
    State.RETURNED: {State.SUBMITTED, State.RETURNED, State.WITHDRAWN, State.LAPSED},
    State.WITHDRAWN: {State.SUBMITTED, State.LAPSED},
    State.LAPSED: set(),
}
_WITH_CANDIDATE = frozenset({State.DRAFT, State.WITHDRAWN, State.RETURNED})


@dataclass(eq=False)  # equal only if it is the same row
class Record:
    """One candidate's registration for one year, with its locks.

    Attributes:
        locked: True from a submission on until it is withdrawn; `open_items` are the exceptions.
        open_items: what a return, a failed check or a changed registration unlocked.
        asked_items: what a reviewer asked for beyond what the rules require.
        changed_items: items that the candidate changed since the submission before, or since they were opened.
        rules_version: the pack's version that the checklist was last worked out with.
        reopened_by_change: a changed registration opened the submission again.
        warned_for: the deadline of which the candidate was last warned; `warned_hours` is at which stage.
        decided: the region's decision on `decided_revision`. Not to be shown.
        opinion_noted: the `effective_at` of the opinion that the timeline tells of.
    """

    application_no: str
    region: str
    site: str
    year: int
    pack_id: str
    pack_version: int | None
    registration_revision: int
    facts: dict[str, object]
    sealed: dict[str, str]
    state: State = State.DRAFT
    round: int = 0
    revision: int = 0
    locked: bool = False
    open_items: list[str] = field(default_factory=list)
    asked_items: list[str] = field(default_factory=list)
    changed_items: list[str] = field(default_factory=list)
    submitted_at: datetime | None = None
    first_submitted_at: datetime | None = None
    opinion: str | None = None
    opinion_words: str | None = None
    opinion_revision: int = 0
    effective_at: datetime | None = None
    last_seq: int = 0
    page_seq: int = 0
    rules_version: int | None = None
    reopened_by_change: bool = False
    warned_for: datetime | None = None
    warned_hours: int | None = None
    withdrawn_at: datetime | None = None
    lapsed_at: datetime | None = None
    decided: str | None = None
    decided_revision: int = 0
    opinion_noted: datetime | None = None

    # What may be changed now

    def is_open(self, item: str) -> bool:
        """Is the item unlocked? Whether its window is open is another question."""
        return not self.locked or item in self.open_items

    def window(self) -> Literal["upload", "review"] | None:
        """The window in which the candidate may change and submit; None where nothing is open."""
        if self.state not in _WITH_CANDIDATE:
            return None
        return "review" if self.state is State.RETURNED and not self.reopened_by_change else "upload"

    def closed(self, checklist: Checklist, now: datetime) -> Conflict | None:
        """Why nothing at all can be changed now; None where something can."""
        return (
            self._ended()
            or self._published(now)
            or self._in_review()
            or self.out_of_time(checklist, now)
            or _no_uploads(checklist)
        )

    def may_change(self, item: str, checklist: Checklist, now: datetime) -> bool:
        """May the candidate add to this item's images now, or replace them?"""
        try:
            self.check_may_change(item, checklist, now)
        except (Conflict, NotFound):
            return False
        return True

    def check_may_add(self, item: str, checklist: Checklist, there: int, now: datetime) -> None:
        """Refuse a further image where there is no place for it.

        Args:
            item: the item's code.
            checklist: the candidate's.
            there: images that the item has now.
            now: the time.
        """
        self.check_may_change(item, checklist, now)
        most = checklist.items[item].max
        if there >= most:
            raise Conflict(
                "count-reached",
                f"该项最多上传 {most} 张，已传满。如需更换，请先删除一张。",
                f"This item takes {most} images and has them. Remove one to replace it.",
                max=most,
            )

    def check_may_change(self, item: str, checklist: Checklist, now: datetime) -> None:
        """Refuse a change to an item that is unknown, not uploaded here or locked, or outside its window."""
        listed = checklist.items.get(item)
        if listed is None:
            raise no_such_item()
        refusal = self._ended()
        if refusal is None and listed.rule.channel == "onsite":
            refusal = Conflict(
                "item-brought-on-site",
                "该项材料在现场审核时提交，无需上传。",
                "This item is brought to the on-site review, not uploaded.",
            )
        refusal = refusal or _no_uploads(checklist)
        if refusal is not None:
            raise refusal
        self.check_may_remove(item, checklist, now)

    def check_may_remove(self, item: str, checklist: Checklist, now: datetime) -> None:
        """Refuse to take an image off an item that is locked, or outside its window. A retired item's may go."""
        refusal = self._ended()
        if refusal is None and not self.is_open(item):
            refusal = Conflict(
                "item-locked",
                "该项材料已锁定，不能修改。审核人员退回后才能更换。",
                "This item is locked. It can be changed only after a reviewer returns it.",
            )
        refusal = refusal or self.out_of_time(checklist, now)
        if refusal is not None:
            raise refusal

    def check_may_change_photo(self, checklist: Checklist, now: datetime) -> None:
        """Refuse another registration photo while nothing of the application can be changed; no item's lock counts."""
        refusal = self._ended() or self._published(now) or self._in_review() or self.out_of_time(checklist, now)
        if refusal is not None:
            raise refusal

    def note_change(self, item: str) -> None:
        """The candidate changed an item's images."""
        if self.round and item not in self.changed_items:
            self.changed_items = [*self.changed_items, item]

    def _ended(self) -> Conflict | None:
        if self.state is not State.LAPSED:
            return None
        return Conflict(
            "lapsed",
            "未在截止时间前提交，本次报名已失效，不能再操作。如有疑问请联系考区。",
            "It was not submitted in time and has lapsed: nothing can be done any more. Ask the region's office.",
        )

    def opinion_at(self, now: datetime) -> str | None:
        """The final opinion, once it may be known."""
        return self.opinion if self.effective_at is not None and self.effective_at <= now else None

    def _published(self, now: datetime) -> Conflict | None:
        # A withdrawal or a changed registration may cross the publication on its way: the opinion stays all the same.
        if self.opinion_at(now) is None:
            return None
        return Conflict(
            "published",
            "终审意见已公布，报名材料不能再修改。",
            "The final opinion is published: nothing can be changed any more.",
        )

    def _in_review(self) -> Conflict | None:
        if self.state is not State.SUBMITTED:
            return None
        return Conflict(
            "item-locked",
            "已提交审核，内容已锁定。如需修改，请等待审核反馈。",
            "It is submitted and locked. It can be changed only where the review returns something.",
        )

    def out_of_time(self, checklist: Checklist, now: datetime) -> Conflict | None:
        """Why the window is closed in which the candidate might change and submit; a published opinion closes it."""
        name = self.window()
        if name is None:
            return None
        return self._published(now) or closed(checklist.pack.windows, name, now)

    def _become(self, state: State) -> None:
        if state not in MOVES[self.state]:
            raise Conflict(
                "illegal-move", "当前状态不能进行此操作，请刷新页面。", f"It is {self.state} and can't become {state}."
            )
        self.state = state


def takes_images(item: str, checklist: Checklist) -> bool:
    """Is the item on the checklist as one whose images are handed in?"""
    listed = checklist.items.get(item)
    return checklist.uploads and listed is not None and listed.rule.channel != "onsite"


def no_such_item() -> NotFound:
    """An item that the pack does not have."""
    return NotFound(
        "item-not-on-checklist",
        "材料清单中没有这一项，请刷新页面。",
        "This item is not on the checklist. Reload the page.",
    )


def _no_uploads(checklist: Checklist) -> Conflict | None:
    if checklist.uploads:
        return None
    why = checklist.route_reason
    return Conflict(
        "no-uploads",
        f"您无需上传材料：{why.zh}。核对报名信息后直接提交即可。",
        f"You upload nothing: {why.en}. Check your registration data and submit.",
    )
