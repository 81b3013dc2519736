"""The state machine: where an application is, what may become of it, and what each move tells."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, Self
from uuid import UUID, uuid4

from services.review.domain.marks import Mark, must_have_no_return
from services.review.domain.refusals import not_claimed
from services.review.domain.staff import Staff
from shared.contracts.review import Opinion, ReturnedItem, ReviewDecided, ReviewFeedback, ReviewPublished, Tier
from shared.contracts.upload import (
    ApplicationLapsed,
    ApplicationReopened,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    HandedInPhoto,
)
from shared.errors import Conflict, Invalid


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
_TOLD = frozenset({State.SUBMITTED, State.RETURNED, State.WITHDRAWN, State.LAPSED})
MOVES: dict[State, frozenset[State]] = {
    State.SUBMITTED: _TOLD | {State.AT_SITE, State.AT_REGION},
    State.AT_SITE: _TOLD | {State.AT_REGION},
    State.AT_REGION: _TOLD | {State.AT_SITE, State.DECIDED},
    State.RETURNED: _TOLD,
    State.DECIDED: _TOLD,
    State.WITHDRAWN: _TOLD,
    State.LAPSED: _TOLD,
}

FINISHED = frozenset({State.DECIDED, State.WITHDRAWN, State.LAPSED})
"""Nothing is left to do for a reviewer: such an application does not hold up a publication."""

QUEUE: dict[Tier, State] = {"site": State.AT_SITE, "region": State.AT_REGION}
"""The state in which a tier's staff can claim an application."""

Queue = Literal["new", "resubmitted", "sent_back", "second_look", "onsite"]
"""Which list of its tier an application waits in."""

# The contract's limit on one feedback.
MOST_RETURNED = 60


class Heard(StrEnum):
    """What a revision that upload tells means here."""

    OLD = "old"  # known already, or overtaken: it changes nothing
    NEW = "new"
    LATE = "late"  # after publication: it is only listed


