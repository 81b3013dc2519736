"""The only file of validation that builds things."""

from services.validation import use_cases
from services.validation.consumers import make_router
from services.validation.pictures import Pictures
from services.validation.settings import Settings
from shared.security.sealing import KeyRing
from shared.service import Service


def build(settings: Settings) -> Service:
    """Validation, ready to run."""
    storage = settings.storage()
    pictures = Pictures(storage, threads=settings.threads)
    service = Service(
        "validation",
        settings,
        settings.database_url,
        routers=[make_router()],
        description="Looks at images. Health and metrics only: what it finds, it tells on topics.",
        sealer=KeyRing(settings.master_keys, settings.data_keys_file),
    )
    service.provide(pictures=pictures)
    service.opens(storage)
    service.opens(pictures)

    async def forget_removals() -> None:
        async with service.sessions.begin() as session:
            await use_cases.forget_removals(session)

    service.chore(forget_removals, every_s=3600)
    return service


if __name__ == "__main__":
    _settings = Settings()
    build(_settings).run(_settings.port)
