"""The registration system's accounts over HTTP; the contract is docs/accounts.md."""

import asyncio
from types import TracebackType

import httpx
import structlog
from pydantic import BaseModel, ValidationError

from shared.contracts.event import ApplicationNo
from shared.database import Sessions
from shared.errors import Unavailable

log = structlog.get_logger(__name__)

CONNECT_S = 2.0
WHOLE_S = 5.0
# A connection that was not made has asked nothing: trying again is safe. An answer is final.
_PAUSES_S = (0.1, 0.4)
_LONGEST_ANSWER = 16 * 1024


class _Found(BaseModel):
    application_no: ApplicationNo


class _OddAnswer(Exception):
    """Not one that the contract knows."""


class HttpAccounts:
    """Asks the registration system whether a login and a password belong together. Open it before it is asked.

    Args:
        url: its address, without `/accounts/check`.
        token: what we show it; empty: nothing.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self._url = url.rstrip("/") + "/accounts/check"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def __aenter__(self) -> "HttpAccounts":
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(WHOLE_S, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=50, max_keepalive_connections=10),
            headers=self._headers,
            follow_redirects=False,  # a password goes to the address that was configured, and nowhere else
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def check(self, _sessions: Sessions, login: str, password: str) -> str | None:
        """See `Accounts`."""
        try:
            async with asyncio.timeout(WHOLE_S):
                return await self._ask({"login": login.strip().upper(), "password": password})
        except (httpx.HTTPError, TimeoutError, _OddAnswer) as error:
            why = str(error) if isinstance(error, _OddAnswer) else type(error).__name__
            log.warning("accounts.away", why=why)
            raise Unavailable(
                "accounts-unavailable",
                "报名系统的账号服务暂时无法访问，请稍后再试。您的密码可能没有问题，不必修改。",
                "The registration system does not answer just now: try again in a moment. Your password may be right.",
                retry_after_s=5,
            ) from None

    async def _ask(self, body: dict[str, str]) -> str | None:
        for pause in (*_PAUSES_S, None):
            try:
                return await self._ask_once(body)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if pause is None:
                    raise
                await asyncio.sleep(pause)
        raise AssertionError  # the last round returns or raises

    async def _ask_once(self, body: dict[str, str]) -> str | None:
        async with self._http.stream("POST", self._url, json=body) as answer:
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                return None
            if answer.status_code != httpx.codes.OK:
                raise _OddAnswer(f"status {answer.status_code}")
            content = bytearray()
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > _LONGEST_ANSWER:
                    raise _OddAnswer("longer than any answer")
        try:
            return _Found.model_validate_json(bytes(content)).application_no
        except ValidationError:
            raise _OddAnswer("not the JSON of the contract") from None
