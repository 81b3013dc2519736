"""Each way to break a published event is planted, and found."""

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import Field, StringConstraints

from deploy.contracts.compatibility import Change, changes
from deploy.contracts.export import current_schemas
from deploy.contracts.schemas import KEY, Schema, schema_of
from shared.contracts.event import ApplicationNo, Event, Part

TOPIC = "paper.stamped.v1"


class Stamp(Part):
    """A part of the event."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,8}$")]
    words: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class PaperStamped(Event):
    """An invented event with everything in it that can be broken."""

    topic: ClassVar[str] = TOPIC

    application_no: ApplicationNo
    colour: Literal["red", "blue"]
    pages: Annotated[int, Field(ge=1, le=20)]
    weight: float | None = None
    route: Literal["online", "onsite"] = "online"
    stamps: Annotated[tuple[Stamp, ...], Field(min_length=1, max_length=60)]
    measures: dict[str, float] = Field(default_factory=dict)
    stamped_at: datetime


Plant = Callable[[Schema], object]


def planted(plant: Plant) -> list[Change]:
    published = schema_of(PaperStamped)
    current = deepcopy(published)
    plant(current)
    return changes({TOPIC: published}, {TOPIC: current})


def field(schema: Schema, name: str) -> Schema:
    found: Schema = schema["properties"][name]
    return found


def stamp(schema: Schema) -> Schema:
    found: Schema = schema["$defs"]["Stamp"]
    return found


BREAKS: dict[str, tuple[str, Plant]] = {
    "a field is removed": ("pages", lambda s: s["properties"].pop("pages")),
    "an optional field is removed": ("weight", lambda s: s["properties"].pop("weight")),
    "a field is renamed": ("pages", lambda s: s["properties"].update(sheets=s["properties"].pop("pages"))),
    "a new field is required": (
        "place",
        lambda s: (s["properties"].update(place={"type": "string"}), s["required"].append("place")),
    ),
    "a field becomes required": ("route", lambda s: (field(s, "route").pop("default"), s["required"].append("route"))),
    "a type changes": ("pages", lambda s: field(s, "pages").update(type="string")),
    "a whole number becomes any number": ("pages", lambda s: field(s, "pages").update(type="number")),
    "a field can't be absent any more": ("weight", lambda s: s["properties"].update(weight={"type": "number"})),
    "a value leaves an enum": ("colour", lambda s: field(s, "colour").update(enum=["red"])),
    "an enum becomes one value": (
        "colour",
        lambda s: (field(s, "colour").pop("enum"), field(s, "colour").update(const="red")),
    ),
    "a free text becomes an enum": ("stamps[].words", lambda s: stamp(s)["properties"]["words"].update(enum=["ok"])),
    "a pattern is added": ("stamps[].words", lambda s: stamp(s)["properties"]["words"].update(pattern="^A")),
    "a pattern changes": ("stamps[].code", lambda s: stamp(s)["properties"]["code"].update(pattern="^[a-z]{2,9}$")),
    "a text gets shorter": ("stamps[].words", lambda s: stamp(s)["properties"]["words"].update(maxLength=99)),
    "a text must be longer": ("stamps[].words", lambda s: stamp(s)["properties"]["words"].update(minLength=2)),
    "a length is limited": ("stamps[].code", lambda s: stamp(s)["properties"]["code"].update(maxLength=8)),
    "a number's lowest rises": ("pages", lambda s: field(s, "pages").update(minimum=2)),
    "a number's highest falls": ("pages", lambda s: field(s, "pages").update(maximum=19)),
    "a list gets shorter": ("stamps", lambda s: field(s, "stamps").update(maxItems=59)),
    "a list needs more": ("stamps", lambda s: field(s, "stamps").update(minItems=2)),
    "a part loses a field": ("stamps[].words", lambda s: stamp(s)["properties"].pop("words")),
    "a part needs a new field": (
        "stamps[].by",
        lambda s: (stamp(s)["properties"].update(by={"type": "string"}), stamp(s)["required"].append("by")),
    ),
    "a table's values change": (
        "measures{}",
        lambda s: field(s, "measures").update(additionalProperties={"type": "string"}),
    ),
    "a table's keys are limited": (
        "measures{key}",
        lambda s: field(s, "measures").update(propertyNames={"pattern": "a"}),
    ),
    "a format changes": ("stamped_at", lambda s: field(s, "stamped_at").update(format="date")),
    "a default means something else": ("route", lambda s: field(s, "route").update(default="onsite")),
    "the key changes": ("", lambda s: s.update({KEY: "{colour}"})),
    "something unheard of appears": ("stamps", lambda s: field(s, "stamps").update(uniqueItems=True)),
}
WIDENS: dict[str, tuple[str, Plant]] = {
    "an enum gets a value": ("colour", lambda s: field(s, "colour")["enum"].append("green")),
    "an enum becomes free": ("colour", lambda s: field(s, "colour").pop("enum")),
    "a text may be longer": ("stamps[].words", lambda s: stamp(s)["properties"]["words"].update(maxLength=200)),
    "a pattern is dropped": ("stamps[].code", lambda s: stamp(s)["properties"]["code"].pop("pattern")),
    "a number may be higher": ("pages", lambda s: field(s, "pages").update(maximum=40)),
    "a list has no limit": ("stamps", lambda s: field(s, "stamps").pop("maxItems")),
    "a field may be left out": ("colour", lambda s: s["required"].remove("colour")),
    "a field may be null": (
        "pages",
        lambda s: s["properties"].update(pages={"anyOf": [field(s, "pages"), {"type": "null"}]}),
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_it_breaks_when(name: str) -> None:
    path, plant = BREAKS[name]

    found = planted(plant)

    assert {change.path for change in found if change.kind == "breaks"} == {path}, found


@pytest.mark.parametrize("name", WIDENS)
def test_it_only_widens_when(name: str) -> None:
    path, plant = WIDENS[name]

    found = planted(plant)

    assert [(change.path, change.kind) for change in found] == [(path, "widens")]


def test_a_new_optional_field_is_welcome_at_any_depth() -> None:
    def plant(schema: Schema) -> None:
        schema["properties"]["place"] = {"type": "string", "default": "desk"}
        stamp(schema)["properties"]["by"] = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}

    found = planted(plant)

    assert {(change.path, change.kind) for change in found} == {("place", "adds"), ("stamps[].by", "adds")}


def test_other_words_about_a_field_change_nothing() -> None:
    def plant(schema: Schema) -> None:
        schema["description"] = "Somebody stamped a paper."
        field(schema, "pages")["description"] = "Sheets, really."
        # The same part under another name.
        schema["$defs"]["Seal"] = schema["$defs"].pop("Stamp")
        field(schema, "stamps")["items"] = {"$ref": "#/$defs/Seal"}

    assert planted(plant) == []


def test_a_topic_that_is_gone_breaks_and_a_new_one_does_not() -> None:
    schema = schema_of(PaperStamped)

    found = changes({TOPIC: schema}, {"paper.stamped.v2": schema})

    assert [(change.topic, change.kind) for change in found] == [(TOPIC, "breaks")]


def test_real_events_compared_with_themselves_have_not_changed() -> None:
    assert changes(current_schemas(), deepcopy(current_schemas())) == []


def test_an_event_written_anew_shows_each_difference() -> None:
    class Anew(Event):
        """The same topic, told by somebody who has not read the published schema."""

        topic: ClassVar[str] = TOPIC

        application_no: ApplicationNo
        colour: Literal["red", "green"]
        pages: str
        stamps: tuple[Stamp, ...]
        stamped_at: datetime
        stamped_by: str

        @property
        def key(self) -> str:
            return f"{self.application_no}/{self.colour}"

    found = changes({TOPIC: schema_of(PaperStamped)}, {TOPIC: schema_of(Anew)})

    broken = {change.path for change in found if change.kind == "breaks"}
    assert broken == {"", "colour", "pages", "weight", "route", "measures", "stamped_by"}
    assert {change.path for change in found if change.kind == "widens"} == {"colour", "stamps"}
