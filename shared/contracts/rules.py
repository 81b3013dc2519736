"""Rule packs as they travel: a region's rules for one year, as data. Evaluating conditions is not done here."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.contracts.event import Event, ItemCode, PackId, ReasonCode, RegionCode, SiteCode


class PackPart(BaseModel):
    """A part of a pack: an unknown key is a mistake of the pack's author, so it is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(PackPart):
    """A text that people read: Chinese first, English beside it."""

    zh: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    en: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Site(PackPart):
    """An exam site (考点) of the region."""

    code: SiteCode
    name: Text


class Region(PackPart):
    """The exam region (考区) that the pack is for."""

    code: RegionCode
    name: Text


class ItemRule(PackPart):
    """One kind of material: what it is, how many images it takes, and who must hand it in.

    Attributes:
        required_when: a CEL condition over the facts; true makes the item required.
        offered_when: a CEL condition; true shows the item as one that may be handed in. An item that is neither
            required nor offered is still shown, but not asked for.
        min: images that a required item needs at least.
        max: images that it takes at most; equal to `min` where the count is fixed.
    """

    title: Text
    instruction: Text
    reason: Text | None = None
    channel: Literal["upload", "onsite", "both"] = "upload"
    required_when: str = "false"
    offered_when: str = "true"
    min: Annotated[int, Field(ge=1, le=20)] = 1
    max: Annotated[int, Field(ge=1, le=20)] = 5


class Section(PackPart):
    """A heading of the checklist with its items in order."""

    title: Text
    items: Annotated[tuple[ItemCode, ...], Field(min_length=1, max_length=60)]


class Pack(PackPart):
    """A region's rules for one year."""

    id: PackId
    version: Annotated[int, Field(ge=1)]
    region: Region
    year: Annotated[int, Field(ge=2000, le=2100)]
    exam: Text
    sites: Annotated[tuple[Site, ...], Field(min_length=1, max_length=500)]
    route: Literal["online", "onsite", "both"] = "online"
    sections: Annotated[tuple[Section, ...], Field(min_length=1, max_length=40)]
    items: dict[ItemCode, ItemRule]
    reasons: dict[ReasonCode, Text]

    def ordered_items(self) -> list[ItemCode]:
        """Every item in the order of the sections."""
        return [code for section in self.sections for code in section.items]


class RulesPublished(Event):
    """A version of a pack is in force. Every service keeps every version."""

    topic: ClassVar[str] = "rules.published.v1"
    compacted: ClassVar[bool] = True

    pack: Pack

    @property
    def key(self) -> str:
        return f"{self.pack.id}@{self.pack.version}"
