"""An application's way through the two tiers: its states, who may move it, and what each move tells. No I/O."""

from services.review.domain.marks import Mark
from services.review.domain.readings import Outcome, gravest, outcome_of
from services.review.domain.refusals import no_such_application, no_such_item, not_claimed
from services.review.domain.reviews import FINISHED, MOVES, NEVER, QUEUE, Heard, Queue, Review, State
from services.review.domain.staff import Role, Staff

__all__ = [
    "FINISHED",
    "MOVES",
    "NEVER",
    "QUEUE",
    "Heard",
    "Mark",
    "Outcome",
    "Queue",
    "Review",
    "Role",
    "Staff",
    "State",
    "gravest",
    "no_such_application",
    "no_such_item",
    "not_claimed",
    "outcome_of",
]
