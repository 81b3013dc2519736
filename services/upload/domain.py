"""An application in the candidate's hands: its states, what is locked, what is missing. No I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from services.upload.checklist import Checklist
from shared.contracts.facts import Facts
from shared.contracts.review import ReviewFeedback, ReviewPublished
from shared.contracts.upload import ApplicationReopened, ApplicationSubmitted, HandedInImage, ReopenedItem
from shared.contracts.validation import MaterialChecked, Verdict
from shared.errors import Conflict, Invalid, NotFound


class State(StrEnum):
    """Where the application is, as far as upload enforces it; review knows the tiers."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"


MOVES: dict[State, set[State]] = {
    State.DRAFT: {State.SUBMITTED},
    # Returned again: a second image of the same submission may fail its check.
    State.SUBMITTED: {State.RETURNED},
    State.RETURNED: {State.SUBMITTED, State.RETURNED},
}


class ImageStatus(StrEnum):
    """What the candidate sees of an image's check."""

    CHECKING = "checking"
    GOOD = "good"
    REVIEW = "review"
    REJECTED = "rejected"


STATUS_OF: dict[Verdict, ImageStatus] = {
    "accept": ImageStatus.GOOD,
    "review": ImageStatus.REVIEW,
    "reject": ImageStatus.REJECTED,
    "gone": ImageStatus.REJECTED,
}
_VERDICT_OF: dict[str, Literal["checking", "accept", "review"]] = {
    ImageStatus.CHECKING: "checking",
    ImageStatus.GOOD: "accept",
    ImageStatus.REVIEW: "review",
}


@dataclass(frozen=True)
class Image:
    """One image on the application, not removed."""

    image_id: UUID
    item: str
    object_key: str
    sha256: str
    size: int  # bytes
    content_type: Literal["image/jpeg", "image/png"]
    status: str
    uploaded_at: datetime


@dataclass(frozen=True)
class Missing:
    """Why an application can't be handed in yet; `need` is how many images the item wants more."""

    item: str
    problem: Literal["missing", "rejected", "unchanged"]
    need: int


