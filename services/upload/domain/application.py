"""One candidate's application: its moves, its deadline, and what keeps it from being handed in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast
from uuid import UUID

from services.upload.checklist import Checklist
from services.upload.domain.changes import Change
from services.upload.domain.images import Image, ImageStatus, handed_in
from services.upload.domain.record import Record, State, takes_images
from services.upload.domain.windows import HoursLeft, closed, stage_at
from shared.contracts.facts import Facts
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.review import ReviewDecided, ReviewFeedback, ReviewPublished
from shared.contracts.rules import Window, Windows
from shared.contracts.upload import (
    ApplicationLapsed,
    ApplicationReopened,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    DeadlineNear,
    HandedInPhoto,
    ReopenedItem,
)
from shared.contracts.validation import MaterialChecked
from shared.errors import Conflict, Invalid


@dataclass(frozen=True)
class Missing:
    """Why an application can't be handed in yet; `need` is how many images the item wants more."""

    item: str
    problem: Literal["missing", "rejected", "unchanged"]
    need: int


class Application(Record):
    """One candidate's registration for one year: everything that may happen to it."""

    # Handing in

    def wanted(self, item: str, checklist: Checklist) -> int:
        """How many images the item must have at least."""
        listed = checklist.items[item]
        needs = checklist.uploads and (listed.required or item in self.asked_items)
        return listed.min if needs and listed.rule.channel != "onsite" else 0

    def missing(self, checklist: Checklist, images: Sequence[Image]) -> list[Missing]:
        """What keeps the application from being handed in, in the order of the checklist."""
        found: list[Missing] = []
        if not checklist.uploads:
            return found
        for code, listed in checklist.items.items():
            if listed.rule.channel == "onsite":
                continue
            own = [image for image in images if image.item == code]
            usable = sum(image.status != ImageStatus.REJECTED for image in own)
            wanted = self.wanted(code, checklist)
            if usable < len(own):
                found.append(Missing(code, "rejected", max(wanted - usable, 0)))
            elif usable < wanted:
                found.append(Missing(code, "missing", wanted - usable))
            elif code in self.open_items and code not in self.changed_items:
                found.append(Missing(code, "unchanged", 0))
        return found

    def submit(
        self, checklist: Checklist, images: Sequence[Image], photo: HandedInPhoto | None, now: datetime
    ) -> ApplicationSubmitted:
        """Hand in: everything locks. An image that is still being checked does not hold it up.

        What is no longer on the checklist is not part of it.

        Args:
            checklist: the candidate's.
            images: those that are there now.
            photo: the registration photo, where there is one.
            now: the time.

        Raises:
            Conflict: it is handed in already, has lapsed, or the window is closed.
            Invalid: something is missing; `missing` names each item.
        """
        self._check_may_submit(checklist, now)
        missing = self.missing(checklist, images)
        if missing:
            raise Invalid(
                "not-complete",
                "还有材料未上传或未通过检查，请按提示补齐后再提交。",
                "Some items are missing or were rejected: see `missing`.",
                missing=[{"item": each.item, "problem": each.problem, "need": each.need} for each in missing],
            )
        taken = [image for image in images if takes_images(image.item, checklist)]
        changed = self.changed_items if self.round else sorted({image.item for image in taken})
        self._become(State.SUBMITTED)
        self.round += 1
        self.revision += 1
        self.locked = True
        self.open_items = []
        self.changed_items = []
        self.reopened_by_change = False
        self.withdrawn_at = None
        self.pack_version = self.rules_version = self.pack_version or checklist.pack.version
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
            route=checklist.route,
            facts=Facts.model_validate(self.facts),
            images=tuple(handed_in(image) for image in taken),
            changed_items=tuple(changed),
            required_items=tuple(code for code in checklist.items if self.wanted(code, checklist)),
            uploads=checklist.uploads,
            registration_photo=photo,
            submitted_at=now,
        )

    def _check_may_submit(self, checklist: Checklist, now: datetime) -> None:
        if self.state is State.SUBMITTED:
            raise Conflict(
                "already-submitted",
                "已提交审核，内容已锁定，无需重复提交。",
                "It is submitted and locked already; nothing more is needed.",
                round=self.round,
                revision=self.revision,
            )
        refusal = self._ended() or self.out_of_time(checklist, now)
        if refusal is not None:
            raise refusal

    # Withdrawing

    def withdrawal_refused(self, checklist: Checklist, now: datetime) -> Conflict | None:
        """Why the application can't be taken back now, as the page may say it: nothing tells that a decision exists."""
        if (published := self._published(now)) is not None:
            return published
        if self.state is State.WITHDRAWN:
            return Conflict(
                "already-withdrawn",
                "报名已撤回。截止时间前可以重新提交。",
                "It is withdrawn already. It may be submitted again until the deadline.",
                revision=self.revision,
            )
        return self._ended() or closed(checklist.pack.windows, "change", now)

    def withdraw(self, checklist: Checklist, now: datetime) -> ApplicationWithdrawn:
        """Take it back: everything unlocks. What a reviewer returned must still change before it is submitted again.

        Raises:
            Conflict: the window is closed, the review is finished, or it is withdrawn or lapsed already.
        """
        refusal = self.withdrawal_refused(checklist, now)
        if refusal is not None:
            raise refusal
        if self._is_decided():
            raise Conflict(
                "review-finished",
                "审核已经结束，不能再撤回。终审意见以考区统一公布为准。",
                "The review is finished, so it can't be withdrawn. The region publishes all opinions together.",
            )
        self._become(State.WITHDRAWN)
        self.revision += 1
        self.locked = False
        self.reopened_by_change = False
        self.submitted_at = None
        self.withdrawn_at = now
        return ApplicationWithdrawn(
            application_no=self.application_no,
            region=self.region,
            site=self.site,
            round=self.round,
            revision=self.revision,
            withdrawn_at=now,
        )

    def _is_decided(self) -> bool:
        return self.opinion is not None or (self.decided is not None and self.decided_revision == self.revision)

    # The deadline

    def deadline(self, windows: Windows) -> datetime | None:
        """By when it must be submitted (again); None where nothing is waited for, or the pack sets no end."""
        name = self.window()
        window: Window | None = None if name is None else getattr(windows, name)
        return None if window is None or self.opinion is not None else window.closes_at

    def warn(self, windows: Windows, now: datetime) -> DeadlineNear | None:
        """Warn of the deadline where a stage was reached that was not told yet; of several only the nearest."""
        deadline = self.deadline(windows)
        stage: HoursLeft | None = None if deadline is None else stage_at(now, deadline)
        told = self.warned_hours if self.warned_for == deadline else None
        if deadline is None or stage is None or (told is not None and told <= stage):
            return None
        self.warned_for = deadline
        self.warned_hours = stage
        return DeadlineNear(
            application_no=self.application_no,
            region=self.region,
            site=self.site,
            round=self.round,
            revision=self.revision,
            hours_left=stage,
            deadline=deadline,
            told_at=now,
        )

    def lapse(self, windows: Windows, now: datetime) -> ApplicationLapsed | None:
        """End it where the deadline has passed; None while it has not, and where none is waited for."""
        deadline = self.deadline(windows)
        if deadline is None or now < deadline:
            return None
        was = cast("Literal['draft', 'withdrawn', 'returned']", self.state.value)
        self._become(State.LAPSED)
        self.revision += 1
        self.locked = True
        self.open_items = []
        self.lapsed_at = now
        return ApplicationLapsed(
            application_no=self.application_no,
            region=self.region,
            site=self.site,
            round=self.round,
            revision=self.revision,
            was=was,
            deadline=deadline,
            lapsed_at=now,
        )

    # What others tell

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
        items = sorted({check.item for check in failed})
        self._become(State.RETURNED)
        self.revision += 1
        self._open(items)
        opened = (
            ReopenedItem(
                item=item,
                image_ids=tuple(check.image_id for check in failed if check.item == item),
                reason_code=next(check.reason for check in failed if check.item == item),
                words="\n".join(dict.fromkeys(words[check.image_id] for check in failed if check.item == item)),
            )
            for item in items
        )
        return self._reopened("image_failed", tuple(opened), now)

    def differs_from(self, told: RegistrationRecorded) -> bool:
        """Does the registration say something else of the candidate than what the application goes by?"""
        if self.pack_version is None and (self.pack_id, self.region, self.year) != (
            told.pack_id,
            told.region,
            told.year,
        ):
            return True
        return self.site != told.site or Facts.model_validate(self.facts) != told.facts

    def takes_changes(self, windows: Windows, now: datetime) -> bool:
        """May a changed registration still reach the application? Later it is only noted."""
        if self.opinion is not None or self.state is State.LAPSED:
            return False
        return self.state is not State.SUBMITTED or closed(windows, "change", now) is None

    def follow(self, told: RegistrationRecorded) -> None:
        """Go by what the registration says now. Once submitted, the application keeps the pack of its submission."""
        self.facts = told.facts.model_dump(mode="json")
        self.site = told.site
        if self.pack_version is None:
            self.pack_id, self.region, self.year = told.pack_id, told.region, told.year

    def take_in(self, changes: Sequence[Change], now: datetime) -> ApplicationReopened | None:
        """Open what the changed registration asks more of; a submission is reopened and must be handed in again."""
        asking = [change for change in changes if change.asks_more and change.item is not None]
        if self.locked:
            items = [change.item for change in asking if change.item is not None]
            self.open_items = [*self.open_items, *(item for item in items if item not in self.open_items)]
            # What was handed in may be enough already: no other image is insisted on, but staff look at it anew.
            self.changed_items = [*self.changed_items, *(item for item in items if item not in self.changed_items)]
        if self.state is not State.SUBMITTED:
            return None
        self._become(State.RETURNED)
        self.revision += 1
        self.reopened_by_change = True
        opened = (
            ReopenedItem(
                item=change.item or "",
                image_ids=(),
                reason_code="registration_changed",
                words=change.words.zh[:1000],
            )
            for change in asking
        )
        return self._reopened("registration_changed", tuple(opened), now)

    def decide(self, decided: ReviewDecided) -> bool:
        """Keep that the region came to a result on what is submitted now; a tier's other results are no decision."""
        final = decided.tier == "region" and decided.outcome in {"approved", "rejected", "disqualified"}
        if not final or self.state is not State.SUBMITTED or decided.revision != self.revision:
            return False
        self.decided = decided.outcome
        self.decided_revision = decided.revision
        return True

    def publish(self, published: ReviewPublished) -> bool:
        """Keep the region's opinion; a publication of an older revision changes nothing."""
        if published.revision < self.opinion_revision:
            return False
        self.opinion = published.opinion
        self.opinion_words = published.words
        self.opinion_revision = published.revision
        self.effective_at = published.effective_at
        return True

    def _reopened(
        self,
        cause: Literal["image_failed", "registration_changed"],
        items: tuple[ReopenedItem, ...],
        now: datetime,
    ) -> ApplicationReopened:
        return ApplicationReopened(
            application_no=self.application_no,
            region=self.region,
            site=self.site,
            round=self.round,
            revision=self.revision,
            cause=cause,
            items=items,
            reopened_at=now,
        )

    def _open(self, items: Iterable[str]) -> None:
        opened = list(items)
        self.open_items = [*self.open_items, *(item for item in opened if item not in self.open_items)]
        self.asked_items = [*self.asked_items, *(item for item in opened if item not in self.asked_items)]
        self.changed_items = [item for item in self.changed_items if item not in opened]