@dataclass(eq=False)  # equal only if it is the same row
class Review:
    """One submitted application on its way through the tiers.

    Attributes:
        tier: where it is, or where it comes back to once it is handed in again.
        changed_items: what the candidate changed since the round before.
        required_items: what this candidate must hand in, as upload worked it out.
        uploads: False where the route takes no uploads.
        passed_revision: the revision that the site passed to the region; 0 until it did.
        opinion: the region's, once it is decided; voided by a higher revision, until it is published.
        published_at: from when on the opinion shows; null until it is published.
        photo_key: where the registration photo of the last submission lies; null where there is none.
        queue: the list of its tier that it waits in; null where nobody is offered it.
        due_at: until then it should have gone on its way; far off where the pack has no service level.
        returns: how often staff gave it back to the candidate.
        escalated_at: when it was found to wait longer than the pack's service level.
        findings: codes of what the checks noticed on its present images.
        recommended_opinion: what the site would have the region decide; a site can't reject by itself.
        proposed_opinion: a region reviewer's, which waits for a second reviewer.
        act_id: the act that may still be undone; until it is told, nobody is offered the application.
        publication_id: the publication that releases its opinion.
    """

    application_no: str
    region: str
    site: str
    year: int
    pack_id: str
    pack_version: int
    route: str
    facts: dict[str, Any]
    round: int
    revision: int
    submitted_at: datetime
    changed_items: list[str] = field(default_factory=list)
    state: State = State.SUBMITTED
    tier: Tier = "site"
    claimed_by: UUID | None = None
    claimed_until: datetime | None = None
    opinion: Opinion | None = None
    published_at: datetime | None = None
    required_items: list[str] = field(default_factory=list)
    uploads: bool = True
    passed_revision: int = 0
    photo_key: str | None = None
    photo_sha256: str | None = None
    photo_size: int | None = None
    photo_accepted_at: datetime | None = None
    queue: Queue | None = None
    due_at: datetime = NEVER
    returns: int = 0
    escalated_at: datetime | None = None
    findings: list[str] = field(default_factory=list)
    recommended_opinion: Opinion | None = None
    recommended_words: str | None = None
    recommended_by: UUID | None = None
    proposed_opinion: Opinion | None = None
    proposed_words: str | None = None
    proposed_by: UUID | None = None
    act_id: UUID | None = None
    publication_id: UUID | None = None

    @classmethod
    def begun_by(cls, event: ApplicationSubmitted) -> Self:
        """The first that is heard of an application's submissions."""
        begun = cls(
            application_no=event.application_no,
            region=event.region,
            site=event.site,
            year=event.year,
            pack_id=event.pack_id,
            pack_version=event.pack_version,
            route=event.route,
            facts=event.facts.model_dump(mode="json"),
            round=event.round,
            revision=event.revision,
            submitted_at=event.submitted_at,
            changed_items=list(event.changed_items),
            required_items=list(event.required_items),
            uploads=event.uploads,
        )
        begun._keep_photo(event.registration_photo)
        return begun

    def resubmit(self, event: ApplicationSubmitted) -> Heard:
        """Handed in again: an unpublished decision is void, a claim ends.

        It goes to the tier that returned it; to the site after a withdrawal, and where the site is another one now.
        """
        heard = self._hear(event.revision, State.SUBMITTED)
        if heard is Heard.NEW:
            if event.site != self.site:
                self.tier = "site"
            self.region = event.region
            self.site = event.site
            self.year = event.year
            self.pack_id = event.pack_id
            self.pack_version = event.pack_version
            self.route = event.route
            self.facts = event.facts.model_dump(mode="json")
            self.round = event.round
            self.submitted_at = event.submitted_at
            self.changed_items = list(event.changed_items)
            self.required_items = list(event.required_items)
            self.uploads = event.uploads
            self._keep_photo(event.registration_photo)
        return heard

    def reopen(self, event: ApplicationReopened) -> Heard:
        """The system gave it back to the candidate: nobody is offered it until it is handed in again."""
        return self._hear(event.revision, State.RETURNED)

    def withdraw(self, event: ApplicationWithdrawn) -> Heard:
        """The candidate took it back: if it is handed in again, it begins at the site."""
        heard = self._hear(event.revision, State.WITHDRAWN)
        if heard is Heard.NEW:
            self.tier = "site"
        elif heard is Heard.OLD and self.published_at is None:
            self._back_to_site_if_passed_before(event.revision)
        return heard

    def lapse(self, event: ApplicationLapsed) -> Heard:
        """The deadline passed while it was with the candidate."""
        # A return by staff raises no revision, so a lapse may name the one that was returned.
        if event.revision == self.revision and self.state in {State.RETURNED, State.WITHDRAWN}:
            self._become(State.LAPSED)
            return Heard.NEW
        return self._hear(event.revision, State.LAPSED)

    def overtaken_by(self, revision: int, state: State) -> None:
        """A reopening, withdrawal or lapse was heard before the submission that it is about."""
        self._hear(revision, state)

    def let_in(self) -> None:
        """Every image was checked: its tier may take it."""
        self._become(QUEUE[self.tier])
        if self.tier == "site" and self.route == "onsite":
            self.queue = "onsite"
        else:
            self.queue = "resubmitted" if self.round > 1 else "new"

    def is_held_by(self, staff: Staff, now: datetime) -> bool:
        """True while this person's claim lasts."""
        return self.claimed_by == staff.id and self.claimed_until is not None and self.claimed_until > now

    def is_held(self, now: datetime) -> bool:
        """True while anybody's claim lasts."""
        return self.claimed_by is not None and self.claimed_until is not None and self.claimed_until > now

    def claim(self, by: Staff, now: datetime, lease: timedelta) -> bool:
        """Take it, or take it for longer; True when it was not this person's before.

        Raises:
            Conflict: another holds it, or it does not wait at this person's tier.
        """
        self._must_be_at(by.tier)
        mine = self.is_held_by(by, now)
        if not mine and self.is_held(now):
            raise Conflict(
                "claimed-by-another",
                "该报名正由其他审核人员处理，请领取下一份。",
                "Another reviewer holds this application. Claim the next one.",
            )
        self.claimed_by, self.claimed_until = by.id, now + lease
        return not mine

    def release(self, by: Staff, now: datetime) -> bool:
        """Give it back to the queue; False when it was not this person's."""
        if not self.is_held_by(by, now):
            return False
        self._end_claim()
        return True

    def must_be_held_by(self, by: Staff, now: datetime, revision: int | None = None) -> None:
        """Refuse an act on what one does not hold, or on an older revision than the present one."""
        if revision is not None and revision != self.revision:
            raise Conflict(
                "revision-changed",
                "考生已提交新的版本，请刷新页面后按最新材料审核。",
                "The candidate handed in a newer revision. Reload and look at what changed.",
                round=self.round,
                revision=self.revision,
                changed_items=self.changed_items,
            )
        self._must_be_at(by.tier)
        if not self.is_held_by(by, now):
            raise not_claimed()

    def return_items(self, by: Staff, marks: Sequence[Mark], now: datetime) -> ReviewFeedback:
        """Give the marked items back to the candidate: exactly those unlock, told as one event."""
        returned = [mark for mark in marks if mark.mark == "return"]
        if not returned:
            raise Invalid(
                "nothing-marked",
                "还没有标记要退回的材料，请先标记再退回。",
                "No item is marked `return`. Mark those that the candidate must replace.",
            )
        if len(returned) > MOST_RETURNED:
            raise Invalid(
                "too-many-marked",
                f"一次最多退回 {MOST_RETURNED} 项材料。",
                f"One return takes {MOST_RETURNED} items at most.",
            )
        self._become(State.RETURNED)
        self.returns += 1
        self._end_claim()
        return ReviewFeedback(
            application_no=self.application_no,
            region=self.region,
            site=self.site,
            feedback_id=uuid4(),
            round=self.round,
            revision=self.revision,
            tier=by.tier,
            items=tuple(
                ReturnedItem(
                    item=mark.item,
                    image_ids=mark.image_ids,
                    reason_code=mark.reason_code or "",
                    words=mark.words or "",
                    same_images_allowed=mark.same_images_allowed,
                )
                for mark in returned
            ),
            returned_at=now,
        )

    def pass_on(self, marks: Sequence[Mark], now: datetime) -> ReviewDecided:
        """The site finds nothing amiss: on to the region."""
        must_have_no_return(marks)
        self._become(State.AT_REGION)
        self.queue = "new"
        self.tier = "region"
        self.passed_revision = self.revision
        self._end_claim()
        return self._decided("site", "passed_site", now)

    def send_back(self, now: datetime) -> ReviewDecided:
        """The region wants the site to look again."""
        self._become(State.AT_SITE)
        self.queue = "sent_back"
        self.tier = "site"
        self._end_claim()
        return self._decided("region", "sent_back", now)

    def decide(self, opinion: Opinion, words: str, marks: Sequence[Mark], now: datetime) -> ReviewDecided:
        """The region's final opinion. Nobody outside sees it before it is published."""
        if opinion == "approved":
            must_have_no_return(marks)
        elif not words:
            raise Invalid(
                "words-missing",
                "请写明理由，公布后考生会看到这段文字。",
                "Write `words`: the candidate reads them once the opinion is published.",
            )
        self._become(State.DECIDED)
        self.opinion = opinion
        self._end_claim()
        return self._decided("region", opinion, now)

    def publish(self, publication_id: UUID, words: str, effective_at: datetime) -> ReviewPublished:
        """Release the opinion; from now on it stays what it is."""
        if self.state is not State.DECIDED or self.opinion is None or self.published_at is not None:
            raise _illegal_move(self.state, "published")
        self.published_at = effective_at
        return ReviewPublished(
            application_no=self.application_no,
            region=self.region,
            site=self.site,
            publication_id=publication_id,
            round=self.round,
            revision=self.revision,
            opinion=self.opinion,
            words=words,
            effective_at=effective_at,
        )

    def _hear(self, revision: int, state: State) -> Heard:
        if revision <= self.revision:
            return Heard.OLD
        if self.published_at is not None:
            return Heard.LATE
        self._become(state)
        self.revision = revision
        self.opinion = None
        self._end_claim()
        return Heard.NEW

    def _back_to_site_if_passed_before(self, withdrawn_revision: int) -> None:
        """A withdrawal was heard after the submission that followed it: that one begins at the site all the same."""
        waits = self.state is State.SUBMITTED or (self.state is State.AT_REGION and self.claimed_by is None)
        if self.tier != "region" or not waits or self.passed_revision >= withdrawn_revision:
            return
        self.tier = "site"
        if self.state is State.AT_REGION:
            self._become(State.AT_SITE)
            self.queue = "resubmitted" if self.round > 1 else "new"

    def _keep_photo(self, photo: HandedInPhoto | None) -> None:
        self.photo_key = photo.object_key if photo else None
        self.photo_sha256 = photo.sha256 if photo else None
        self.photo_size = photo.size if photo else None
        self.photo_accepted_at = photo.accepted_at if photo else None

    def _end_claim(self) -> None:
        self.claimed_by = self.claimed_until = None

    def _must_be_at(self, tier: Tier) -> None:
        if self.state is not QUEUE[tier]:
            zh, en = _ELSEWHERE[self.state]
            raise Conflict("not-in-your-queue", zh, en, state=self.state.value)

    def _decided(
        self,
        tier: Tier,
        outcome: Literal["passed_site", "approved", "rejected", "disqualified", "sent_back"],
        now: datetime,
    ) -> ReviewDecided:
        return ReviewDecided(
            application_no=self.application_no,
            region=self.region,
            site=self.site,
            round=self.round,
            revision=self.revision,
            tier=tier,
            outcome=outcome,
            decided_at=now,
        )

    def _become(self, state: State) -> None:
        if state not in MOVES[self.state]:
            raise _illegal_move(self.state, state)
        self.state = state
        self.queue = None


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


def _illegal_move(state: State, wanted: str) -> Conflict:
    return Conflict(
        "illegal-move",
        "当前状态不能进行此操作，请刷新页面。",
        f"It is {state} and can't become {wanted}. Reload the page.",
        state=state.value,
    )
