"""Publishing a region's final opinions."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import shapes
from services.review.api.edge import EdgeGiven
from services.review.domain import Staff
from services.review.queries.progress import newest_year
from services.review.queries.publications import publication_of, publications_of, readiness_of, region_of
from services.review.use_cases import publications
from shared.idempotency import IdempotencyKey

router = APIRouter(prefix="/publications", tags=["publications"])

RegionWanted = Annotated[str | None, Query(pattern=r"^[0-9a-z]{2,16}$")]
YearWanted = Annotated[int | None, Query(ge=2000, le=2100)]


@router.post("", status_code=HTTPStatus.CREATED, response_model=shapes.Published)
async def publish(body: shapes.PublicationOf, request: Request, edge: EdgeGiven, key: IdempotencyKey) -> JSONResponse:
    """Release all decided opinions of the region and year at once. They are told from now on, and show later."""

    async def work(session: AsyncSession, staff: Staff) -> shapes.Published:
        done = await publications.publish(
            session,
            staff,
            body.region,
            body.year,
            delay=edge.publication_delay,
            shortest=edge.shortest_publication_delay,
            wanted=body.effective_at,
        )
        return shapes.Published(
            publication_id=done.publication_id,
            published=done.published,
            told=0,
            effective_at=done.effective_at,
            finished=False,
            supplementary=done.supplementary,
        )

    return await edge.once(request, key, body, work, tier="region", roles=("region_admin",))


@router.get("/readiness")
async def read_readiness(
    request: Request, edge: EdgeGiven, year: YearWanted = None, region: RegionWanted = None
) -> shapes.Readiness:
    """What stands in the way of publishing. The operator says which region's; without a year, the newest."""
    async with edge.asked(request) as (session, staff):
        wanted = region_of(staff, region)
        return await readiness_of(session, wanted, year or await newest_year(session, wanted))


@router.get("")
async def list_publications(
    request: Request,
    edge: EdgeGiven,
    region: RegionWanted = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> shapes.Publications:
    """The region's publications, newest first."""
    async with edge.asked(request) as (session, staff):
        return await publications_of(session, region_of(staff, region), cursor, limit)


@router.get("/{publication_id}")
async def read_publication(publication_id: UUID, request: Request, edge: EdgeGiven) -> shapes.PublicationShown:
    """How a publication goes."""
    async with edge.asked(request) as (session, staff):
        return await publication_of(session, staff, publication_id)
