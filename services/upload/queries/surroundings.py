"""What stands around the checklist: windows, the on-site review, contact, links, supplements."""

from datetime import datetime
from typing import Any

from services.upload.checklist import Checklist, line_of, text_of
from services.upload.domain import Application
from services.upload.queries.times import iso
from shared.contracts.rules import WINDOWS, Site, Text, Window


def windows(checklist: Checklist, now: datetime) -> dict[str, Any]:
    """Those that the pack has."""
    found: dict[str, Any] = {}
    for name in WINDOWS:
        window: Window | None = getattr(checklist.pack.windows, name)
        if window is not None:
            found[name] = {
                "opens_at": iso(window.opens_at),
                "closes_at": iso(window.closes_at),
                "open": window.has(now),
                "example": window.example,
            }
    return found


def site(checklist: Checklist, code: str) -> Site:
    """The candidate's site; one that the pack does not know is shown by its code."""
    known = next((site for site in checklist.pack.sites if site.code == code), None)
    return known or Site(code=code, name=Text(zh=code, en=code))


def onsite(of: Application, checklist: Checklist) -> dict[str, Any] | None:
    """Where, when and with what to come; None for who need not."""
    if checklist.onsite is None:
        return None
    place = site(checklist, of.site)
    return {
        "instruction": text_of(checklist.onsite.instruction),
        "site": {
            "name": text_of(place.name),
            "address": text_of(place.address),
            "hours": text_of(place.hours),
            "phone": place.phone,
        },
        "example": checklist.onsite.example,
        "lines": [line_of(line) for line in checklist.onsite.lines],
    }


def contact(checklist: Checklist) -> dict[str, Any] | None:
    """Whom to ask."""
    given = checklist.pack.contact
    if given is None:
        return None
    return {
        "office": text_of(given.office),
        "phone": given.phone,
        "hours": text_of(given.hours),
        "website": given.website,
        "example": given.example,
    }


def links(checklist: Checklist) -> dict[str, str | None]:
    """Other systems."""
    return {"scores": checklist.pack.links.scores, "online_tests": checklist.pack.links.online_tests}


def supplements(of: Application, checklist: Checklist, now: datetime) -> list[dict[str, Any]]:
    """What is handed in later; nothing before an approval is published, or it would tell of one."""
    if of.opinion_at(now) != "approved":
        return []
    return [
        {
            "item": each.item,
            "title": text_of(checklist.pack.items[each.item].title)
            if each.item in checklist.pack.items
            else {"zh": each.item, "en": each.item},
            "due": each.due.isoformat(),
            "reason": text_of(each.reason),
        }
        for each in checklist.supplements
    ]
