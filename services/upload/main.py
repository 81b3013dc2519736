"""The only file of upload that builds things."""

import base64
from datetime import timedelta

from services.upload import chores, door
from services.upload.accounts import ImportedAccounts
from services.upload.api import applications, sessions
from services.upload.api.edge import Edge
from services.upload.consumers import make_router
from services.upload.packs import Shelf
from services.upload.settings import Settings
from services.upload.use_cases.registrations import IdNumbers
from shared.security.identity import IdentitySigner
from shared.security.sealing import KeyRing
from shared.security.sessions import SessionCookies
from shared.service import Service
from shared.web import LARGEST_BODY


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
        largest_body=lambda scope: 2 * door.HEARD_OUT if "/images/" in scope["path"] else LARGEST_BODY,
    )
    service.provide(id_numbers=IdNumbers(keys, lookup_key))
    service.opens(storage)
    kept = timedelta(hours=settings.removed_objects_kept_hours)
    service.chore(lambda: chores.delete_removed_objects(service.sessions, storage, kept), every_s=60)
    service.chore(lambda: chores.forget_the_past(service.sessions), every_s=3600)
    service.app.state.edge = Edge(
        sessions=service.sessions,
        storage=storage,
        shelf=Shelf(),
        keys=keys,
        cookies=SessionCookies(
            "baoshen_candidate",
            settings.public_origin,
            idle=timedelta(minutes=settings.session_idle_minutes),
            longest=timedelta(hours=settings.session_longest_hours),
        ),
        accounts=ImportedAccounts(lookup_key),
        signer=IdentitySigner("upload", settings.identity_key),
    )
    service.app.include_router(sessions.router)
    service.app.include_router(applications.router)
    return service


if __name__ == "__main__":
    _settings = Settings()
    build(_settings).run(_settings.port)
