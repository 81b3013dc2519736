"""An identity provider (OpenID Connect, authorization code with PKCE): who it says has come.

Its words are trusted as far as its signature goes: keys by discovery, issuer, audience, expiry and nonce are checked.
"""

import asyncio
import base64
import binascii
import json
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import structlog
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from cryptography.exceptions import InvalidTag
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, ValidationError

from shared import clock
from shared.errors import BadRequest, Forbidden, Unavailable
from shared.security.sealing import STAFF_KEY, KeyDestroyed, KeyRing

log = structlog.get_logger(__name__)

VALID_FOR = timedelta(minutes=10)
"""From the click to the way back: a person may have to type a password and a code there."""
_TIMEOUT = httpx.Timeout(5, connect=2)
_LARGEST = 256 * 1024
_KEPT_S = 3600
# A key that we don't know may be a new one; whoever sends us forged ones does not make us ask all the time.
_ASK_AGAIN_AFTER_S = 30
_LEEWAY_S = 30
# Only with a public key: with HS256 the provider's public key would be the password (RS-HS swap).
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]


class _Metadata(BaseModel):
    """What discovery says, as far as we need it."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Journey(BaseModel):
    """What the browser keeps, sealed, while its person is with the provider."""

    model_config = ConfigDict(frozen=True)

    state: str
    nonce: str
    verifier: str
    until: datetime


@dataclass(frozen=True)
class _Kept:
    """What was read from the provider, and when (of a clock that only goes forward)."""

    metadata: _Metadata
    keys: KeySet
    read_at: float


class IdentityProvider:
    """One provider.

    Args:
        issuer: its address, exactly as its discovery document and its tokens have it.
        client_id: ours there.
        client_secret: likewise; empty for a public client.
        name: the button's words.
        redirect_uri: where it sends people back to.
        key_ring: seals what a browser keeps meanwhile.
    """

    def __init__(
        self, issuer: str, client_id: str, client_secret: str, name: str, redirect_uri: str, key_ring: KeyRing
    ) -> None:
        self.issuer = issuer
        self.name = name
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._key_ring = key_ring
        self._kept: _Kept | None = None
        self._reading = asyncio.Lock()

    async def __aenter__(self) -> Self:
        # A redirect, or a proxy of the environment, would see the client's secret.
        self._http = httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False, trust_env=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def begin(self) -> tuple[str, str]:
        """Where to send the browser, and what it keeps until it is back.

        Raises:
            Unavailable: the provider does not answer.
        """
        metadata = (await self._read()).metadata
        journey = Journey(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            until=clock.now() + VALID_FOR,
        )
        url: str = prepare_grant_uri(
            metadata.authorization_endpoint,
            self._client_id,
            "code",
            redirect_uri=self._redirect_uri,
            scope="openid",
            state=journey.state,
            nonce=journey.nonce,
            code_challenge=create_s256_code_challenge(journey.verifier),
            code_challenge_method="S256",
        )
        key_id, sealed = self._key_ring.seal_bytes(journey.model_dump_json().encode(), STAFF_KEY)
        return url, f"{key_id}.{base64.urlsafe_b64encode(sealed).decode()}"

    def journey_of(self, kept: str, state: str) -> Journey:
        """The journey that a browser comes back from.

        Raises:
            BadRequest: it began none here, another one, or too long ago.
        """
        key_id, _, sealed = kept.partition(".")
        try:
            plain = self._key_ring.open_bytes(key_id, base64.urlsafe_b64decode(sealed.encode("ascii")))
            journey = Journey.model_validate_json(plain)
        except (KeyDestroyed, InvalidTag, ValidationError, binascii.Error, ValueError):
            raise wrong_state() from None
        if not secrets.compare_digest(journey.state.encode(), state.encode()) or journey.until <= clock.now():
            raise wrong_state()
        return journey

    async def subject_of(self, code: str, journey: Journey) -> str:
        """Who has come, by the code that the browser brought.

        Raises:
            Forbidden: what the provider said can't be trusted, or it takes the code for none of its own.
            Unavailable: it does not answer.
        """
        kept = await self._read()
        answer = await self._exchange(kept.metadata, code, journey)
        token, access_token = answer.get("id_token"), answer.get("access_token")
        if not isinstance(token, str):
            raise _untrusted("no id_token")
        try:
            try:
                signed = jwt.decode(token, kept.keys, algorithms=_ALGORITHMS)
            except (InvalidKeyIdError, BadSignatureError):  # not every provider names its keys
                kept = await self._read(not_older_than_s=_ASK_AGAIN_AFTER_S)
                signed = jwt.decode(token, kept.keys, algorithms=_ALGORITHMS)
            claims = CodeIDToken(
                signed.claims,
                signed.header,
                options={
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self._client_id},
                    "sub": {"essential": True},
                    "nonce": {"essential": True, "value": journey.nonce},
                },
                params={"nonce": journey.nonce, "client_id": self._client_id, "access_token": access_token},
            )
            claims.validate(now=int(clock.real_now().timestamp()), leeway=_LEEWAY_S)
        except (JoseError, ValueError, TypeError) as error:
            raise _untrusted(type(error).__name__) from None
        return str(claims["sub"])

    async def _exchange(self, metadata: _Metadata, code: str, journey: Journey) -> dict[str, Any]:
        method = "client_secret_basic"
        if not self._client_secret:
            method = "none"
        elif method not in metadata.token_endpoint_auth_methods_supported:
            method = "client_secret_post"
        body = prepare_token_request(
            "authorization_code", redirect_uri=self._redirect_uri, code=code, code_verifier=journey.verifier
        )
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        auth = ClientAuth(self._client_id, self._client_secret, method)
        url, headers, body = auth.prepare("POST", metadata.token_endpoint, headers, body)
        status, answer = await self._ask("POST", url, headers=headers, content=body)
        if status != httpx.codes.OK:
            raise _untrusted(f"token endpoint {status}")
        return answer

    async def _read(self, not_older_than_s: float = _KEPT_S) -> _Kept:
        """Discovery and keys, read once an hour, or anew."""
        async with self._reading:  # many who log in at once wait for one answer
            kept = self._kept
            if kept is not None and time.monotonic() - kept.read_at < not_older_than_s:
                return kept
            _, found = await self._ask("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            try:
                metadata = _Metadata.model_validate(found)
            except ValidationError:
                raise _away("discovery is not as it should be") from None
            ours = urlsplit(self.issuer).scheme
            addresses = (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri)
            if metadata.issuer != self.issuer or any(
                urlsplit(each).scheme not in {"https", ours} for each in addresses
            ):
                raise _away("discovery speaks of another issuer, or of plain http")
            _, keys = await self._ask("GET", metadata.jwks_uri)
            try:
                self._kept = _Kept(metadata, KeySet.import_key_set(keys), time.monotonic())  # type: ignore[arg-type]
            except (JoseError, KeyError, ValueError, TypeError):
                raise _away("its keys can't be read") from None
            return self._kept

    async def _ask(
        self, method: str, url: str, *, headers: dict[str, str] | None = None, content: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """The status, and the object that came; a failure of the provider's own is said to be one."""
        try:
            async with (
                asyncio.timeout(_TIMEOUT.read),
                self._http.stream(method, url, headers=headers, content=content) as response,
            ):
                found = b""
                async for part in response.aiter_bytes():
                    found += part
                    if len(found) > _LARGEST:
                        raise _away("too long an answer")
            status = response.status_code
            answer = json.loads(found)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise _away(type(error).__name__) from None
        except ValueError:
            raise _away("no JSON") from None
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or not isinstance(answer, dict):
            raise _away(f"status {status}")
        return status, answer


def wrong_state() -> BadRequest:
    """The way back fits no way out: another browser's, an old one, or one that was used."""
    return BadRequest(
        "oidc-state-wrong",
        "登录已过期或重复，请重新点击登录。",
        "This login has ended, was used already, or began in another browser. Begin again.",
    )


def _untrusted(why: str) -> Forbidden:
    log.warning("identity_provider.refused", why=why)
    return Forbidden(
        "oidc-refused",
        "统一登录未成功，请重试；如仍不行，请联系考区管理员。",
        "The identity provider's answer can't be trusted. Try again; if that does not help, ask the administrator.",
    )


def _away(why: str) -> Unavailable:
    log.warning("identity_provider.away", why=why)
    return Unavailable(
        "oidc-unavailable",
        "统一登录暂时不可用，请稍后再试。",
        "The identity provider does not answer now. Try again later.",
    )
