"""Pictures: fetched from the store and looked at in worker processes, a whole batch at once."""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from services.validation.domain import GONE, Check, Look
from services.validation.workers import Done, Task, Workers
from shared.contracts.upload import MaterialUploaded
from shared.contracts.validation import Finding
from shared.storage import ObjectGone, Storage
from shared.telemetry import metrics

# A batch is at most 32 images; a larger one must not open more connections than that.
FETCHED_AT_ONCE = 32
Kind = Literal["document", "portrait", "codec"]


@dataclass
class Seen:
    """What became of a batch.

    Attributes:
        looks: by image; one whose object is gone has that as its verdict.
        suspects: images that ended their worker, to be tried alone.
    """

    looks: dict[UUID, Look] = field(default_factory=dict)
    suspects: list[MaterialUploaded] = field(default_factory=list)


class Pictures:
    """Looks at images.

    Args:
        storage: where the images are; opened and closed by others.
        workers: processes that do `look`; opened and closed by others.
    """

    def __init__(self, storage: Storage, workers: Workers) -> None:
        self._storage = storage
        self._workers = workers
        self._fetching = asyncio.Semaphore(FETCHED_AT_ONCE)
        self.suspects_wait = asyncio.Event()

    async def check_all(self, events: Sequence[MaterialUploaded]) -> Seen:
        """Look at every image of `events`, each once.

        Raises:
            StoreAway: the store does not answer; nothing was decided about any of them.
        """
        wanted = list({event.image_id: event for event in events}.values())
        looks = await asyncio.gather(*(self._check(event) for event in wanted), return_exceptions=True)
        seen = Seen()
        for event, look in zip(wanted, looks, strict=True):
            if isinstance(look, BaseException):
                raise look
            if look is None:
                seen.suspects.append(event)
            else:
                seen.looks[event.image_id] = look
                metrics.IMAGES_CHECKED.labels(look.check.verdict).inc()
        return seen

    async def check_alone(self, event: MaterialUploaded) -> Look | None:
        """The last try, in a process of its own; None: the image ended that too.

        Raises:
            StoreAway: the store does not answer.
        """
        try:
            body = await self._storage.get(event.object_key)
        except ObjectGone:
            return Look(GONE)
        done = await self._workers.alone(look_task(body, event))
        return None if done is None else look_of(done)

    async def _check(self, event: MaterialUploaded) -> Look | None:
        async with self._fetching:
            try:
                body = await self._storage.get(event.object_key)
            except ObjectGone:
                return Look(GONE)
        done = await self._workers.first_try(look_task(body, event))
        return None if done is None else look_of(done)


def look_task(body: bytes, event: MaterialUploaded) -> Task:
    """The look at the image of an event."""
    return look_at(body, event.sha256, event.content_type, stricter=event.stricter_checks)


def look_at(
    body: bytes, sha256: str, content_type: str, *, kind: Kind = "document", stricter: Sequence[str] = ()
) -> Task:
    """The look at any image that passed the door."""
    return Task("look", body, {"sha256": sha256, "content_type": content_type, "kind": kind, "stricter": [*stricter]})


def look_of(done: Done) -> Look:
    """A worker's answer as what it is."""
    said = done.answer
    findings = tuple(Finding.model_validate(each) for each in said["findings"])
    fingerprint = said["fingerprint"]
    return Look(
        Check(said["verdict"], said["reason"], findings, said["metrics"]),
        None if fingerprint is None else base64.b64decode(fingerprint),
    )
