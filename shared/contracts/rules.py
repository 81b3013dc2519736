"""Rule packs as they travel: a region's rules for one year, as data. Evaluating conditions is not done here.

A condition is CEL over the facts of `shared.contracts.facts` and gives a bool; a count by condition gives an int.
"""

from datetime import date, datetime, timedelta
from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from shared.contracts.event import Event, ItemCode, PackId, ReasonCode, RegionCode, SiteCode

Route = Literal["online", "onsite", "both"]
"""Who is reviewed from uploads (`online`), in person (`onsite`), or first the one and then the other (`both`)."""
Condition = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
"""A CEL expression over the facts."""
ReadableField = Literal["id_number", "name", "valid_until", "certificate_number"]
"""What can be read from an image of a paper, as advice to staff."""
Link = Annotated[str, StringConstraints(pattern=r"^https?://[^\s\"'<>]{3,300}$")]
MessageAbout = Literal[
    "submitted",
    "returned",
    "image_failed",
    "registration_changed",
    "withdrawn",
    "deadline_near",
    "lapsed",
    "published",
]
REASON_PLACES = ("item", "site", "region", "deadline")
"""What the words of a return reason may leave open, as `{item}`: filled in before the reviewer sends them."""
REASON_BLANKS = ("page", "what", "which")
"""What they may leave to the reviewer: which page, what is meant, which one of several."""
WINDOWS = ("registration", "upload", "change", "review", "publishing", "payment")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"no time zone is called {name}; use one such as Asia/Shanghai") from None
    return name


def _naive(at: datetime) -> datetime:
    if at.tzinfo is not None:
        raise ValueError("give the local time without an offset: the window has its own time_zone")
    return at


LocalTime = Annotated[datetime, AfterValidator(_naive)]


class PackPart(BaseModel):
    """A part of a pack: an unknown key is a mistake of the pack's author, so it is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(PackPart):
    """A text that people read: Chinese first, English beside it."""

    zh: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    en: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Site(PackPart):
    """An exam site (考点) of the region, with where and when on-site candidates come."""

    code: SiteCode
    name: Text
    address: Text | None = None
    hours: Text | None = None
    phone: Annotated[str, StringConstraints(max_length=40)] | None = None


class Region(PackPart):
    """The exam region (考区) that the pack is for."""

    code: RegionCode
    name: Text


class Contact(PackPart):
    """Whom candidates of the region may ask."""

    office: Text
    phone: Annotated[str, StringConstraints(max_length=40)] | None = None
    hours: Text | None = None
    website: Link | None = None
    example: bool = False
    """True where the region's document does not give it: an example, to be replaced."""


class Links(PackPart):
    """Other systems that the page's tabs lead to."""

    scores: Link | None = None
    online_tests: Link | None = None


class Window(PackPart):
    """From `opens` on and before `closes`, both local times of `time_zone`.

    Attributes:
        example: True where the region's document does not give these dates.
    """

    opens: LocalTime
    closes: LocalTime
    time_zone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    example: bool = False

    @property
    def opens_at(self) -> datetime:
        """Aware."""
        return self.opens.replace(tzinfo=ZoneInfo(self.time_zone))

    @property
    def closes_at(self) -> datetime:
        """Aware; the first moment that is too late."""
        return self.closes.replace(tzinfo=ZoneInfo(self.time_zone))

    def has(self, now: datetime) -> bool:
        """Is it open at this (aware) time?"""
        return self.opens_at <= now < self.closes_at


class Windows(PackPart):
    """When what may be done. A window that is left out is always open.

    Attributes:
        registration: the registration system takes registrations (报名); shown, enforced there.
        upload: candidates add images and submit for the first time, or again after a change of their own.
        change: candidates withdraw, and a registration that changes reopens the application.
        review: staff review; candidates replace and resubmit what was returned until it closes.
        publishing: the region publishes its final opinions.
        payment: approved candidates pay.
    """

    registration: Window | None = None
    upload: Window | None = None
    change: Window | None = None
    review: Window | None = None
    publishing: Window | None = None
    payment: Window | None = None


class ReasonWhen(PackPart):
    """Why an item is required of candidates for whom `when` holds."""

    when: Condition
    words: Text


class ItemRule(PackPart):
    """One kind of material: what it is, how many images it takes, and who must hand it in.

    Attributes:
        reason: why it is required, in words to the candidate ("because you …").
        reasons: where there are several reasons: the first whose condition holds is shown instead of `reason`.
        example: the name of the example picture that 示例 opens.
        required_when: a CEL condition over the facts; true makes the item required. Speaks of uploads: an item of
            the channel `onsite` is never required.
        offered_when: a CEL condition; true shows the item as one that may be handed in. An item that is neither
            required nor offered is still shown, but not asked for.
        min: images that a required item needs at least.
        min_by: a CEL expression that gives an int, such as `institutions_count`, where that depends on the facts;
            `min` is its lower bound.
        max: images that it takes at most; equal to `min` where the count is fixed. A larger minimum raises it.
        reads: what is read from its images, as advice to staff.
        stricter_checks: quality checks (`blurred` …) that reject where they would only ask staff to look.
    """

    title: Text
    instruction: Text
    reason: Text | None = None
    reasons: Annotated[tuple[ReasonWhen, ...], Field(max_length=10)] = ()
    example: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,63}$")] | None = None
    channel: Literal["upload", "onsite", "both"] = "upload"
    required_when: str = "false"  # `Condition`, but that its length was published without bounds
    offered_when: str = "true"
    min: Annotated[int, Field(ge=1, le=20)] = 1
    min_by: Condition | None = None
    max: Annotated[int, Field(ge=1, le=20)] = 5
    reads: Annotated[tuple[ReadableField, ...], Field(max_length=4)] = ()
    stricter_checks: Annotated[tuple[ReasonCode, ...], Field(max_length=20)] = ()


