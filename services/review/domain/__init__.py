"""An application's way through the two tiers: its states, who may move it, and what each move tells. No I/O."""

from services.review.domain.marks import Mark
from services.review.domain.readings import Outcome, gravest, outcome_of, today_in_china
from services.review.domain.refusals import no_such_application, no_such_item, not_claimed, revision_changed
from services.review.domain.reviews import Recommended, Review
from services.review.domain.staff import Role, Staff
from services.review.domain.states import FINISHED, MOVES, NEVER, QUEUE, QUEUE_AFTER, Heard, Kind, Queue, State
from services.review.domain.words import open_places, reasons_of, without_blanks

__all__ = [
    "FINISHED",
    "MOVES",
    "NEVER",
    "QUEUE",
    "QUEUE_AFTER",
    "Heard",
    "Kind",
    "Mark",
    "Outcome",
    "Queue",
    "Recommended",
    "Review",
    "Role",
    "Staff",
    "State",
    "gravest",
    "no_such_application",
    "no_such_item",
    "not_claimed",
    "open_places",
    "outcome_of",
    "reasons_of",
    "revision_changed",
    "today_in_china",
    "without_blanks",
]
