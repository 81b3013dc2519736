"""What an application becomes by what upload tells: handed in, given back by the system, withdrawn, lapsed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from services.review.domain.record import Record
from services.review.domain.states import QUEUE, Heard, State
from shared.contracts.upload import (
    ApplicationLapsed,
    ApplicationReopened,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    HandedInPhoto,
)


@dataclass(eq=False)
class Hearing(Record):
    """An application that follows upload's revisions."""

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
            # Of a round that nobody was offered, too: what it changed was never looked at.
            self.changed_items = sorted({*self.changed_items, *event.changed_items})
            self.required_items = list(event.required_items)
            self.uploads = event.uploads
            self._keep_photo(event.registration_photo)
        return heard

    def reopen(self, event: ApplicationReopened) -> Heard:
        """The system gave it back to the candidate: nobody is offered it until it is handed in again."""
        return self._hear(event.revision, State.RETURNED)

    def withdraw(self, event: ApplicationWithdrawn, now: datetime) -> Heard:
        """The candidate took it back: if it is handed in again, it begins at the site.

        Args:
            event: what was told.
            now: when it is heard: a claim that has run out by then is nobody's work.
        """
        heard = self._hear(event.revision, State.WITHDRAWN)
        if heard is Heard.NEW:
            self.tier = "site"
        elif heard is Heard.OLD and not self.is_frozen:
            self._back_to_site_if_passed_before(event.revision, now)
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

    def is_overtaken_by(self, revision: int) -> bool:
        """True where hearing this revision makes void what staff did and nobody was told of yet."""
        return self.act_id is not None and revision > self.revision

    def let_in(self) -> None:
        """Every image was checked: its tier may take it."""
        self._become(QUEUE[self.tier])
        self._queue_up()

    def note_overtaken(self, event: ApplicationSubmitted) -> None:
        """A submission was heard after what took it back: the next one tells no more what this one changed."""
        self.round = event.round
        self.changed_items = sorted({*self.changed_items, *event.changed_items})

    def _queue_up(self) -> None:
        if self.tier == "site" and self.route == "onsite":
            self.queue = "onsite"
        else:
            self.queue = "resubmitted" if self.round > 1 else "new"

    def _hear(self, revision: int, state: State) -> Heard:
        if revision <= self.revision:
            return Heard.OLD
        if self.is_frozen:
            return Heard.LATE
        self._become(state)
        self.revision = revision
        self.opinion = None
        self._drop_recommendation()
        self._drop_proposal()
        self._end_claim()
        return Heard.NEW

    def _back_to_site_if_passed_before(self, withdrawn_revision: int, now: datetime) -> None:
        """A withdrawal was heard after the submission that followed it: that one begins at the site all the same."""
        untouched = not self.is_held(now) and self.act_id is None and self.proposed_opinion is None
        waits = self.state is State.SUBMITTED or (self.state is State.AT_REGION and untouched)
        if self.tier != "region" or not waits or self.passed_revision >= withdrawn_revision:
            return
        self.tier = "site"
        if self.state is State.AT_REGION:
            self._end_claim()
            self._become(State.AT_SITE)
            self._queue_up()

    def _keep_photo(self, photo: HandedInPhoto | None) -> None:
        self.photo_key = photo.object_key if photo else None
        self.photo_sha256 = photo.sha256 if photo else None
        self.photo_size = photo.size if photo else None
        self.photo_accepted_at = photo.accepted_at if photo else None
