"""The only file of upload that builds things."""

import base64
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

import structlog
from starlette.types import Scope

from services.upload import chores, door, photo_chores
from services.upload.accounts import Accounts, ImportedAccounts
from services.upload.api import applications, captchas, events, phones, photos, sessions
from services.upload.api.edge import Edge
from services.upload.arriving import Arriving
from services.upload.captchas import Captchas, needed
from services.upload.consumers import make_router
from services.upload.contacts import Contacts
from services.upload.packs import Shelf
from services.upload.page_events import PageEvents
from services.upload.registration_system import HttpAccounts
from services.upload.settings import Settings
from services.upload.use_cases.registrations import IdNumbers
from shared.security.attempts import Attempts
from shared.security.identity import IdentitySigner
from shared.security.photo_keys import PublicKeys
from shared.security.sealing import KeyRing
from shared.security.sessions import SessionCookies
from shared.service import Service
from shared.web import LARGEST_BODY

log = structlog.get_logger(__name__)


def build(settings: Settings) -> Service:
    """Upload, ready to run."""
    keys = KeyRing(settings.master_keys, settings.data_keys_file)
    lookup_key = base64.b64decode(settings.lookup_key, validate=True)
    storage = settings.storage()
    service = Service(
        "upload",
        settings,
        settings.database_url,
        routers=[make_router()],
        description="What the candidate sees: checklist, images, handing in, feedback, final opinion.",
        sealer=keys,
        largest_body=_largest_body,
    )
    shelf = Shelf()
    service.provide(id_numbers=IdNumbers(keys, lookup_key), shelf=shelf)
    service.opens(storage)
    kept = timedelta(hours=settings.removed_objects_kept_hours)
    service.chore(lambda: chores.delete_removed_objects(service.sessions, storage, kept), every_s=60)
    service.chore(lambda: photo_chores.delete_photos(service.sessions, storage), every_s=60)
    service.chore(lambda: chores.forget_the_past(service.sessions), every_s=3600)
    service.chore(lambda: chores.follow_rules(service.sessions, shelf), every_s=5)
    service.chore(lambda: chores.show_opinions(service.sessions), every_s=5)
    service.chore(lambda: chores.mind_deadlines(service.sessions, shelf), every_s=settings.deadline_job_every_s)
    cookies = SessionCookies(
        "baoshen_candidate",
        settings.public_origin,
        idle=timedelta(minutes=settings.session_idle_minutes),
        longest=timedelta(hours=settings.session_longest_hours),
    )
    service.app.state.edge = Edge(
        sessions=service.sessions,
        storage=storage,
        shelf=shelf,
        contacts=Contacts(keys, lookup_key),
        cookies=cookies,
        accounts=_accounts(settings, service, lookup_key),
        attempts=Attempts(
            lookup_key,
            per_login=settings.failed_logins,
            per_address=settings.failed_logins_per_address,
            refuse=needed,
        ),
        captchas=Captchas(lookup_key, settings.captcha_test_answer),
        page_events=_page_events(service, cookies),
        signer=IdentitySigner("upload", settings.identity_key),
        captchas_per_minute=settings.captchas_per_minute,
        photo_keys=None if settings.photo_public_keys_file is None else PublicKeys(settings.photo_public_keys_file),
        arriving=Arriving(),
    )
    if settings.captcha_test_answer:
        log.warning("captcha.test_answer", why="one answer fits every captcha: never where candidates log in")
    for each in (sessions, captchas, phones, applications, photos, events):
        service.app.include_router(each.router)
    return service


def _largest_body(scope: Scope) -> int:
    path: str = scope["path"]
    if "/photo-checks/" in path:
        return door.PORTRAIT_HEARD_OUT + door.HEARD_OUT
    return 2 * door.HEARD_OUT if "/images/" in path or path.endswith("/registration-photo") else LARGEST_BODY


def _accounts(settings: Settings, service: Service, lookup_key: bytes) -> Accounts:
    if not settings.accounts_url:
        return ImportedAccounts(lookup_key)
    remote = HttpAccounts(settings.accounts_url, settings.accounts_token)
    service.opens(remote)
    return remote


def _page_events(service: Service, cookies: SessionCookies) -> PageEvents:
    async def still_in(session_ids: Collection[UUID]) -> set[UUID]:
        async with service.sessions() as session:
            return await cookies.alive(session, session_ids)

    page_events = PageEvents(service.sessions, still_in)
    service.opens(page_events)
    service.before_stopping(page_events.stop)
    return page_events


if __name__ == "__main__":
    _settings = Settings()
    build(_settings).run(_settings.port)
