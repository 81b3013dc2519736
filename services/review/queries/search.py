"""Finding an application by its number, or a candidate by a whole name or ID number, within one's scope."""

import re
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, select, true, union
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Staff
from services.review.lists import in_order
from services.review.lookup import Lookup
from services.review.queries.rows import rows_of
from services.review.shapes import Page
from shared import clock
from shared.folding import folded
from shared.security.sealing import KeyRing

Kind = Literal["number", "id_number", "name"]
MOST = 50
# Namesakes, or numbers with the same beginning, in all scopes: no more are looked at.
_LOOKED = 2000
_NUMBER = re.compile(r"[0-9A-Z]{4,32}")
_BEGINNING = re.compile(r"[0-9A-Z]{6,31}")
# A mainland card's, of either length, or a passport's and the like: letters before digits.
_ID_NUMBER = re.compile(r"[0-9]{15}|[0-9]{17}[0-9X]|[A-Z]{1,3}[0-9]{6,10}")
_R = tables.reviews.c
_A = tables.applications.c


def kind_of(q: str) -> Kind:
    """What was asked for, by its form; all that is written down of a search."""
    asked = folded(q).upper()
    if _ID_NUMBER.fullmatch(asked):
        return "id_number"
    return "number" if _NUMBER.fullmatch(asked) and any(sign.isdigit() for sign in asked) else "name"


async def found_by(session: AsyncSession, key_ring: KeyRing, lookup: Lookup, staff: Staff, q: str) -> Page:
    """What fits, `MOST` at most, by number; whatever form it has, all of number, ID number and name are tried.

    Args:
        session: any.
        key_ring: opens the names, which are masked here.
        lookup: hashes what is only kept sealed.
        staff: whose scope it is.
        q: what was typed.

    Raises:
        Forbidden: this person has no lists.
    """
    staff.must_have_lists()
    await in_order(session)
    asked = folded(q).upper()
    fitting = union(*(each.limit(_LOOKED) for each in _fitting(lookup, q, asked))).subquery()
    found = await session.scalars(
        select(_R.application_no)
        .where(_R.application_no.in_(select(fitting.c.application_no)), _within(staff))
        .order_by(_R.application_no)
        .limit(MOST)
    )
    return Page(items=await rows_of(session, key_ring, staff, found.all(), clock.now()), next=None)


def _fitting(lookup: Lookup, q: str, asked: str) -> list[Select[*tuple[Any, ...]]]:
    by_person = select(_A.application_no)
    fitting = [
        by_person.where(_A.id_number_hash == lookup.id_number(q)),
        by_person.where(_A.name_hash == lookup.name(q)),
    ]
    by_number = select(_R.application_no).order_by(_R.application_no)
    if _BEGINNING.fullmatch(asked):
        # As a range, which the number's index has; nothing that a number may hold sorts behind Z.
        fitting.append(by_number.where(_R.application_no >= asked, _R.application_no <= asked + "Z" * 32))
    elif _NUMBER.fullmatch(asked):
        fitting.append(by_number.where(_R.application_no == asked))
    return fitting


def _within(staff: Staff) -> ColumnElement[bool]:
    if staff.region is None:
        return true()
    in_region = _R.region == staff.region
    return in_region if staff.site is None else and_(in_region, _R.site == staff.site)
