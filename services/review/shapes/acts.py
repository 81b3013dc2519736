"""What is done with one application, item by item and as a whole; and with many."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from services.review.shapes.base import Asked, Revision, Told, Words
from shared.contracts.event import ApplicationNo, ItemCode, ReasonCode
from shared.contracts.review import Opinion
from shared.contracts.rules import Text

ActKind = Literal["return", "pass", "send_back", "decide", "propose", "agree", "disagree"]


class ItemMark(Asked):
    """A mark on one item; reason and words are for returns, and words are what the candidate reads.

    `same_images_allowed`: the images named may be handed in again; upload refuses the same bytes otherwise.
    """

    mark: Literal["accept", "return"]
    reason_code: ReasonCode | None = None
    words: Words | None = None
    image_ids: Annotated[list[UUID], Field(max_length=60)] | None = None
    same_images_allowed: bool = False
    revision: Revision | None = None


class OnRevision(Asked):
    """An act on the whole application; `revision`, if given, must still be the present one."""

    revision: Revision | None = None


class Return(OnRevision):
    """Give back what is marked."""


class Recommendation(Asked):
    """What a site would have the region decide, since it can't decide itself."""

    opinion: Literal["rejected", "disqualified"]
    words: Annotated[Words, StringConstraints(min_length=1)]


class Pass(OnRevision):
    """Pass on to the region; with what the site recommends, where it would not approve."""

    recommends: Recommendation | None = None


class SendBack(OnRevision):
    """Let the site look again; the words are for its staff."""

    words: Annotated[Words, StringConstraints(min_length=1)]


class Decision(OnRevision):
    """The region's opinion; the words show to the candidate once it is published."""

    outcome: Opinion
    words: Words = ""


class SecondLook(OnRevision):
    """The second reviewer's word on a proposed rejection; who disagrees says why, to colleagues only."""

    agree: bool
    words: Words = ""


class FalseMaterial(Asked):
    """False material, for the record (违纪违规): which images or item, and what is false about them."""

    item: ItemCode | None = None
    image_ids: Annotated[tuple[UUID, ...], Field(max_length=60)] = ()
    words: Annotated[Words, StringConstraints(min_length=1)]


class OneOfMany(Asked):
    """An application as it was seen."""

    application_no: ApplicationNo
    revision: Revision


class BulkPass(Asked):
    """Pass those that nothing speaks against: a site passes them on, a region approves them."""

    applications: Annotated[list[OneOfMany], Field(min_length=1, max_length=50)]


class Pending(Told):
    """An act that is not told yet: until `undo_until` it can be undone."""

    act_id: UUID
    kind: ActKind
    undo_until: datetime


class ReturnedItemShown(Told):
    """An item that unlocked."""

    item: str
    reason_code: str
    words: str
    image_ids: list[UUID]
    same_images_allowed: bool


class Returned(Told):
    """What went back to the candidate."""

    feedback_id: UUID
    items: list[ReturnedItemShown]
    act: Pending | None


class Moved(Told):
    """Where the application is now. `proposed`: the opinion waits for a second reviewer."""

    application_no: str
    state: str
    round: int
    revision: int
    proposed: bool
    act: Pending | None


class Recorded(Told):
    """A record of false material."""

    record_id: UUID


class BulkResult(Told):
    """How it went with one application; `code` and `words` say why not."""

    application_no: str
    ok: bool
    code: str | None
    words: Text | None
    act: Pending | None


class BulkPassed(Told):
    """One result per application, in the order asked."""

    results: list[BulkResult]
