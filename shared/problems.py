"""From a refusal to an RFC 9457 problem document: the one place that knows status codes."""

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from shared import errors
from shared.messaging.transient import is_transient

log = structlog.get_logger(__name__)


class Problem(BaseModel):
    """RFC 9457. `detail` is Chinese, `detail_en` English; both say what to do. Some problems have further members."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    detail_en: str


MEDIA_TYPE = "application/problem+json"
_STATUS: dict[type[errors.Refusal], int] = {
    errors.BadRequest: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.RequestTimedOut: 408,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.UnsupportedType: 415,
    errors.Invalid: 422,
    errors.TooManyRequests: 429,
    errors.Unavailable: 503,
}
_PLAIN: dict[int, tuple[str, str, str]] = {
    400: (
        "malformed-request",
        "请求内容无法识别，请刷新页面后重试。",
        "The body can't be read. Send JSON in UTF-8, without endless nesting or numbers.",
    ),
    404: ("not-found", "没有这个页面或资源。", "There is nothing here."),
    405: ("method-not-allowed", "不支持这种操作。", "This method is not possible here."),
    413: ("too-large", "内容太大。", "The request is too large."),
}


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These problems for a router's `responses`: they appear in the OpenAPI document."""
    return {status: {"model": Problem, "content": {MEDIA_TYPE: {}}} for status in statuses}


def problem(status: int, code: str, zh: str, en: str, **extra: object) -> JSONResponse:
    """A problem document. `detail` is Chinese, `detail_en` English; both say what to do."""
    headers = {}
    if status in {429, 503}:
        headers["Retry-After"] = str(extra.get("retry_after_s", 2))
    body: dict[str, Any] = {
        "type": f"urn:baoshen:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": zh,
        "detail_en": en,
    }
    return JSONResponse(body | extra, status, media_type=MEDIA_TYPE, headers=headers)


def status_of(refusal: errors.Refusal) -> int:
    """The HTTP status of a refusal."""
    return next(_STATUS[kind] for kind in type(refusal).__mro__ if kind in _STATUS)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.Refusal)  # noqa: S101 registered for this class only
    return problem(status_of(error), error.code, error.zh, error.en, **error.extra)


async def _malformed(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 registered for this class only
    # Names of fields and kinds of fault only: the values may be personal data.
    faults = [
        {"field": ".".join(str(part) for part in fault["loc"]), "fault": fault["type"]} for fault in error.errors()[:20]
    ]
    if any(fault["fault"] == "json_invalid" for fault in faults):
        return problem(400, "malformed-json", "请求内容不是有效的 JSON。", "The body is not valid JSON.", faults=faults)
    return problem(
        422,
        "invalid-request",
        "请求内容不符合要求，请按提示修改。",
        "The request does not fit: see `faults` for the fields.",
        faults=faults,
    )


async def _plain(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 registered for this class only
    code, zh, en = _PLAIN.get(error.status_code, ("refused", "请求被拒绝。", "The request was refused."))
    return problem(error.status_code, code, zh, en)


def away() -> JSONResponse:
    """A part that is needed does not answer now."""
    return problem(
        503,
        "temporarily-unavailable",
        "系统暂时繁忙，请稍后重试；已提交的内容不会丢失。",
        "A part of the system does not answer now. Send the same request again; nothing is half-done.",
        retry_after_s=2,
    )


def broken(error: Exception) -> JSONResponse:
    """What nobody foresaw: 503 where it passes by itself, else 500, and a line in the log."""
    if is_transient(error):
        log.warning("request.part_away", error=type(error).__name__)
        return away()
    log.error("request.broke", error=type(error).__name__, exc_info=error)
    return problem(
        500,
        "internal-error",
        "系统出现错误，已记录。请稍后重试。",
        "Something broke on our side and was written down. Try again later.",
    )


def speak_problems(app: FastAPI) -> None:
    """Every refusal of `app` is a problem document (what breaks is caught by `shared.web`)."""
    app.add_exception_handler(errors.Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _plain)