class Section(PackPart):
    """A heading of the checklist with its items in order."""

    title: Text
    items: Annotated[tuple[ItemCode, ...], Field(min_length=1, max_length=60)]


class RouteRow(PackPart):
    """A row of the route table. The first whose condition holds decides; the last must always hold.

    Attributes:
        uploads: False: only data is filled in; nothing may be uploaded and no item is required.
        requires: items that this row requires besides what their own conditions say.
    """

    when: Condition
    route: Route
    uploads: bool = True
    requires: Annotated[tuple[ItemCode, ...], Field(max_length=20)] = ()
    reason: Text


class CatalogueLine(PackPart):
    """A paper that is brought to the counter by candidates for whom `when` holds.

    Attributes:
        item: its code; several lines may have the same.
        copies: how many.
        note: such as "original and copy".
    """

    item: ItemCode
    title: Text
    when: Condition = "true"
    copies: Annotated[int, Field(ge=1, le=20)] = 1
    note: Text | None = None


class OnSite(PackPart):
    """The on-site review: for whom, and what to bring.

    Attributes:
        applies_when: candidates who are told to come whatever their route says; those whose route is `onsite` or
            `both` always are. `"false"` with a catalogue: only whom the site calls in.
        instruction: what to know before coming.
        catalogue: what to bring, in order.
    """

    applies_when: Condition = "false"
    instruction: Text
    catalogue: Annotated[tuple[CatalogueLine, ...], Field(max_length=60)] = ()
    example: bool = False


class Supplement(PackPart):
    """An item that approved candidates for whom `when` holds hand in later, by a deadline of its own.

    Attributes:
        due: the last day, in the time zone of the pack's windows.
    """

    item: ItemCode
    when: Condition
    due: date
    reason: Text


class PhotoRule(PackPart):
    """The official size of the registration photo (报名照片): 小2寸 unless the pack says otherwise.

    Attributes:
        max_bytes: the whole file with its receipt has fewer bytes than this.
        receipt_days: so long may a checked photo be handed in.
    """

    width_mm: Annotated[int, Field(ge=20, le=60)] = 33
    height_mm: Annotated[int, Field(ge=20, le=80)] = 48
    width_px: Annotated[int, Field(ge=200, le=1200)] = 390
    height_px: Annotated[int, Field(ge=200, le=1600)] = 567
    max_bytes: Annotated[int, Field(ge=10_000, le=200_000)] = 30_000
    receipt_days: Annotated[int, Field(ge=1, le=180)] = 30


class MessageText(PackPart):
    """The region's own words for a message; what is left out is said in the system's words.

    May use {exam} {region} {site} {round} {items} {deadline} {phone}.
    """

    inbox: Text | None = None
    sms: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None


class Pack(PackPart):
    """A region's rules for one year."""

    id: PackId
    version: Annotated[int, Field(ge=1)]
    region: Region
    year: Annotated[int, Field(ge=2000, le=2100)]
    exam: Text
    sites: Annotated[tuple[Site, ...], Field(min_length=1, max_length=500)]
    contact: Contact | None = None
    links: Links = Links()
    windows: Windows = Windows()
    route: Route = "online"
    routes: Annotated[tuple[RouteRow, ...], Field(max_length=40)] = ()
    """The route table; without one everybody takes `route`."""
    sections: Annotated[tuple[Section, ...], Field(min_length=1, max_length=40)]
    items: dict[ItemCode, ItemRule]
    onsite: OnSite | None = None
    supplements: Annotated[tuple[Supplement, ...], Field(max_length=20)] = ()
    photo: PhotoRule = PhotoRule()
    reasons: dict[ReasonCode, Text]
    messages: dict[MessageAbout, MessageText] = Field(default_factory=dict)
    second_reviewer_on_rejection: bool = False
    """True where a rejection or disqualification needs a second reviewer's consent."""
    service_level_days: Annotated[int, Field(ge=1, le=90)] | None = None
    """So many days after it was handed in, an application should have gone on its way; later ones are escalated."""
    watermark: bool = False
    """True where the viewer of images shows the name of who looks."""

    def ordered_items(self) -> list[ItemCode]:
        """Every item in the order of the sections."""
        return [code for section in self.sections for code in section.items]

    def with_windows_moved(self, by: timedelta) -> Self:
        """The same rules with every window moved, lengths and gaps kept: to play a past year's story today."""
        moved = {
            name: window.model_copy(update={"opens": window.opens + by, "closes": window.closes + by, "example": True})
            for name in WINDOWS
            if (window := getattr(self.windows, name)) is not None
        }
        return self.model_copy(update={"windows": Windows(**moved)})


class RulesPublished(Event):
    """A version of a pack is in force. Every service keeps every version."""

    topic: ClassVar[str] = "rules.published.v1"
    compacted: ClassVar[bool] = True

    pack: Pack

    @property
    def key(self) -> str:
        return f"{self.pack.id}@{self.pack.version}"