@dataclass(eq=False)  # equal only if it is the same row
class Application:
    """One candidate's registration for one year.

    Attributes:
        locked: True from the first submission on; `open_items` are the exceptions.
        open_items: what a return or a failed check unlocked.
        asked_items: what a reviewer asked for beyond what the rules require.
        changed_items: open items that the candidate changed since they were opened.
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

    def is_open(self, item: str) -> bool:
        """May the candidate change this item's images now?"""
        return not self.locked or item in self.open_items

    def check_may_add(self, item: str, checklist: Checklist, there: int) -> None:
        """Refuse a further image where there is no place for it.

        Args:
            item: the item's code.
            checklist: the candidate's.
            there: images that the item has now.
        """
        self.check_may_change(item, checklist)
        most = checklist.items[item].rule.max
        if there >= most:
            raise Conflict(
                "count-reached",
                f"该项最多上传 {most} 张，已传满。如需更换，请先删除一张。",
                f"This item takes {most} images and has them. Remove one to replace it.",
                max=most,
            )

    def check_may_change(self, item: str, checklist: Checklist) -> None:
        """Refuse a change to an item that is unknown, not uploaded here, or locked."""
        listed = checklist.items.get(item)
        if listed is None:
            raise no_such_item()
        if listed.rule.channel == "onsite":
            raise Conflict(
                "item-brought-on-site",
                "该项材料在现场审核时提交，无需上传。",
                "This item is brought to the on-site review, not uploaded.",
            )
        if not self.is_open(item):
            raise Conflict(
                "item-locked",
                "该项材料已锁定，不能修改。审核人员退回后才能更换。",
                "This item is locked. It can be changed only after a reviewer returns it.",
            )

    def note_change(self, item: str) -> None:
        """The candidate changed an item's images."""
        if self.locked and item not in self.changed_items:
            self.changed_items = [*self.changed_items, item]

    def missing(self, checklist: Checklist, images: Sequence[Image]) -> list[Missing]:
        """What keeps the application from being handed in, in the order of the checklist."""
        found = []
        for code, listed in checklist.items.items():
            if listed.rule.channel == "onsite":
                continue
            own = [image for image in images if image.item == code]
            usable = sum(image.status != ImageStatus.REJECTED for image in own)
            wanted = listed.rule.min if listed.required or code in self.asked_items else 0
            if usable < len(own):
                found.append(Missing(code, "rejected", max(wanted - usable, 0)))
            elif usable < wanted:
                found.append(Missing(code, "missing", wanted - usable))
            elif code in self.open_items and code not in self.changed_items:
                found.append(Missing(code, "unchanged", 0))
        return found

    def submit(self, checklist: Checklist, images: Sequence[Image], now: datetime) -> ApplicationSubmitted:
        """Hand in: everything locks. An image that is still being checked does not hold it up.

        Raises:
            Conflict: it is handed in already.
            Invalid: something is missing; `missing` names each item.
        """
        if self.state is State.SUBMITTED:
            raise Conflict(
                "already-submitted",
                "已提交审核，内容已锁定，无需重复提交。",
                "It is submitted and locked already; nothing more is needed.",
                round=self.round,
                revision=self.revision,
            )
        missing = self.missing(checklist, images)
        if missing:
            raise Invalid(
                "not-complete",
                "还有材料未上传或未通过检查，请按提示补齐后再提交。",
                "Some items are missing or were rejected: see `missing`.",
                missing=[{"item": each.item, "problem": each.problem, "need": each.need} for each in missing],
            )
        changed = self.changed_items if self.round else sorted({image.item for image in images})
        self._become(State.SUBMITTED)
        self.round += 1
        self.revision += 1
        self.locked = True
        self.open_items = []
        self.changed_items = []
        self.pack_version = self.pack_version or checklist.pack.version
        self.submitted_at = now
        self.first_submitted_at = self.first_submitted_at or now
        return ApplicationSubmitted(
            application_no=self.application_no,
            region=self.region,
            site=self.site,
            year=self.year,
            pack_id=self.pack_id,
            pack_version=self.pack_version,
            round=self.round,
            revision=self.revision,
            route=checklist.pack.route,
            facts=Facts.model_validate(self.facts),
            images=tuple(_handed_in(image) for image in images),
            changed_items=tuple(changed),
            submitted_at=now,
        )

    def give_back(self, feedback: ReviewFeedback) -> bool:
        """Unlock exactly the returned items; False where the feedback is not about the submission that is current."""
        current = (self.state, self.round, self.revision) == (State.SUBMITTED, feedback.round, feedback.revision)
        if not current:
            return False
        self._become(State.RETURNED)
        self._open(returned.item for returned in feedback.items)
        return True

    def reopen_for(
        self, failed: Sequence[MaterialChecked], words: dict[UUID, str], now: datetime
    ) -> ApplicationReopened:
        """Open the items whose images failed after the lock. The submission keeps its time; staff wait for a new one.

        Args:
            failed: verdicts on images of this submission.
            words: what to tell the candidate, by image.
            now: the time.
        """
        self._become(State.RETURNED)
        self.revision += 1
        items = sorted({check.item for check in failed})
        self._open(items)
        return ApplicationReopened(
            application_no=self.application_no,
            region=self.region,
            site=self.site,
            round=self.round,
            revision=self.revision,
            cause="image_failed",
            items=tuple(
                ReopenedItem(
                    item=item,
                    image_ids=tuple(check.image_id for check in failed if check.item == item),
                    reason_code=next(check.reason for check in failed if check.item == item),
                    words="\n".join(dict.fromkeys(words[check.image_id] for check in failed if check.item == item)),
                )
                for item in items
            ),
            reopened_at=now,
        )

    def publish(self, published: ReviewPublished) -> bool:
        """Keep the region's opinion; a publication of an older revision changes nothing."""
        if published.revision < self.opinion_revision:
            return False
        self.opinion = published.opinion
        self.opinion_words = published.words
        self.opinion_revision = published.revision
        self.effective_at = published.effective_at
        return True

    def opinion_at(self, now: datetime) -> str | None:
        """The final opinion, once it may be known."""
        return self.opinion if self.effective_at is not None and self.effective_at <= now else None

    def _open(self, items: Iterable[str]) -> None:
        opened = list(items)
        self.open_items = [*self.open_items, *(item for item in opened if item not in self.open_items)]
        self.asked_items = [*self.asked_items, *(item for item in opened if item not in self.asked_items)]
        self.changed_items = [item for item in self.changed_items if item not in opened]

    def _become(self, state: State) -> None:
        if state not in MOVES[self.state]:
            raise Conflict(
                "illegal-move", "当前状态不能进行此操作，请刷新页面。", f"It is {self.state} and can't become {state}."
            )
        self.state = state


def no_such_item() -> NotFound:
    """An item that the pack does not have."""
    return NotFound(
        "item-not-on-checklist",
        "材料清单中没有这一项，请刷新页面。",
        "This item is not on the checklist. Reload the page.",
    )


def _handed_in(image: Image) -> HandedInImage:
    return HandedInImage(
        item=image.item,
        image_id=image.image_id,
        object_key=image.object_key,
        sha256=image.sha256,
        size=image.size,
        content_type=image.content_type,
        uploaded_at=image.uploaded_at,
        verdict=_VERDICT_OF[image.status],
    )
