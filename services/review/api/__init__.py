"""HTTP in: staff sessions, the queues, one application, publications."""

from fastapi import APIRouter

from services.review.api import (
    acts,
    audit,
    bulk,
    exports,
    oidc,
    people,
    progress,
    publications,
    queues,
    reviews,
    second_factor,
    sessions,
    staff,
)
from services.review.api.edge import Edge
from shared.problems import described

router = APIRouter(responses=described(400, 401, 403, 404, 409, 422, 429, 503))
for part in (
    sessions,
    second_factor,
    oidc,
    staff,
    queues,
    reviews,
    acts,
    bulk,
    publications,
    progress,
    people,
    audit,
    exports,
):
    router.include_router(part.router)

__all__ = ["Edge", "router"]
