"""Validation on its own database and the run's bucket."""

import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text

from deploy.specimens import draw_portrait
from services.validation.main import build
from services.validation.settings import Settings
from shared.contracts.upload import MaterialRemoved, MaterialUploaded, PhotoCheckRequested
from shared.contracts.validation import MaterialChecked
from shared.security.photo_keys import PhotoKeyFiles
from shared.security.sealing import KeyRing
from shared.storage import Storage
from tests.harness import ServiceUnderTest, running

NUMBER = "2021110001"


class Validation(ServiceUnderTest):
    """Validation with shortcuts for what most tests do."""

    storage: Storage

    async def is_given_portrait(self, body: bytes, **changed: object) -> PhotoCheckRequested:
        """Store a portrait as upload does; returns the event that asks for its check, not heard yet."""
        event = a_photo_check(body, **changed)
        await self.storage.put(event.object_key, body, event.content_type)
        return event

    async def is_given(self, body: bytes, item: str = "diploma", **changed: object) -> MaterialUploaded:
        """Store an image as upload does; returns the event that tells of it, not heard yet."""
        event = an_upload(body, item, **changed)
        await self.storage.put(event.object_key, body, event.content_type)
        return event

    async def rows(self) -> list[dict]:
        async with self.service.sessions() as session:
            found = await session.execute(text("SELECT * FROM checks ORDER BY checked_at, image_id"))
            return [dict(row) for row in found.mappings()]

    async def told_to_staff(self) -> list[dict]:
        async with self.service.sessions() as session:
            found = await session.execute(text("SELECT * FROM told_to_staff ORDER BY told_at, image_id"))
            return [dict(row) for row in found.mappings()]

    async def told(self) -> dict[UUID, MaterialChecked]:
        """The verdicts since the last look, by image; none of them twice."""
        events = await self.tells(MaterialChecked)
        assert len({event.image_id for event in events}) == len(events)
        return {event.image_id: event for event in events}


def an_upload(body: bytes, item: str = "diploma", **changed: object) -> MaterialUploaded:
    image_id = uuid4()
    facts = {
        "application_no": NUMBER,
        "region": "15",
        "item": item,
        "image_id": image_id,
        "object_key": f"test/{image_id}",
        "sha256": hashlib.sha256(body).hexdigest(),
        "size": len(body),
        "content_type": "image/png" if body.startswith(b"\x89PNG") else "image/jpeg",
    }
    return MaterialUploaded.model_validate(facts | changed)


def a_removal(of: MaterialUploaded) -> MaterialRemoved:
    return MaterialRemoved(application_no=of.application_no, item=of.item, image_id=of.image_id)


def a_photo_check(body: bytes, **changed: object) -> PhotoCheckRequested:
    photo_id = uuid4()
    facts = {
        "application_no": NUMBER,
        "region": "15",
        "photo_id": photo_id,
        "object_key": f"photos/{NUMBER}/{photo_id}/{hashlib.sha256(body).hexdigest()[:16]}",
        "sha256": hashlib.sha256(body).hexdigest(),
        "size": len(body),
        "content_type": "image/png" if body.startswith(b"\x89PNG") else "image/jpeg",
        "pack_id": "neimenggu-2021",
        "pack_version": 1,
        "requested_at": datetime.now(UTC),
    }
    return PhotoCheckRequested.model_validate(facts | changed)


@pytest.fixture(scope="session")
def good_portrait() -> bytes:
    """A portrait that passes the photo check."""
    return draw_portrait()


@pytest.fixture(scope="session")
def photo_keys(tmp_path_factory: pytest.TempPathFactory) -> PhotoKeyFiles:
    """Keys that sign photos, made for this run."""
    files = PhotoKeyFiles(tmp_path_factory.mktemp("photo-keys") / "photo-keys.json")
    files.new(datetime.now(UTC))
    return files


@pytest_asyncio.fixture(scope="session")
async def validation_settings(
    scratch_database: Callable[[str | None], Awaitable[str]],
    master_keys: str,
    key_ring: KeyRing,
    photo_keys: PhotoKeyFiles,
) -> Settings:
    return Settings(
        kafka_bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        database_url=await scratch_database("validation"),
        master_keys=master_keys,
        data_keys_file=Path(key_ring._file),
        s3_endpoint_url=os.environ["S3_ENDPOINT_URL"],
        s3_access_key=os.environ["S3_ACCESS_KEY"],
        s3_secret_key=os.environ["S3_SECRET_KEY"],
        s3_bucket=os.environ.get("S3_BUCKET", "materials"),
        roles="api",
        groups="validation,validation-photos,validation-reading",
        workers=1,
        photo_keys_file=photo_keys.private,
    )


@pytest_asyncio.fixture(scope="session")
async def _running_validation(validation_settings: Settings) -> AsyncIterator[ServiceUnderTest]:
    async with running(build(validation_settings)) as service:
        yield service


@pytest_asyncio.fixture
async def validation(_running_validation: ServiceUnderTest, storage: Storage) -> Validation:
    """Validation, empty."""
    fresh = Validation(_running_validation.service, _running_validation.client)
    fresh.storage = storage
    await fresh.clear()
    return fresh
