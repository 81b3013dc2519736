"""Where a story plays: one candidate, the staff of the region, and what a step leaves for those after it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from deploy.demo.cast import Cast
from deploy.demo.people import Candidate, Staff
from deploy.specimens import draw

PATIENCE_S = 30.0
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


class NotTrue(Exception):
    """A step that was not seen to be true."""


def see(true: object, what: str) -> None:
    """Stop the story unless `true`."""
    if not true:
        raise NotTrue(what)


def answered(answer: httpx.Response, status: int, code: str | None = None) -> httpx.Response:
    """See that an answer has this status, and of a problem this code."""
    said = answer.json().get("code") if answer.is_error and answer.content else None
    see(answer.status_code == status, f"answered {answer.status_code} {said or ''}, not {status}")
    see(code is None or said == code, f"the problem is {said}, not {code}")
    return answer


async def eventually(
    look: Callable[[], Awaitable[Any]], what: str, *, every_s: float = 0.1, within_s: float = PATIENCE_S
) -> Any:  # noqa: ANN401 what `look` found
    """Look until there is something to see, half a minute at most unless it says otherwise."""
    until = time.monotonic() + within_s
    while True:
        found = await look()
        if found:
            return found
        if time.monotonic() > until:
            raise NotTrue(f"not seen within {within_s:.0f} s: {what}")
        await asyncio.sleep(every_s)


@dataclass
class Staffed:
    """The staff of the demo's region, each at a browser, and the SMS provider."""

    site: Staff
    colleague: Staff
    region: Staff
    second: Staff
    admin: Staff
    auditor: Staff
    sms: httpx.AsyncClient

    @classmethod
    async def enter(cls, stack: AsyncExitStack, environment: Mapping[str, str]) -> "Staffed":
        """Open their browsers; `stack` closes them."""
        site, colleague, region, second, admin, auditor = [
            await stack.enter_async_context(Staff(environment["PUBLIC_ORIGIN"])) for _ in range(6)
        ]
        provider = httpx.AsyncClient(base_url=environment["SMS_GATEWAY_URL"], timeout=10, trust_env=False)
        sms = await stack.enter_async_context(provider)
        return cls(site, colleague, region, second, admin, auditor, sms)


@dataclass
class Scene:
    """One candidate among the region's staff.

    Attributes:
        required: the items that must be handed in, once the checklist was seen.
        round: of the newest submission.
        returned: the item that staff give back, and the image of it.
        photo: the registration photo, once there is one.
        effective_at: from when on a publication shows, once there is one.
        heard: ids of the SMS that came before the one that a step waits for.
    """

    environment: Mapping[str, str]
    cast: Cast
    candidate: Candidate
    staff: Staffed
    required: list[str] = field(default_factory=list)
    round: int = 0
    last_upload: tuple[str, str, UUID] | None = None
    returned: tuple[str, str] = ("", "")
    photo: bytes = b""
    heard: set[str] = field(default_factory=set)
    effective_at: datetime = NEVER
    _papers: dict[tuple[str, int], bytes] = field(default_factory=dict)

    @property
    def page_url(self) -> str:
        """The candidate's."""
        return f"/applications/{self.cast.application_no}"

    @property
    def review_url(self) -> str:
        """The staff's."""
        return f"/reviews/{self.cast.application_no}"

    def paper(self, kind: str, seed: int = 1) -> bytes:
        """A specimen of the candidate's papers; drawn once."""
        if (kind, seed) not in self._papers:
            self._papers[kind, seed] = draw(kind, person=self.cast.sitter, seed=seed)
        return self._papers[kind, seed]

    async def upload(self, item: str, kind: str, seed: int = 1, *, image_id: UUID | None = None) -> httpx.Response:
        """Hand one specimen in."""
        body = await asyncio.to_thread(self.paper, kind, seed)
        return await self.candidate.upload(item, body, image_id=image_id)

    async def state_is(self, state: str) -> dict[str, Any]:
        """Wait until the candidate's page says so, and return it."""

        async def page() -> dict[str, Any] | None:
            found = await self.candidate.page()
            return found if found["state"] == state else None

        found: dict[str, Any] = await eventually(page, f"the state {state} on the candidate's page")
        return found

    async def images_checked(self) -> int:
        """Wait for validation's verdict on every image; returns how many there are."""

        async def checked() -> int:
            images = [image for item in (await self.candidate.items()).values() for image in item["images"]]
            see(all(image["status"] != "rejected" for image in images), "a good specimen was rejected")
            return len(images) if all(image["status"] in {"good", "review"} for image in images) else 0

        count: int = await eventually(checked, "the checks of all images")
        return count

    async def messages(self) -> list[dict[str, Any]]:
        """SMS to the candidate, newest first."""
        answer = await self.staff.sms.get("/messages", params={"to": self.cast.person.phone, "limit": 50})
        answer.raise_for_status()
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages

    async def next_sms(self) -> str:
        """Wait for an SMS that has not been heard of; see that it is one, and return its text."""

        async def new() -> list[dict[str, Any]]:
            return [each for each in await self.messages() if each["id"] not in self.heard]

        found = await eventually(new, "the SMS at the provider")
        see(len(found) == 1, f"{len(found)} SMS")
        self.heard.add(found[0]["id"])
        return str(found[0]["text"])

    async def notice(self, about: str) -> str:
        """Wait for the in-app message; see that there is one, and return its title."""

        async def notices() -> list[dict[str, Any]]:
            items = answered(await self.candidate.get("/inbox"), 200).json()["items"]
            return [each for each in items if each["about"] == about]

        found = await eventually(notices, "the in-app message")
        see(len(found) == 1, f"{len(found)} in-app messages")
        return str(found[0]["title"]["zh"])


Step = Callable[[Scene], Awaitable[str]]
"""Does one thing, sees that it is so, and says what it saw."""
