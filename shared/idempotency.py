"""`Idempotency-Key` on every POST: the same request again gets the saved answer, another under the key is refused."""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Header
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import Column, DateTime, Index, Integer, LargeBinary, MetaData, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from shared.errors import BadRequest, Invalid

# A client that lost its connection comes back within a day.
KEPT_FOR = timedelta(hours=48)
_KEY = re.compile(r"[\x21-\x7e]{8,100}")


def idempotency_table(metadata: MetaData) -> Table:
    """Saved answers by who asked and under which key."""
    return Table(
        "idempotency_keys",
        metadata,
        Column("owner", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("request_hash", LargeBinary, nullable=False),
        Column("status", Integer, nullable=False),
        Column("answer", JSONB, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Index("idempotency_keys_created_at", "created_at"),
    )


@dataclass(frozen=True)
class Answer:
    """What a POST says, in a form that can be saved."""

    status: int
    body: dict[str, Any]

    def response(self) -> JSONResponse:
        """The HTTP response."""
        return JSONResponse(self.body, self.status)


async def _key(idempotency_key: Annotated[str | None, Header()] = None) -> str:
    if idempotency_key is None or not _KEY.fullmatch(idempotency_key):
        raise BadRequest(
            "idempotency-key-missing",
            "请求缺少 Idempotency-Key，请刷新页面后重试。",
            "Send an Idempotency-Key header of 8 to 100 printable ASCII characters: a UUID made once per action.",
        )
    return idempotency_key


IdempotencyKey = Annotated[str, Depends(_key)]


def fingerprint(path: str, body: BaseModel | None = None) -> bytes:
    """What makes two requests the same: where to, and with what."""
    content = body.model_dump(mode="json") if body is not None else None
    return hashlib.sha256(json.dumps([path, content], sort_keys=True).encode()).digest()


async def once(
    session: AsyncSession, owner: str, key: str, request: bytes, work: Callable[[], Awaitable[Answer]]
) -> Answer:
    """Do `work` once per key, in the caller's transaction; afterwards give the saved answer.

    Args:
        session: the caller's transaction.
        owner: who asks (keys of two people never meet).
        key: the request's Idempotency-Key.
        request: its `fingerprint`.
        work: what to do the first time.

    Raises:
        Invalid: the key was used for another request.
    """
    who = {"owner": owner, "key": key}
    # Two requests with one key at once: the second waits here, then finds the first one's answer.
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:owner || chr(31) || :key, 0))"), who)
    saved = (
        await session.execute(
            text("SELECT request_hash, status, answer FROM idempotency_keys WHERE owner = :owner AND key = :key"), who
        )
    ).first()
    if saved is not None:
        if bytes(saved.request_hash) != request:
            raise Invalid(
                "idempotency-key-reused",
                "同一 Idempotency-Key 不能用于不同的请求，请刷新页面后重试。",
                "This Idempotency-Key was used for another request: make a new key for each action.",
            )
        body = saved.answer if isinstance(saved.answer, dict) else json.loads(saved.answer)
        return Answer(saved.status, body)
    answer = await work()
    await session.execute(
        text(
            "INSERT INTO idempotency_keys (owner, key, request_hash, status, answer) "
            "VALUES (:owner, :key, :request, :status, CAST(:answer AS jsonb))"
        ),
        who | {"request": request, "status": answer.status, "answer": json.dumps(answer.body)},
    )
    return answer


async def forget_old(session: AsyncSession) -> None:
    """Drop saved answers that nobody comes back for."""
    await session.execute(
        text("DELETE FROM idempotency_keys WHERE created_at < now() - CAST(:kept AS interval)"), {"kept": KEPT_FOR}
    )
