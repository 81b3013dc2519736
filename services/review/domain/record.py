"""What is known of one application on its way through the tiers, and the one place where its state changes."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from services.review.domain.states import LOOKED_AT, MOVES, NEVER, TOLD, Queue, State, illegal_move
from shared.contracts.review import Opinion, Tier


@dataclass(eq=False)  # equal only if it is the same row
class Record:
    """One submitted application.

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

    # What an act may change, so what undoing it restores; the claim is given back for a whole lease.
    _RESTORED: ClassVar[tuple[str, ...]] = (
        "state",
        "changed_items",
        "tier",
        "queue",
        "opinion",
        "returns",
        "passed_revision",
        "recommended_opinion",
        "recommended_words",
        "recommended_by",
        "proposed_opinion",
        "proposed_words",
        "proposed_by",
    )

    @property
    def is_frozen(self) -> bool:
        """True once a publication has it: its opinion stays what it is."""
        return self.publication_id is not None or self.published_at is not None

    def is_held(self, now: datetime) -> bool:
        """True while anybody's claim lasts."""
        return self.claimed_by is not None and self.claimed_until is not None and self.claimed_until > now

    def snapshot(self) -> dict[str, Any]:
        """What an act may change, in a form that can be kept."""
        values = {name: getattr(self, name) for name in self._RESTORED}
        return {name: str(value) if isinstance(value, UUID) else value for name, value in values.items()}

    def restore(self, before: dict[str, Any]) -> None:
        """As if the act that may still be undone had never been made. Nobody holds it."""
        for name in self._RESTORED:
            value = before[name]
            if name.endswith("_by") and value is not None:
                value = UUID(value)
            setattr(self, name, State(value) if name == "state" else value)
        self.act_id = None
        self._end_claim()

    def _end_claim(self) -> None:
        self.claimed_by = self.claimed_until = None

    def _drop_recommendation(self) -> None:
        self.recommended_opinion = self.recommended_words = self.recommended_by = None

    def _drop_proposal(self) -> None:
        self.proposed_opinion = self.proposed_words = self.proposed_by = None

    def _become(self, state: State) -> None:
        if state not in MOVES[self.state]:
            raise illegal_move(self.state, state)
        if self.state in LOOKED_AT and state in TOLD:
            self.changed_items = []  # staff had them before their eyes
        self.state = state
        self.queue = None
