"""The candidate's page, whole."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.upload.checklist import Checklist, text_of
from services.upload.contacts import Contacts
from services.upload.domain import Application, State
from services.upload.packs import Shelf
from services.upload.queries import history, photos, surroundings
from services.upload.queries.items import Shown, findings_of, sections
from services.upload.queries.times import iso
from services.upload.rows import application, images_of
from shared import clock
from shared.contracts.event import Person
from shared.errors import Refusal
from shared.security.masking import mask_id_number, mask_phone


async def page(session: AsyncSession, shelf: Shelf, contacts: Contacts, application_no: str) -> dict[str, Any]:
    """Everything that the candidate's page shows of one application."""
    of = await application(session, application_no)
    checklist = await shelf.checklist_for(session, of)
    images = await images_of(session, application_no)
    now = clock.now()
    shown = Shown(of, checklist, images, await findings_of(session, application_no), now)
    return {
        "now": iso(now),
        "seq": of.page_seq,
        "application_no": of.application_no,
        "exam": text_of(checklist.pack.exam),
        "region": {"code": of.region, "name": text_of(checklist.pack.region.name)},
        "site": {"code": of.site, "name": text_of(surroundings.site(checklist, of.site).name)},
        "year": of.year,
        "pack": {"id": checklist.pack.id, "version": checklist.pack.version},
        "candidate": _candidate(await contacts.contact_of(session, of)),
        "facts": of.facts,
        "state": "published" if of.opinion_at(now) else of.state.value,
        "round": of.round,
        "revision": of.revision,
        "locked": of.locked,
        "uploads": checklist.uploads,
        "route": {"route": checklist.route, "reason": text_of(checklist.route_reason)},
        "windows": surroundings.windows(checklist, now),
        "submitted_at": iso(of.submitted_at),
        **_what_may_be_done(shown),
        "sections": await sections(session, shelf, shown),
        "feedback": await history.feedback(session, of, checklist, now),
        "timeline": await history.timeline(session, of.application_no, now),
        "opinion": _opinion(of, now),
        "onsite": surroundings.onsite(of, checklist),
        "contact": surroundings.contact(checklist),
        "links": surroundings.links(checklist),
        "photo_rule": checklist.pack.photo.model_dump(),
        "registration_photo": await photos.registration_photo(session, of.application_no),
        "supplements": surroundings.supplements(of, checklist, now),
    }


def _what_may_be_done(shown: Shown) -> dict[str, Any]:
    of, checklist, now = shown.of, shown.checklist, shown.now
    waited_for = of.window() is not None and of.opinion_at(now) is None
    missing = of.missing(checklist, shown.images) if waited_for else []
    in_time = of.window() is not None and of.out_of_time(checklist, now) is None
    refused = of.withdrawal_refused(checklist, now)
    return {
        "deadline": _deadline(of, checklist),
        "closed": _words(of.closed(checklist, now)),
        "can_submit": in_time and not missing,
        "missing": [
            {
                "item": each.item,
                "title": text_of(checklist.items[each.item].rule.title),
                "problem": each.problem,
                "need": each.need,
            }
            for each in missing
        ],
        "can_withdraw": refused is None,
        "withdraw_refused": _words(refused),
    }


def _deadline(of: Application, checklist: Checklist) -> dict[str, Any] | None:
    at = of.deadline(checklist.pack.windows)
    if at is None:
        return None
    return {"at": iso(at), "what": "resubmit" if of.state is State.RETURNED or of.round else "submit"}


def _words(refusal: Refusal | None) -> dict[str, str] | None:
    return None if refusal is None else {"zh": refusal.zh, "en": refusal.en}


def _opinion(of: Application, now: datetime) -> dict[str, Any] | None:
    opinion = of.opinion_at(now)
    return None if opinion is None else {"opinion": opinion, "words": of.opinion_words, "at": iso(of.effective_at)}


def _candidate(person: Person | None) -> dict[str, str | None]:
    return {
        "name": person.name if person else None,
        "id_number_masked": mask_id_number(person.id_number) if person else None,
        "phone_masked": mask_phone(person.phone) if person else None,
    }
