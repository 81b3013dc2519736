"""Finding an application by its number, or a candidate by a whole name or ID number, within one's scope."""

import re
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true, union
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import cursors, tables
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
# Namesakes, or numbers with the same beginning, of all scopes: no more are looked at for one page.
LOOKED = 1000
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


async def found_by(
    session: AsyncSession, key_ring: KeyRing, lookup: Lookup, staff: Staff, q: str, cursor: str | None
) -> Page:
    """One page of what fits, by number; whatever form it has, all of number, ID number and name are tried.

    Most of what fits may be others': then a page is short and leads on behind the last one looked at.

    Args:
        session: any.
        key_ring: opens the names, which are masked here.
        lookup: hashes what is only kept sealed.
        staff: whose scope it is.
        q: what was typed.
        cursor: where the page before ended.

    Raises:
        Forbidden: this person has no lists.
        Invalid: the cursor is none (`cursor-invalid`).
    """
    staff.must_have_lists()
    after = cursors.read(cursor, cursors.number)[0] if cursor is not None else None
    await in_order(session)
    looked = (await session.execute(looked_at(lookup, staff, q, after))).all()
    found = [row.application_no for row in looked if row.matches]
    leads_on = None
    if len(found) > MOST:
        leads_on = cursors.written(found[MOST - 1])
    elif looked and looked[-1].nth == LOOKED:
        leads_on = cursors.written(looked[-1].application_no)
    return Page(items=await rows_of(session, key_ring, staff, found[:MOST], clock.now()), next=leads_on)


def looked_at(lookup: Lookup, staff: Staff, q: str, after: str | None) -> Select[*tuple[Any, ...]]:
    """What fits in one's scope, one more than `MOST`; the last one looked at is there too, whose ever it is.

    Args:
        lookup: hashes what is only kept sealed.
        staff: whose scope it is.
        q: what was typed.
        after: the number that the page before ended with.
    """
    fitting = union(*(select(part.subquery()) for part in _fitting(lookup, q, after))).subquery()
    number = fitting.c.application_no
    looked = select(number).order_by(number).limit(LOOKED).subquery()
    # Row by row: joined, 30,000 reviews were read beside the thousand. Who has handed in nothing is in no scope yet.
    matches = select(true()).where(_R.application_no == looked.c.application_no, _within(staff)).scalar_subquery()
    nth = func.row_number().over(order_by=looked.c.application_no)
    numbered = select(looked.c.application_no, matches.label("matches"), nth.label("nth")).subquery()
    return (
        select(numbered)
        .where(or_(numbered.c.matches, numbered.c.nth == LOOKED))
        .order_by(numbered.c.application_no)
        .limit(MOST + 1)
    )


def _fitting(lookup: Lookup, q: str, after: str | None) -> list[Select[*tuple[Any, ...]]]:
    """By each way of asking, the first `LOOKED` numbers behind `after`: an index has each in this order."""
    asked = folded(q).upper()
    by_person = select(_A.application_no)
    fitting = [
        by_person.where(_A.id_number_hash == lookup.id_number(q)),
        by_person.where(_A.name_hash == lookup.name(q)),
    ]
    by_number = select(_R.application_no)
    if _BEGINNING.fullmatch(asked):
        # As a range, which the number's index has; nothing that a number may hold sorts behind Z.
        fitting.append(by_number.where(_R.application_no >= asked, _R.application_no <= asked + "Z" * 32))
    elif _NUMBER.fullmatch(asked):
        fitting.append(by_number.where(_R.application_no == asked))
    ordered = []
    for each in fitting:
        [number] = each.selected_columns
        behind = each if after is None else each.where(number > after)
        ordered.append(behind.order_by(number).limit(LOOKED))
    return ordered


def _within(staff: Staff) -> ColumnElement[bool]:
    if staff.region is None:
        return true()
    in_region = _R.region == staff.region
    return in_region if staff.site is None else and_(in_region, _R.site == staff.site)
