"""Ask a pack of the repo what it wants of a candidate, in few words."""

from functools import lru_cache
from typing import Any

from services.upload.checklist import Checklist, Rules, explain
from shared.contracts.facts import Facts
from tests.builders.events import a_pack


@lru_cache
def rules_of(pack_id: str) -> Rules:
    """Compiled once for all cases."""
    return Rules(a_pack(pack_id, moved=False))


def listed(pack_id: str, **facts: Any) -> Checklist:
    """The checklist of a candidate who differs from the default by these facts."""
    return rules_of(pack_id).checklist(Facts.model_validate(facts))


def required(pack_id: str, **facts: Any) -> set[str]:
    """The codes of what must be uploaded."""
    return {item["item"] for item in explain(listed(pack_id, **facts))["items"] if item["required"]}


def offered_only(pack_id: str, **facts: Any) -> set[str]:
    """The codes of what may be handed in, but need not."""
    return {code for code, item in listed(pack_id, **facts).items.items() if item.offered and not item.required}


def counts(pack_id: str, item: str, **facts: Any) -> tuple[int, int]:
    """(min, max) of one item."""
    found = listed(pack_id, **facts).items[item]
    return found.min, found.max


def reason(pack_id: str, item: str, **facts: Any) -> str:
    """Why the item is required, in Chinese."""
    return listed(pack_id, **facts).items[item].reason.zh


def brought(pack_id: str, **facts: Any) -> list[str]:
    """The codes on the catalogue of the on-site review, in order."""
    return [line["item"] for line in explain(listed(pack_id, **facts))["onsite"]["lines"]]


GOING_UP: dict[str, Any] = {"level": "physician", "upgrading": True, "education": "junior_college"}
FINISHING: dict[str, Any] = {
    "education": "graduate",
    "student_status": "finishing_this_year",
    "entered_on": "2019-09-01",
    "graduated_on": None,
}
GRADUATE: dict[str, Any] = {"education": "graduate", "entered_on": "2016-09-01", "graduated_on": "2019-07-01"}
ASSISTANT: dict[str, Any] = {"level": "assistant", "education": "secondary"}
"""People who come up in every region."""
