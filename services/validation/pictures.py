"""Pictures: fetched from the store and looked at, a whole batch at once, outside the event loop."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from services.validation.decoding import look
from services.validation.domain import GONE, Check
from shared.contracts.upload import MaterialUploaded
from shared.storage import ObjectGone, Storage
from shared.telemetry import metrics

# A batch is at most 32 images; a larger one must not open more connections than that.
FETCHED_AT_ONCE = 32


class Pictures:
    """Looks at images. Open it once per process (`async with`).

    Args:
        storage: where the images are; opened and closed by others.
        threads: how many images are decoded at the same time.
    """

    def __init__(self, storage: Storage, *, threads: int) -> None:
        self._storage = storage
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._fetching = asyncio.Semaphore(FETCHED_AT_ONCE)

    async def __aenter__(self) -> "Pictures":
        self._pool = ThreadPoolExecutor(self._threads, "pictures")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    async def check_all(self, events: Sequence[MaterialUploaded]) -> dict[UUID, Check]:
        """Look at every image of `events`; one whose object is gone has that as its verdict.

        Raises:
            StoreAway: the store does not answer; nothing was decided about any of them.
        """
        wanted = list({event.image_id: event for event in events}.values())
        looks = await asyncio.gather(*(self._check(event) for event in wanted), return_exceptions=True)
        checked: dict[UUID, Check] = {}
        for event, found in zip(wanted, looks, strict=True):
            if isinstance(found, BaseException):
                raise found
            checked[event.image_id] = found
        for check in checked.values():
            metrics.IMAGES_CHECKED.labels(check.verdict).inc()
        return checked

    async def _check(self, event: MaterialUploaded) -> Check:
        async with self._fetching:
            try:
                body = await self._storage.get(event.object_key)
            except ObjectGone:
                return GONE
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, look, body, event.sha256, event.content_type)
