"""The one place where review is put together."""

import base64
from datetime import timedelta

from services.review import api, consumers
from services.review.accounts.people import too_many_attempts
from services.review.accounts.second_factor import SecondFactors
from services.review.identity_provider import IdentityProvider
from services.review.lookup import Lookup
from services.review.packs import Shelf
from services.review.settings import Settings
from services.review.use_cases import escalations, lookups, pending, publications
from services.review.use_cases.sealing import EVERY_S, Sealer
from shared import clock, idempotency
from shared.security import attempts, sessions
from shared.security.audit_chain import AuditSigner
from shared.security.identity import IdentitySigner
from shared.security.sealing import KeyRing
from shared.service import Service

_SWEEP_EVERY_S = 3600
_LISTS_EVERY_S = 60
_ACTS_EVERY_S = 0.25
_PUBLICATIONS_EVERY_S = 0.25


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
    lookup_key = base64.b64decode(settings.lookup_key, validate=True)
    lookup = Lookup(key_ring, lookup_key)
    service.provide(lookup=lookup)
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
        lookup=lookup,
        attempts=attempts.Attempts(
            lookup_key,
            per_login=settings.failed_staff_logins,
            per_login_anywhere=settings.failed_staff_logins_anywhere,
            per_address=settings.failed_staff_logins_per_address,
            refuse=too_many_attempts,
        ),
        second_factors=SecondFactors(key_ring, lookup_key),
        second_factor_required=settings.staff_second_factor == "required",
        provider=_provider(settings, service, key_ring),
        shelf=Shelf(),
        lease=timedelta(seconds=settings.claim_lease_s),
        undo=timedelta(seconds=settings.undo_s),
        publication_delay=timedelta(seconds=settings.publication_delay_s),
        shortest_publication_delay=timedelta(seconds=settings.shortest_publication_delay_s),
    )
    service.app.include_router(api.router)

    async def sweep() -> None:
        async with service.sessions.begin() as session:
            await sessions.forget_expired(session, clock.now())
            await attempts.forget_old(session)
            await idempotency.forget_old(session)

    async def tell_publications() -> None:
        await publications.tell_running(service.sessions)

    async def tell_acts() -> None:
        await pending.tell_all_due(service.sessions)

    async def escalate() -> None:
        await escalations.escalate(service.sessions)
        await escalations.measure(service.sessions)

    async def fill_in_hashes() -> None:
        await lookups.fill_in(service.sessions, lookup)

    service.chore(sweep, every_s=_SWEEP_EVERY_S)
    service.chore(escalate, every_s=_LISTS_EVERY_S)
    service.chore(fill_in_hashes, every_s=_LISTS_EVERY_S)
    service.chore(tell_acts, every_s=_ACTS_EVERY_S)
    service.chore(tell_publications, every_s=_PUBLICATIONS_EVERY_S)
    service.chore(Sealer(service.sessions, AuditSigner(settings.audit_signing_key)).seal, every_s=EVERY_S)
    return service


def _provider(settings: Settings, service: Service, key_ring: KeyRing) -> IdentityProvider | None:
    if not settings.staff_oidc_issuer:
        return None
    provider = IdentityProvider(
        settings.staff_oidc_issuer,
        settings.staff_oidc_client_id,
        settings.staff_oidc_client_secret,
        settings.staff_oidc_name,
        f"{settings.public_origin}/staff/oidc/callback",
        key_ring,
    )
    service.opens(provider)
    return provider


if __name__ == "__main__":
    settings = Settings()
    build(settings).run(settings.port)
