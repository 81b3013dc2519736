"""What staff do with an application, and what each act tells: claims, returns, passes, opinions, second looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from services.review.domain.hearing import Hearing
from services.review.domain.marks import Mark, must_have_no_return
from services.review.domain.refusals import (
    act_pending,
    claimed_by_another,
    needs_second_look,
    not_claimed,
    published_already,
    revision_changed,
    same_reviewer,
    words_missing,
)
from services.review.domain.staff import Staff
from services.review.domain.states import QUEUE, QUEUE_AFTER, State, elsewhere, illegal_move
from services.review.domain.words import must_be_filled_in
from shared.contracts.review import Opinion, ReturnedItem, ReviewDecided, ReviewFeedback, Tier
from shared.errors import Conflict, Invalid

# The contract's limit on one feedback.
MOST_RETURNED = 60


@dataclass(frozen=True)
class Recommended:
    """What a site would have the region decide."""

    opinion: Literal["rejected", "disqualified"]
    words: str


@dataclass(eq=False)
class Review(Hearing):
    """One submitted application on its way through the tiers."""

    def is_held_by(self, staff: Staff, now: datetime) -> bool:
        """True while this person's claim lasts."""
        return self.claimed_by == staff.id and self.claimed_until is not None and self.claimed_until > now

    def claim(self, by: Staff, now: datetime, lease: timedelta) -> bool:
        """Take it, or take it for longer; True when it was not this person's before.

        Raises:
            Conflict: another holds it, it does not wait at this person's tier, an act on it may still be undone, or
                it waits for a second look at this person's own proposal.
        """
        self._must_be_at(by.tier)
        if self.proposed_by == by.id:
            raise same_reviewer()
        mine = self.is_held_by(by, now)
        if not mine and self.is_held(now):
            raise claimed_by_another()
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
            raise revision_changed(self.round, self.revision)
        self._must_be_at(by.tier)
        if not self.is_held_by(by, now):
            raise not_claimed()

    def return_items(self, by: Staff, marks: Sequence[Mark], now: datetime) -> ReviewFeedback:
        """Give the marked items back to the candidate: exactly those unlock, told as one event."""
        self._must_not_be_proposed()
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

    def pass_on(
        self, by: Staff, marks: Sequence[Mark], now: datetime, recommended: Recommended | None = None
    ) -> ReviewDecided:
        """The site has looked: on to the region, with what it recommends where it would not approve."""
        must_have_no_return(marks)
        if recommended is not None:
            must_be_filled_in(recommended.words)
        self._become(State.AT_REGION)
        self.queue = QUEUE_AFTER["pass"]
        self.tier = "region"
        self.passed_revision = self.revision
        self._drop_recommendation()
        if recommended is not None:
            self.recommended_opinion, self.recommended_words = recommended.opinion, recommended.words
            self.recommended_by = by.id
        self._end_claim()
        return self._decided("site", "passed_site", now)

    def send_back(self, now: datetime) -> ReviewDecided:
        """The region wants the site to look again, so what the site recommended is no longer its word."""
        self._must_not_be_proposed()
        self._become(State.AT_SITE)
        self.queue = QUEUE_AFTER["send_back"]
        self.tier = "site"
        self._drop_recommendation()
        self._end_claim()
        return self._decided("region", "sent_back", now)

    def decide(self, opinion: Opinion, words: str, marks: Sequence[Mark], now: datetime) -> ReviewDecided:
        """The region's final opinion. Nobody outside sees it before it is published."""
        self._must_not_be_proposed()
        _must_be_founded(opinion, words, marks)
        return self._settle(opinion, now)

    def propose(self, by: Staff, opinion: Opinion, words: str, marks: Sequence[Mark]) -> None:
        """A region reviewer would reject; a second one must agree. Nothing is told."""
        self._must_not_be_proposed()
        _must_be_founded(opinion, words, marks)
        if self.state is not State.AT_REGION:
            raise illegal_move(self.state, "proposed")
        self.proposed_opinion, self.proposed_words, self.proposed_by = opinion, words, by.id
        self.queue = QUEUE_AFTER["propose"]
        self._end_claim()

    def agree(self, by: Staff, now: datetime, remark: str = "") -> tuple[ReviewDecided, Opinion, str]:
        """The second reviewer agrees: it is decided, with the opinion and the words of the first.

        Args:
            by: the second reviewer.
            now: when.
            remark: for colleagues, beside those words.
        """
        opinion, words = self._proposal_for(by)
        must_be_filled_in(remark)
        self._drop_proposal()
        return self._settle(opinion, now), opinion, words

    def disagree(self, by: Staff, words: str) -> None:
        """The second reviewer does not agree: it waits anew, and nothing is told."""
        self._proposal_for(by)
        if not words:
            raise Invalid(
                "words-missing",
                "不同意时请写明理由，供考区同事参考。",
                "Write `words`: your colleagues read why you don't agree.",
            )
        must_be_filled_in(words)
        self._drop_proposal()
        self.queue = QUEUE_AFTER["disagree"]
        self._end_claim()

    def hold(self, act_id: UUID) -> None:
        """What was just done may be undone for a while: until it is told, nobody is offered the application."""
        self.act_id = act_id
        self.queue = None

    def _must_be_at(self, tier: Tier) -> None:
        if tier == "site" and self.tier == "region":
            # Which act is under way there, or whether it is published yet, is the region's own.
            raise elsewhere(self.state)
        if self.is_frozen:
            raise published_already(self.state.value)
        if self.act_id is not None:
            raise act_pending(self.state.value)
        if self.state is not QUEUE[tier]:
            raise elsewhere(self.state)

    def _must_not_be_proposed(self) -> None:
        if self.proposed_opinion is not None:
            raise needs_second_look()

    def _proposal_for(self, by: Staff) -> tuple[Opinion, str]:
        if self.proposed_opinion is None:
            raise Conflict(
                "nothing-proposed",
                "该报名没有待复核的意见，请刷新页面。",
                "Nothing waits for a second look here. Reload the page.",
            )
        if self.proposed_by == by.id:
            raise same_reviewer()
        return self.proposed_opinion, self.proposed_words or ""

    def _settle(self, opinion: Opinion, now: datetime) -> ReviewDecided:
        self._become(State.DECIDED)
        self.opinion = opinion
        self._end_claim()
        return self._decided("region", opinion, now)

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


def _must_be_founded(opinion: Opinion, words: str, marks: Sequence[Mark]) -> None:
    if opinion == "approved":
        must_have_no_return(marks)
    elif not words:
        raise words_missing()
    must_be_filled_in(words)
