"""A small real identity provider: an HTTP server on loopback, in a process of its own (it warns of its own library).

`python -m tests.review.provider` runs it and prints its port. `PUT /faults` makes it lie.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx

from deploy.local.places import CHECKOUT

SUBJECT = "staff-4711"


class Provider:
    """What a test asks of it."""

    def __init__(self, port: int, process: subprocess.Popen[str]) -> None:
        self.issuer = f"http://localhost:{port}"
        self._process = process
        self._http = httpx.Client(timeout=10, trust_env=False)

    def agrees(self, url: str, subject: str = SUBJECT, **changed: str) -> str:
        """A person who was sent to `url` logs in there: where the browser is sent back to.

        Args:
            url: where our redirect led.
            subject: who it is.
            **changed: what somebody put in the place of the address's own parameters.
        """
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query)) | changed
        address = urlunsplit(parts._replace(query=urlencode(query)))
        answer = self._http.post(address, data={"sub": subject})
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])

    def lies(self, **faults: Any) -> None:
        """From now on.

        Args:
            **faults: `aud`, `iss`, `exp`, `iat`, `nonce`, `sub`: what the token says instead; `other_key`: who signs;
                `new_keys`: that key is published; `algorithm`: `none` or `HS256` (with the public key); `status`: of
                the token endpoint.
        """
        self._http.put(f"{self.issuer}/faults", json=faults).raise_for_status()

    def token_requests(self) -> list[dict[str, Any]]:
        """What was sent to the token endpoint, the newest last."""
        found: list[dict[str, Any]] = self._http.get(f"{self.issuer}/token-requests").json()
        return found

    def stop(self) -> None:
        """Nobody answers there any more."""
        self._http.close()
        self._process.kill()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def a_provider() -> Iterator[Provider]:
    """Runs while the context lasts, or until it is stopped."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.review.provider"],
        cwd=CHECKOUT,
        env=os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    provider = Provider(int(process.stdout.readline()), process)
    try:
        yield provider
    finally:
        provider.stop()


def _signed_with(password: bytes, claims: dict[str, Any]) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    content = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = base64.urlsafe_b64encode(hmac.new(password, content, hashlib.sha256).digest()).rstrip(b"=")
    return (content + b"." + signature).decode()


def main() -> None:
    """The server, with its ways to lie."""
    import flask
    import oidc_provider_mock
    from authlib.oauth2.rfc6749 import AuthorizationCodeGrant
    from authlib.oidc.core.grants import OpenIDCode
    from joserfc import jwt
    from joserfc.jwk import RSAKey
    from werkzeug.serving import make_server

    faults: dict[str, Any] = {}
    asked: list[dict[str, Any]] = []
    app = oidc_provider_mock.app(require_nonce=True)
    honest = OpenIDCode.encode_id_token
    stranger = RSAKey.generate_key(2048)

    def encode(self: Any, token: Any, request: Any) -> str:
        signed: str = honest(self, token, request)
        if not set(faults) & {"aud", "iss", "exp", "nonce", "sub", "iat", "other_key", "algorithm"}:
            return signed
        own = self.resolve_client_private_key(request.client)
        key: Any = stranger if faults.get("other_key") else RSAKey.import_key(own)
        claims = jwt.decode(signed, RSAKey.import_key(own)).claims
        claims |= {name: faults[name] for name in ("aud", "iss", "exp", "nonce", "sub", "iat") if name in faults}
        algorithm = faults.get("algorithm", "RS256")
        if algorithm == "HS256":  # by hand: no library signs with a public key
            return _signed_with(RSAKey.import_key(own).as_pem(private=False), claims)
        return jwt.encode({"alg": algorithm}, claims, None if algorithm == "none" else key, [algorithm])

    OpenIDCode.encode_id_token = encode
    AuthorizationCodeGrant.TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]

    @app.before_request
    def watch() -> Any:
        if flask.request.path != "/oauth2/token":
            return None
        asked.append({**flask.request.form, "authorization": flask.request.headers.get("Authorization", "")})
        return (flask.jsonify(error="server_error"), faults["status"]) if "status" in faults else None

    @app.after_request
    def turn_keys(answer: Any) -> Any:
        if flask.request.path == "/jwks" and faults.get("new_keys"):
            answer.set_data(json.dumps({"keys": [stranger.as_dict(private=False)]}))
        return answer

    @app.put("/faults")
    def lie() -> Any:
        faults.clear()
        faults.update(flask.request.get_json())
        return {}

    @app.get("/token-requests")
    def requests() -> Any:
        return flask.jsonify(asked)

    server = make_server("localhost", 0, app, threaded=True)
    print(server.server_port, flush=True)  # noqa: T201 whoever started this waits for it
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
