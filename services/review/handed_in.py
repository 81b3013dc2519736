"""The images of an application, each with what the check, the reading and the search for copies say of it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables

# More than that nobody looks at on a screen.
MOST_IMAGES = 1000

_IMAGES = tables.images.c
_READ = tables.readings.alias("read")
_SEEN = tables.readings.alias("seen")
_EVERY = (
    select(
        tables.images,
        tables.checks.c.verdict.label("checked_verdict"),
        tables.checks.c.reason,
        tables.checks.c.findings,
        # Null where nothing was told yet; what was read stays sealed.
        _READ.c.wanted,
        _READ.c.mirrored,
        _READ.c.sealed,
        _SEEN.c.copies,
    )
    .outerjoin(tables.checks, tables.checks.c.image_id == _IMAGES.image_id)
    .outerjoin(
        _READ,
        and_(
            _READ.c.image_id == _IMAGES.image_id,
            _READ.c.about == "reading",
            _READ.c.application_no == _IMAGES.application_no,
        ),
    )
    .outerjoin(
        _SEEN,
        and_(
            _SEEN.c.image_id == _IMAGES.image_id,
            _SEEN.c.about == "copies",
            _SEEN.c.application_no == _IMAGES.application_no,
        ),
    )
    .order_by(_IMAGES.uploaded_at, _IMAGES.image_id)
    .limit(MOST_IMAGES)
)


async def images_of(session: AsyncSession, application_no: str) -> Sequence[Row[Any]]:
    """Every image that was ever handed in, oldest first."""
    return (await session.execute(_EVERY.where(_IMAGES.application_no == application_no))).all()
