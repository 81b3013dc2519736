"""Readers: images fetched from the store and read in worker processes, for staff."""

import asyncio
import hashlib
from collections.abc import Sequence
from uuid import UUID

from services.validation.use_cases.readings import Found
from services.validation.workers import Task, Workers
from shared.contracts.upload import MaterialUploaded
from shared.contracts.validation import Reading
from shared.storage import ObjectGone, Storage
from shared.telemetry import metrics


class Readers:
    """Reads what images say.

    Args:
        storage: where the images are; opened and closed by others.
        workers: processes that do `read`; opened and closed by others.
    """

    def __init__(self, storage: Storage, workers: Workers) -> None:
        self._storage = storage
        self._workers = workers

    async def read_all(self, events: Sequence[MaterialUploaded]) -> dict[UUID, Found]:
        """Read these images; one that is gone or changed is left out, one that can't be read has nothing in it.

        Raises:
            StoreAway: the store does not answer.
        """
        wanted = list({event.image_id: event for event in events}.values())
        read = await asyncio.gather(*(self._read(event) for event in wanted), return_exceptions=True)
        found: dict[UUID, Found] = {}
        for event, each in zip(wanted, read, strict=True):
            if isinstance(each, BaseException):
                raise each
            metrics.IMAGES_READ.labels("gone" if each is None else "read" if each.reading.texts else "unreadable").inc()
            if each is not None:
                found[event.image_id] = each
        return found

    async def _read(self, event: MaterialUploaded) -> Found | None:
        try:
            body = await self._storage.get(event.object_key)
        except ObjectGone:
            return None
        if hashlib.sha256(body).hexdigest() != event.sha256:
            return None
        done = await self._workers.run(
            Task("read", body, {"content_type": event.content_type, "wanted": list(event.reads)})
        )
        if done is None:
            return Found(Reading(), None)
        return Found(Reading.model_validate({"texts": done.answer["texts"]}), done.answer["mirrored"])
