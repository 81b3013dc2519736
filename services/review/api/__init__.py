"""HTTP in: staff sessions, the queues, one application, publications."""

from fastapi import APIRouter

from services.review.api import publications, reviews, sessions
from services.review.api.edge import Edge
from shared.problems import described

router = APIRouter(responses=described(400, 401, 403, 404, 409, 422, 503))
for part in (sessions, reviews, publications):
    router.include_router(part.router)

__all__ = ["Edge", "router"]
