"""Lists of applications, and claiming from them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import StringConstraints

from services.review.domain import Queue
from services.review.shapes.base import PRINTABLE, Asked, Moment, Told
from shared.contracts.event import ReasonCode, SiteCode
from shared.contracts.review import Opinion

WaitingName = Literal["waiting", "new", "resubmitted", "sent_back", "second_look", "onsite"]
"""`waiting` is all of one's tier's queues but `second_look`."""
QueueName = Literal[
    "waiting",
    "new",
    "resubmitted",
    "sent_back",
    "second_look",
    "onsite",
    "mine",
    "returned",
    "decided",
    "overdue",
    "attention",
    "unfinished",
]
"""`attention`: returned three times, or lapsed after a return. `unfinished`: what holds a publication up."""


class Filters(Asked):
    """What a list or a `next` is narrowed to; what is left out narrows nothing.

    `waiting_since`: handed in at that time or before.
    """

    site: SiteCode | None = None
    category: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")] | None = None
    education: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")] | None = None
    finding: ReasonCode | None = None
    waiting_since: Moment | None = None


class NextClaim(Filters):
    """The oldest that waits in the list, as narrowed."""

    state: WaitingName = "waiting"


class Claimed(Told):
    """One's own from now on, until then."""

    application_no: str
    claimed_until: datetime
    revision: int


class MaskedCandidate(Told):
    """Enough to tell two rows apart."""

    name: str
    id_number: str


class Row(Told):
    """An application in a list.

    `findings`: how many the checks noticed on its present images. `clean`: nothing speaks against a pass in bulk.
    `due_at` is null where the pack has no service level. `recommended` by the site, `proposed` to a second reviewer.
    """

    application_no: str
    candidate_masked: MaskedCandidate
    site: str
    route: str
    category: str
    round: int
    revision: int
    submitted_at: datetime
    state: str
    claimed: bool
    claimed_by_me: bool
    resubmitted: bool
    education: str
    queue: Queue | None
    due_at: datetime | None
    overdue: bool
    returns: int
    findings: int
    clean: bool
    recommended: Opinion | None
    proposed: Opinion | None


class Page(Told):
    """One page of a list; `next` leads on, null at its end."""

    items: list[Row]
    next: str | None


class Search(Asked):
    """An application number, a whole name, or an ID number; in a body, since addresses are logged.

    `cursor`: the `next` of the page before, with the same `q`.
    """

    q: Annotated[str, StringConstraints(min_length=2, max_length=60, pattern=PRINTABLE, strip_whitespace=True)]
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = None


class Counts(Told):
    """How many are in each list, counted up to `most`."""

    counts: dict[QueueName, int]
    most: int
