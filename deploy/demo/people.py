"""A person at a browser: one client per person, with cookies, CSRF token and a new idempotency key per action."""

from typing import Any, Self
from uuid import UUID, uuid4

import httpx

TIMEOUT = httpx.Timeout(30, connect=5)


class Person:
    """Somebody who is logged in, or about to be.

    Args:
        origin: the system's one origin.
        session_path: where they log in (`/candidate/session`, `/staff/session`).
    """

    def __init__(self, origin: str, session_path: str) -> None:
        self.http = httpx.AsyncClient(base_url=origin, timeout=TIMEOUT, headers={"Origin": origin}, trust_env=False)
        self._session_path = session_path
        self._csrf = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def log_in(self, login: str, password: str) -> httpx.Response:
        """Log in; later writes carry the session's CSRF token."""
        return await self._begin(self._session_path, {"login": login, "password": password})

    async def log_out(self) -> httpx.Response:
        """End the session."""
        return await self.delete(self._session_path)

    async def _begin(self, path: str, body: dict[str, Any]) -> httpx.Response:
        answer = await self.http.post(path, json=body)
        if answer.is_success:
            self._csrf = answer.json()["csrf_token"]
        return answer

    async def get(self, path: str, **parameters: str) -> httpx.Response:
        """Read."""
        return await self.http.get(path, params=parameters)

    async def post(self, path: str, body: dict[str, Any] | None = None, *, key: str | None = None) -> httpx.Response:
        """Do something once."""
        headers = {"X-CSRF-Token": self._csrf, "Idempotency-Key": key or str(uuid4())}
        return await self.http.post(path, json=body or {}, headers=headers)

    async def put(self, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """Set something."""
        return await self.http.put(path, json=body or {}, headers={"X-CSRF-Token": self._csrf})

    async def delete(self, path: str) -> httpx.Response:
        """Take something away."""
        return await self.http.delete(path, headers={"X-CSRF-Token": self._csrf})


class Candidate(Person):
    """A candidate and the application that is theirs.

    Args:
        origin: the system's one origin.
        application_no: theirs.
        captcha_answer: what a development stack takes for any captcha (`CAPTCHA_TEST_ANSWER`).
    """

    def __init__(self, origin: str, application_no: str, captcha_answer: str = "") -> None:
        super().__init__(origin, "/candidate/session")
        self.application_no = application_no
        self._captcha_answer = captcha_answer

    async def captcha(self, answer: str | None = None) -> dict[str, str]:
        """A new captcha, answered."""
        made = await self.http.post("/candidate/captchas", json={})
        made.raise_for_status()
        return {"captcha_id": made.json()["captcha_id"], "answer": answer or self._captcha_answer}

    async def log_in(self, login: str, password: str, *, captcha: dict[str, str] | None = None) -> httpx.Response:
        """Log in, with a captcha where one is asked for."""
        body: dict[str, Any] = {"login": login, "password": password}
        return await self._begin(self._session_path, body if captcha is None else body | {"captcha": captcha})

    async def activate(self, login: str, password: str, captcha: dict[str, str]) -> httpx.Response:
        """The first login: links the account of the exam registration."""
        return await self._begin("/candidate/activation", {"login": login, "password": password, "captcha": captcha})

    async def page(self) -> dict[str, Any]:
        """Everything on the application's page."""
        answer = await self.get(f"/applications/{self.application_no}")
        answer.raise_for_status()
        page: dict[str, Any] = answer.json()
        return page

    async def items(self) -> dict[str, dict[str, Any]]:
        """The checklist's items by code."""
        return {item["item"]: item for section in (await self.page())["sections"] for item in section["items"]}

    async def upload(
        self, item: str, body: bytes, *, image_id: UUID | None = None, name: str | None = None
    ) -> httpx.Response:
        """Upload one image."""
        headers = {"X-CSRF-Token": self._csrf}
        if name is not None:
            headers["Content-Disposition"] = f'attachment; filename="{name}"'
        url = f"/applications/{self.application_no}/items/{item}/images/{image_id or uuid4()}"
        return await self.http.put(url, content=body, headers=headers)

    async def check_photo(self, portrait: bytes, declared: str, *, photo_id: UUID | None = None) -> httpx.Response:
        """Have a portrait checked; `declared` is `recent,unaltered`."""
        url = f"/applications/{self.application_no}/photo-checks/{photo_id or uuid4()}"
        headers = {"X-CSRF-Token": self._csrf}
        return await self.http.put(url, content=portrait, headers=headers, params={"declared": declared})

    async def register_photo(self, photo: bytes) -> httpx.Response:
        """Hand in the registration photo."""
        headers = {"X-CSRF-Token": self._csrf, "Idempotency-Key": str(uuid4()), "Content-Type": "image/jpeg"}
        url = f"/applications/{self.application_no}/registration-photo"
        return await self.http.post(url, content=photo, headers=headers)

    async def submit(self, key: str | None = None) -> httpx.Response:
        """Hand in."""
        return await self.post(f"/applications/{self.application_no}/submissions", key=key)

    async def withdraw(self, key: str | None = None) -> httpx.Response:
        """Take the application back."""
        return await self.post(f"/applications/{self.application_no}/withdrawals", key=key)


class Staff(Person):
    """A reviewer."""

    def __init__(self, origin: str) -> None:
        super().__init__(origin, "/staff/session")

    async def claim(self, application_no: str) -> httpx.Response:
        """Take hold of one application."""
        return await self.put(f"/reviews/{application_no}/claim")
