"""What tests of accounts do again and again: captchas, failed logins, requests from elsewhere."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
from sqlalchemy import text

from services.upload.captchas import Captchas
from tests.upload.conftest import NUMBER, Upload

ORIGIN = "http://127.0.0.1:8100"


def captchas_of(upload: Upload) -> Captchas:
    """The service's own, which know the right answers."""
    found: Captchas = upload.service.app.state.edge.captchas
    return found


async def a_captcha(upload: Upload, answer: str | None = None) -> dict[str, str]:
    """A fresh one, with an answer; the right one if none is given."""
    made = await upload.client.post("/candidate/captchas", json={})
    assert made.status_code == 201, made.text
    captcha_id = made.json()["captcha_id"]
    return {"captcha_id": captcha_id, "answer": answer or captchas_of(upload).digits(UUID(captcha_id))}


def another_than(digits: str) -> str:
    """A wrong answer of the same kind."""
    return f"{(int(digits) + 1) % 10**5:05d}"


async def fails(upload: Upload, times: int, login: str = NUMBER) -> list[httpx.Response]:
    """Wrong passwords, one after the other."""
    return [await upload.log_in(login, "not it") for _ in range(times)]


async def forget_attempts(upload: Upload) -> None:
    """Fifteen minutes later, as far as counting goes."""
    async with upload.service.sessions.begin() as session:
        await session.execute(text("UPDATE attempts SET at = at - interval '15 minutes'"))


@asynccontextmanager
async def somewhere_else(upload: Upload, address: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at another address."""
    transport = httpx.ASGITransport(app=upload.service.app, raise_app_exceptions=False, client=(address, 4711))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Origin": ORIGIN}) as client:
        yield client
