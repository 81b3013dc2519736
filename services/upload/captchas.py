"""Captchas: five digits to be read in a picture, or heard by those who can't see it."""

import asyncio
import hashlib
import hmac
import io
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from captcha.audio import AudioCaptcha
from captcha.image import ImageCaptcha
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.database import Sessions
from shared.errors import BadRequest, NotFound, TooManyRequests, Unavailable
from shared.security.sealing import lookup_hash

VALID_FOR = timedelta(minutes=10)
DIGITS = 5
Form = Literal["drawn", "spoken"]

# Each one drawn looks different, and many pictures of the same digits are easier to read for a machine.
_MOST_OF_ONE = 3
# Speaking takes a core for 0.6 s and a drawing for 0.015 s: one of each at a time, and a short queue.
_LONGEST_QUEUE = 20
_CACHED = 64

_MEASURE: dict[Form, str] = {
    form: f"UPDATE captchas SET {form} = {form} + 1 "
    f"WHERE captcha_id = :id AND expires_at > :now AND {form} < :most RETURNING 1"
    for form in ("drawn", "spoken")
}


@dataclass(frozen=True)
class Captcha:
    """One that was made."""

    captcha_id: UUID
    expires_at: datetime


class Captchas:
    """Makes captchas and checks answers; what is rendered, any process can render.

    Args:
        key: the digits follow from it and the captcha's id, so that they are stored nowhere.
        test_answer: fits every captcha that may still be answered; only development stacks have one.
    """

    def __init__(self, key: bytes, test_answer: str = "") -> None:
        self._key = lookup_hash(key, "captcha")
        self._test_answer = test_answer
        self._image = ImageCaptcha(width=200, height=80)
        self._audio = AudioCaptcha()
        self._cache: OrderedDict[tuple[Form, UUID], bytes] = OrderedDict()
        self._one_at_a_time: dict[Form, asyncio.Semaphore] = {
            "drawn": asyncio.Semaphore(1),
            "spoken": asyncio.Semaphore(1),
        }
        self._waiting = 0

    async def make(self, session: AsyncSession) -> Captcha:
        """A new one."""
        made = Captcha(uuid4(), clock.now() + VALID_FOR)
        await session.execute(
            text("INSERT INTO captchas (captcha_id, expires_at) VALUES (:id, :expires)"),
            {"id": made.captcha_id, "expires": made.expires_at},
        )
        return made

    async def render(self, sessions: Sessions, captcha_id: UUID, form: Form) -> bytes:
        """A PNG, or a WAV.

        Raises:
            NotFound: it was answered, is too old, or was rendered often enough.
            Unavailable: too many wait for theirs.
        """
        known = self._cache.get((form, captcha_id))
        if known is not None:
            return known
        if self._waiting >= _LONGEST_QUEUE:
            raise Unavailable(
                "captchas-busy",
                "验证码生成繁忙，请稍后再试。",
                "Many captchas are being made just now. Try again in a moment.",
                retry_after_s=5,
            )
        self._waiting += 1
        try:
            async with sessions.begin() as session:
                if await session.scalar(text(_MEASURE[form]), self._bound(captcha_id) | {"most": _MOST_OF_ONE}) is None:
                    raise _gone()
            async with self._one_at_a_time[form]:
                made = await asyncio.to_thread(self._draw if form == "drawn" else self._speak, self.digits(captcha_id))
        finally:
            self._waiting -= 1
        self._cache[form, captcha_id] = made
        while len(self._cache) > _CACHED:
            self._cache.popitem(last=False)
        return made

    def has(self, captcha_id: UUID, form: Form) -> bool:
        """Is it rendered already?"""
        return (form, captcha_id) in self._cache

    async def redeem(self, session: AsyncSession, captcha_id: UUID, answer: str) -> bool:
        """Is the answer right? Right or wrong, the captcha is used up; commit also where it was wrong."""
        self._cache.pop(("drawn", captcha_id), None)
        self._cache.pop(("spoken", captcha_id), None)
        gone = await session.scalar(
            text("DELETE FROM captchas WHERE captcha_id = :id RETURNING expires_at > :now"), self._bound(captcha_id)
        )
        given = "".join(unicodedata.normalize("NFKC", answer).split()).encode()
        right = hmac.compare_digest(given, self.digits(captcha_id).encode())
        if self._test_answer:
            right |= hmac.compare_digest(given, self._test_answer.encode())
        return bool(gone) and right

    def digits(self, captcha_id: UUID) -> str:
        """The right answer."""
        number = int.from_bytes(hmac.new(self._key, captcha_id.bytes, hashlib.sha256).digest(), "big")
        return f"{number % 10**DIGITS:0{DIGITS}d}"

    @staticmethod
    def _bound(captcha_id: UUID) -> dict[str, object]:
        return {"id": captcha_id, "now": clock.now()}

    def _draw(self, digits: str) -> bytes:
        made: io.BytesIO = self._image.generate(digits, format="png")
        return made.getvalue()

    def _speak(self, digits: str) -> bytes:
        return bytes(self._audio.generate(digits))


def wrong() -> BadRequest:
    """The answer was wrong, or came too late, or a second time."""
    return BadRequest(
        "captcha-wrong",
        "验证码不正确或已失效，请换一个再试。",
        "The captcha's answer is wrong, or it was used or is too old. Take a new one.",
    )


def needed(_wait: timedelta) -> TooManyRequests:
    """Too many logins failed: one need not wait, but answer a captcha."""
    return TooManyRequests(
        "captcha-needed",
        "登录失败次数较多，请输入验证码后再试。",
        "Too many logins have failed: answer a captcha, and try again.",
        captcha_needed=True,
    )


def _gone() -> NotFound:
    return NotFound("captcha-not-found", "验证码已失效，请换一个。", "This captcha has ended. Take a new one.")


async def forget_old(session: AsyncSession) -> None:
    """Drop those that nobody answered."""
    await session.execute(text("DELETE FROM captchas WHERE expires_at < :now"), {"now": clock.now()})
