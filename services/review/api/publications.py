"""Publishing a region's final opinions."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import shapes
from services.review.api.edge import EdgeGiven
from services.review.domain import Staff
from services.review.use_cases import publications
from shared.idempotency import IdempotencyKey

router = APIRouter(tags=["publications"])


@router.post("/publications", status_code=HTTPStatus.CREATED, response_model=shapes.Published)
async def publish(body: shapes.PublicationOf, request: Request, edge: EdgeGiven, key: IdempotencyKey) -> JSONResponse:
    """Release all decided opinions of the region and year at once."""

    async def work(session: AsyncSession, staff: Staff) -> shapes.Published:
        done = await publications.publish(session, staff, body.region, body.year, edge.publication_delay)
        return shapes.Published(
            publication_id=done.publication_id,
            published=done.published,
            effective_at=done.effective_at,
            told=done.published,
            finished=True,
            supplementary=False,
        )

    return await edge.once(request, key, body, work, tier="region")
