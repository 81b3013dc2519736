"""Pictures: fetched from the store and looked at in worker processes, a whole batch at once."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from services.validation.domain import GONE, Check, Look
from services.validation.workers import Done, Task, Turn, Workers
from shared.contracts.upload import MaterialUploaded
from shared.contracts.validation import Finding
from shared.storage import ObjectGone, Storage
from shared.telemetry import metrics

# A batch is at most 32 images; a larger one must not open more connections than that.
FETCHED_AT_ONCE = 32
# Four times the CPU that a photo takes, or a worker that hangs. What is late, while all others of its batch are done,
# is put aside, so that they are told: without that the 95th percentile of sound images among bombs was 3.8 times the
# usual one.
LATE_CPU_S, LATE_WALL_S = 0.08, 2.0
_LOOKED_AT_EVERY_S = 0.02
Kind = Literal["document", "portrait", "codec"]


@dataclass
class Seen:
    """What became of a batch.

    Attributes:
        looks: by image; one whose object is gone has that as its verdict.
        suspects: images that ended their worker, or are late: to be tried alone.
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
        self._late: dict[UUID, asyncio.Task[Look | None]] = {}
        self.suspects_wait = asyncio.Event()

    async def check_all(self, events: Sequence[MaterialUploaded]) -> Seen:
        """Look at every image of `events`, each once. What is late is left to a try of its own.

        Raises:
            StoreAway: the store does not answer; nothing was decided about any of them.
        """
        wanted = {event.image_id: event for event in events}
        turns = {image_id: Turn() for image_id in wanted}
        tries = {
            image_id: asyncio.create_task(self._check(event, turns[image_id])) for image_id, event in wanted.items()
        }
        try:
            late = await _all_but_late(tries, turns)
        except BaseException:
            for each in tries.values():
                each.cancel()
            raise
        seen = Seen()
        for image_id, event in wanted.items():
            look = None if image_id in late else tries[image_id].result()
            if look is None:
                seen.suspects.append(event)
            else:
                seen.looks[image_id] = look
                metrics.IMAGES_CHECKED.labels(look.check.verdict).inc()
        self._late = {image_id: each for image_id, each in self._late.items() if not each.done()} | late
        return seen

    async def check_alone(self, event: MaterialUploaded) -> Look | None:
        """The last try, in a process of its own; None: the image ended that too.

        A first try that was only late, and has come to its end since, is as good.

        Raises:
            StoreAway: the store does not answer.
        """
        late = self._late.pop(event.image_id, None)
        if late is not None and (look := await late) is not None:
            return look
        try:
            body = await self._storage.get(event.object_key)
        except ObjectGone:
            return Look(GONE)
        done = await self._workers.alone(look_task(body, event))
        return None if done is None else look_of(done)

    async def _check(self, event: MaterialUploaded, turn: Turn) -> Look | None:
        async with self._fetching:
            try:
                body = await self._storage.get(event.object_key)
            except ObjectGone:
                return Look(GONE)
        done = await self._workers.first_try(look_task(body, event), turn)
        return None if done is None else look_of(done)


async def _all_but_late(
    tries: Mapping[UUID, asyncio.Task[Look | None]], turns: Mapping[UUID, Turn]
) -> dict[UUID, asyncio.Task[Look | None]]:
    """Wait for all but those that have had a worker for long when nobody else is left; returns these."""
    while pending := {image_id: each for image_id, each in tries.items() if not each.done()}:
        if all(turns[image_id].is_late(LATE_CPU_S, LATE_WALL_S) for image_id in pending):
            return pending
        # Not at each that is done: a batch of 32 would be gone through 32 times.
        await asyncio.wait(pending.values(), timeout=_LOOKED_AT_EVERY_S)
        for each in tries.values():
            if each.done() and (problem := each.exception()) is not None:
                raise problem
    return {}


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
