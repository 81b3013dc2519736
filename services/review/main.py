"""The one place where review is put together."""

from datetime import timedelta

from services.review import api, consumers
from services.review.packs import Shelf
from services.review.settings import Settings
from shared import clock, idempotency
from shared.security import sessions
from shared.security.identity import IdentitySigner
from shared.security.sealing import KeyRing
from shared.service import Service

_SWEEP_EVERY_S = 3600


def build(settings: Settings) -> Service:
    """A review process, ready to run."""
    key_ring = KeyRing(settings.master_keys, settings.data_keys_file)
    service = Service(
        "review",
        settings,
        settings.database_url,
        routers=[consumers.make_router()],
        description="What staff see: queues, claims, marks, decisions, publications.",
        sealer=key_ring,
    )
    service.provide()
    storage = settings.storage()
    service.opens(storage)
    service.app.state.edge = api.Edge(
        sessions=service.sessions,
        storage=storage,
        cookies=sessions.SessionCookies(
            "baoshen_staff",
            settings.public_origin,
            idle=timedelta(minutes=settings.session_idle_minutes),
            longest=timedelta(hours=settings.session_longest_hours),
        ),
        signer=IdentitySigner("review", settings.identity_key),
        key_ring=key_ring,
        shelf=Shelf(),
        lease=timedelta(seconds=settings.claim_lease_s),
        publication_delay=timedelta(seconds=settings.publication_delay_s),
    )
    service.app.include_router(api.router)

    async def sweep() -> None:
        async with service.sessions.begin() as session:
            await sessions.forget_expired(session, clock.now())
            await idempotency.forget_old(session)

    service.chore(sweep, every_s=_SWEEP_EVERY_S)
    return service


if __name__ == "__main__":
    settings = Settings()
    build(settings).run(settings.port)
