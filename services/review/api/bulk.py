"""Passing many at once: one result for each, in the order asked; nothing is half-done."""

from http import HTTPStatus

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from services.review import shapes
from services.review.api.acts import pending_shown
from services.review.api.edge import Edge, EdgeGiven
from services.review.use_cases import audit, bulk
from shared.contracts.rules import Text
from shared.errors import Forbidden, Invalid, NotFound, Refusal, Unavailable
from shared.idempotency import Answer, IdempotencyKey, fingerprint, once

log = structlog.get_logger(__name__)
router = APIRouter(tags=["acts"])


@router.post("/bulk-passes", status_code=HTTPStatus.CREATED, response_model=shapes.BulkPassed)
async def bulk_pass(body: shapes.BulkPass, request: Request, edge: EdgeGiven, key: IdempotencyKey) -> JSONResponse:
    """Pass those that nothing speaks against. Each is looked at again; what is not clean says why and stays."""
    await _begin(edge, request, key, body)
    results = [await _one(edge, request, key, each) for each in body.applications]
    return JSONResponse(shapes.BulkPassed(results=results).model_dump(mode="json"), HTTPStatus.CREATED)


async def _begin(edge: Edge, request: Request, key: str, body: shapes.BulkPass) -> None:
    """Refuse the whole request, or take its key; what is done with each application has a key of its own."""
    numbers = [each.application_no for each in body.applications]
    if len(set(numbers)) < len(numbers):
        raise Invalid(
            "application-twice", "同一报名不能重复选择，请刷新页面。", "An application is named twice. Name each once."
        )
    async with edge.asked(request) as (session, staff):
        staff.must_review()

        async def begun() -> Answer:
            return Answer(HTTPStatus.CREATED, {})

        await once(session, f"staff:{staff.id}", key, fingerprint(request.url.path, body), begun)


async def _one(edge: Edge, request: Request, key: str, asked: shapes.OneOfMany) -> shapes.BulkResult:
    """One application in its own transaction. Asked again under the key, it has the result that it had."""
    try:
        async with edge.asked(request) as (session, staff):

            async def answer() -> Answer:
                try:
                    async with session.begin_nested():
                        done = await bulk.pass_clean(
                            session,
                            edge.key_ring,
                            edge.shelf,
                            staff,
                            asked.application_no,
                            asked.revision,
                            edge.lease,
                            edge.undo,
                        )
                except Unavailable:
                    raise  # it passes: kept under the key, no second try would ever be another
                except Refusal as refusal:
                    if isinstance(refusal, Forbidden | NotFound):
                        await audit.refused(session, staff, _asked_for(asked.application_no), refusal)
                    result = _refused(asked.application_no, refusal)
                else:
                    result = shapes.BulkResult(
                        application_no=asked.application_no,
                        ok=True,
                        code=None,
                        words=None,
                        act=pending_shown(done.held),
                    )
                return Answer(HTTPStatus.CREATED, result.model_dump(mode="json"))

            saved = await once(
                session,
                f"staff:{staff.id}",
                f"{key} {asked.application_no}",
                fingerprint(request.url.path, asked),
                answer,
            )
        return shapes.BulkResult.model_validate(saved.body)
    except Refusal as refusal:
        # Such as a role that was taken away in the middle, or rules that have not arrived.
        return _refused(asked.application_no, refusal)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("bulk.one_failed", application_no=asked.application_no, error=type(error).__name__)
        return shapes.BulkResult(
            application_no=asked.application_no,
            ok=False,
            code="temporarily-unavailable",
            words=Text(
                zh="系统暂时繁忙，该份未处理，请稍后重试。", en="It was not dealt with just now. Try again in a moment."
            ),
            act=None,
        )


def _asked_for(application_no: str) -> audit.Asked:
    return audit.Asked("bulk_pass", "POST /bulk-passes", application_no)


def _refused(application_no: str, refusal: Refusal) -> shapes.BulkResult:
    return shapes.BulkResult(
        application_no=application_no,
        ok=False,
        code=refusal.code,
        words=Text(zh=refusal.zh, en=refusal.en),
        act=None,
    )
