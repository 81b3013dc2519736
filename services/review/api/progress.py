"""The dashboard: how the work of a site or a region goes."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.review import shapes
from services.review.api.edge import EdgeGiven
from services.review.queries.progress import scope_of

router = APIRouter(prefix="/progress", tags=["progress"])

RegionWanted = Annotated[str | None, Query(pattern=r"^[0-9a-z]{2,16}$")]
SiteWanted = Annotated[str | None, Query(pattern=r"^[0-9a-z-]{2,24}$")]
YearWanted = Annotated[int | None, Query(ge=2000, le=2100)]


@router.get("")
async def read_progress(
    request: Request, edge: EdgeGiven, year: YearWanted = None, site: SiteWanted = None, region: RegionWanted = None
) -> shapes.Progress:
    """The figures of one's site or region, a minute old at most. The operator says which region's."""
    async with edge.asked(request) as (session, staff):
        scope = await scope_of(session, staff, region=region, site=site, year=year)
    return await edge.boards.of(edge.sessions, scope, staff)
