"""Seeing a whole ID number: an act of its own, on record before it is shown."""

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Review, Staff, no_such_application
from services.review.use_cases import audit
from shared import clock
from shared.contracts.event import Person, Sealed
from shared.errors import NotFound
from shared.security.sealing import KeyRing

log = structlog.get_logger(__name__)


async def reveal(session: AsyncSession, key_ring: KeyRing, by: Staff, application_no: str) -> Person:
    """The candidate's whole data, under one's own claim.

    Raises:
        Conflict: this person does not hold the application.
        Forbidden: somebody who only reads.
        NotFound: no such application for this person, or the data was erased.
    """
    by.must_review()
    review = await session.get(Review, application_no)
    if review is None or not by.sees(review.region, review.site):
        raise no_such_application()
    review.must_be_held_by(by, clock.now())
    sealed = await session.scalar(
        select(tables.applications.c.sealed).where(tables.applications.c.application_no == application_no)
    )
    try:
        person = key_ring.open_if_kept(Sealed.model_validate(sealed)) if sealed else None
    except ValueError:
        log.exception("sealed.not_intact")
        person = None
    if person is None:
        raise NotFound(
            "person-not-kept",
            "该考生的个人信息已删除或尚未收到。",
            "The candidate's personal data was erased, or has not arrived yet.",
        )
    await audit.seen(session, by, "id_number_seen", application_no)
    return person
