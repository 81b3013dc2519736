"""What is done with an application as a whole, and undoing it while nobody was told."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import shapes
from services.review.api.edge import EdgeGiven, NumberGiven
from services.review.domain import Recommended, Staff
from services.review.use_cases import acts, false_materials, pending
from services.review.use_cases.acts import Done
from services.review.use_cases.pending import Held
from shared.idempotency import IdempotencyKey

router = APIRouter(prefix="/reviews", tags=["acts"])


@router.post("/{application_no}/returns", status_code=HTTPStatus.CREATED, response_model=shapes.Returned)
async def return_items(
    application_no: NumberGiven, body: shapes.Return, request: Request, edge: EdgeGiven, key: IdempotencyKey
) -> JSONResponse:
    """Give the marked items back to the candidate; exactly those unlock."""

    async def work(session: AsyncSession, staff: Staff) -> shapes.Returned:
        done = await acts.return_items(session, edge.shelf, staff, application_no, body.revision, edge.undo)
        return shapes.Returned(
            feedback_id=done.feedback.feedback_id,
            items=[shapes.ReturnedItemShown(**item.model_dump()) for item in done.feedback.items],
            act=pending_shown(done.held),
        )

    return await edge.once(request, key, body, work)


@router.post("/{application_no}/passes", status_code=HTTPStatus.CREATED, response_model=shapes.Moved)
async def pass_on(
    application_no: NumberGiven, body: shapes.Pass, request: Request, edge: EdgeGiven, key: IdempotencyKey
) -> JSONResponse:
    """The site passes the application to its region, with what it recommends where it would not approve."""
    recommended = Recommended(body.recommends.opinion, body.recommends.words) if body.recommends else None

    async def work(session: AsyncSession, staff: Staff) -> shapes.Moved:
        return _moved(
            await acts.pass_on(session, edge.shelf, staff, application_no, body.revision, recommended, edge.undo)
        )

    return await edge.once(request, key, body, work, tier="site")


@router.post("/{application_no}/send-backs", status_code=HTTPStatus.CREATED, response_model=shapes.Moved)
async def send_back(
    application_no: NumberGiven, body: shapes.SendBack, request: Request, edge: EdgeGiven, key: IdempotencyKey
) -> JSONResponse:
    """The region lets the site look again."""

    async def work(session: AsyncSession, staff: Staff) -> shapes.Moved:
        return _moved(
            await acts.send_back(session, edge.shelf, staff, application_no, body.words, body.revision, edge.undo)
        )

    return await edge.once(request, key, body, work, tier="region")


@router.post("/{application_no}/decisions", status_code=HTTPStatus.CREATED, response_model=shapes.Moved)
async def decide(
    application_no: NumberGiven, body: shapes.Decision, request: Request, edge: EdgeGiven, key: IdempotencyKey
) -> JSONResponse:
    """The region's final opinion, which shows once it is published; or a proposal, where two must agree to reject."""

    async def work(session: AsyncSession, staff: Staff) -> shapes.Moved:
        return _moved(
            await acts.decide(
                session, edge.shelf, staff, application_no, body.outcome, body.words, body.revision, edge.undo
            )
        )

    return await edge.once(request, key, body, work, tier="region")


@router.post("/{application_no}/second-looks", status_code=HTTPStatus.CREATED, response_model=shapes.Moved)
async def look_again(
    application_no: NumberGiven, body: shapes.SecondLook, request: Request, edge: EdgeGiven, key: IdempotencyKey
) -> JSONResponse:
    """The second reviewer agrees to what is proposed, or does not."""

    async def work(session: AsyncSession, staff: Staff) -> shapes.Moved:
        return _moved(
            await acts.look_again(
                session, edge.shelf, staff, application_no, body.agree, body.words, body.revision, edge.undo
            )
        )

    return await edge.once(request, key, body, work, tier="region")


@router.post("/{application_no}/false-material", status_code=HTTPStatus.CREATED, response_model=shapes.Recorded)
async def record_false_material(
    application_no: NumberGiven, body: shapes.FalseMaterial, request: Request, edge: EdgeGiven, key: IdempotencyKey
) -> JSONResponse:
    """Put false material on record; it is never taken off."""

    async def work(session: AsyncSession, staff: Staff) -> shapes.Recorded:
        return shapes.Recorded(
            record_id=await false_materials.record(
                session, edge.shelf, staff, application_no, body.item, body.image_ids, body.words, edge.lease
            )
        )

    return await edge.once(request, key, body, work)


@router.delete("/{application_no}/acts/{act_id}", status_code=HTTPStatus.NO_CONTENT)
async def undo(application_no: NumberGiven, act_id: UUID, request: Request, edge: EdgeGiven) -> None:
    """Undo one's own act while nobody was told of it; the claim is one's own again."""
    async with edge.asked(request) as (session, staff):
        await pending.undo(session, staff, application_no, act_id, edge.lease)


def pending_shown(held: Held | None) -> shapes.Pending | None:
    """An act that may be undone, for its answer."""
    return shapes.Pending(act_id=held.act_id, kind=held.kind, undo_until=held.undo_until) if held else None


def _moved(done: Done) -> shapes.Moved:
    review = done.review
    return shapes.Moved(
        application_no=review.application_no,
        state=review.state.value,
        round=review.round,
        revision=review.revision,
        proposed=review.proposed_opinion is not None,
        act=pending_shown(done.held),
    )
