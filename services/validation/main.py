"""The only file of validation that builds things."""

import asyncio
import contextlib

from services.validation.alone import try_suspects
from services.validation.consumers import make_router
from services.validation.domain import CHECKS, PHOTOS, READING
from services.validation.photos import Photos
from services.validation.pictures import Pictures
from services.validation.quality import limits
from services.validation.readers import Readers
from services.validation.settings import Settings
from services.validation.use_cases import checks
from services.validation.workers import Workers
from shared.security.sealing import KeyRing
from shared.service import Service
from shared.storage import Storage

# A photo takes some 20 ms to look at; the largest that the door lets in, half a second. What takes longer than a first
# try allows waits for its own turn, so that a bomb costs the others little.
LOOK_FIRST_CPU_S, LOOK_ALONE_CPU_S = 0.2, 1.9
PORTRAIT_CPU_S = 1.9
# An A4 form takes 0.6 s.
READ_CPU_S = 10.0
# What nobody waits for must not slow down what somebody waits for.
READ_NICENESS = 10
# What other processes put aside, and left, is looked for so often; its own at once.
SUSPECTS_EVERY_S = 1.0


def build(settings: Settings) -> Service:
    """Validation, ready to run.

    Raises:
        BadLimits: the file of limits is not as it must be; the workers would find out one by one.
    """
    limits.in_force()
    storage = settings.storage()
    keys = KeyRing(settings.master_keys, settings.data_keys_file)
    groups = [group for group in (CHECKS, PHOTOS, READING) if settings.plays(group)]
    routers = [make_router(group) for group in groups]
    if CHECKS in groups:
        # A second consumer: while one batch is written down and committed, the workers have the other's images.
        routers.append(make_router(CHECKS))
    service = Service(
        "validation",
        settings,
        settings.database_url,
        routers=routers,
        description="Looks at images. Health and metrics only: what it finds, it tells on topics.",
        sealer=keys,
    )
    service.opens(storage)
    resources: dict[str, object] = {"keys": keys}
    if CHECKS in groups:
        resources["pictures"] = _pictures(service, storage, settings.workers)
    if PHOTOS in groups:
        painters = portrait_workers()
        service.opens(painters)
        resources["studio"] = Photos(storage, painters, settings.photo_keys_file)
    if READING in groups:
        readers = Workers(
            ["read"], count=settings.readers, first_cpu_s=READ_CPU_S, alone_cpu_s=READ_CPU_S, niceness=READ_NICENESS
        )
        service.opens(readers)
        resources["readers"] = Readers(storage, readers)
    service.provide(**resources)
    return service


def look_workers(count: int) -> Workers:
    """Processes that look at images."""
    return Workers(["look"], count=count, first_cpu_s=LOOK_FIRST_CPU_S, alone_cpu_s=LOOK_ALONE_CPU_S, spares=1)


def portrait_workers() -> Workers:
    """A process that looks at portraits."""
    return Workers(["portrait"], count=1, first_cpu_s=PORTRAIT_CPU_S, alone_cpu_s=PORTRAIT_CPU_S)


def _pictures(service: Service, storage: Storage, count: int) -> Pictures:
    workers = look_workers(count)
    service.opens(workers)
    service.app.state.pictures = pictures = Pictures(storage, workers)

    async def second_tries() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(pictures.suspects_wait.wait(), SUSPECTS_EVERY_S)
        await try_suspects(service.sessions, pictures)

    async def forget_removals() -> None:
        async with service.sessions.begin() as session:
            await checks.forget_removals(session)

    service.chore(second_tries, every_s=0.01)
    service.chore(forget_removals, every_s=3600)
    return pictures


if __name__ == "__main__":
    _settings = Settings()
    build(_settings).run(_settings.port)
