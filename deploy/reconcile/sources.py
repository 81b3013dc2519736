"""Reading what is to be compared: rows of the four databases, keys of the bucket, records of the topics."""

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord
from pydantic import ValidationError
from sqlalchemy import text

from deploy.contracts.schemas import routers
from deploy.environment import SERVICES, database_of
from deploy.local.moment import shift_in
from deploy.topic_records import records_of
from services.validation.domain import READING
from shared.contracts.review import ReviewFeedback
from shared.contracts.upload import ApplicationReopened, ApplicationWithdrawn, MaterialUploaded
from shared.database import make_engine
from shared.messaging.envelope import text_headers
from shared.messaging.lag import LagReader
from shared.storage import ObjectGone, Storage

READ_TOPICS = (
    "material.uploaded.v1",
    "material.checked.v1",
    "photo.check_requested.v1",
    "photo.checked.v1",
    "application.submitted.v1",
    "application.reopened.v1",
    "application.withdrawn.v1",
    "application.lapsed.v1",
    "application.deadline_near.v1",
    "review.feedback.v1",
    "review.published.v1",
)

# They are told only once they can't be undone any more.
_PENDING_ACTS = "SELECT count(*) AS count FROM acts WHERE ended IS NULL"
_QUERIES: dict[str, dict[str, str]] = {
    "upload": {
        "applications": "SELECT application_no, state, round, revision, opinion, effective_at, pack_id, pack_version, "
        "registration_revision FROM applications",
        "packs": "SELECT pack_id, version FROM packs",
        "images": "SELECT image_id, application_no, object_key, size, sha256, status, check_no, removed_at, "
        "uploaded_at, object_deleted_at FROM images",
        "feedback": "SELECT feedback_id, application_no, tier, at FROM feedback",
        "photo_checks": "SELECT photo_id, status, object_key, size, source_deleted_at, photo_key, photo_size, "
        "photo_deleted_at FROM photo_checks",
        "registration_photos": "SELECT application_no, object_key, sha256, size, replaced_at FROM registration_photos "
        "WHERE object_deleted_at IS NULL",
    },
    "validation": {"checks": "SELECT image_id, verdict, check_no, sha256 FROM checks"},
    "review": {
        # Not told yet: a publication that is under way has not come to it.
        "reviews": "SELECT application_no, state, round, revision, opinion, r.published_at, pack_id, pack_version, "
        "coalesce(application_no <= p.told_up_to, r.published_at IS NOT NULL) AS told "
        "FROM reviews r LEFT JOIN publications p USING (publication_id)",
        "packs": "SELECT pack_id, version FROM packs",
        "registrations": "SELECT application_no, registration_revision FROM applications",
        "acts": _PENDING_ACTS,
    },
    "notify": {
        "notices": "SELECT notice_id, event_id, application_no, about FROM notices",
        "packs": "SELECT pack_id, version FROM packs",
        "registrations": "SELECT application_no, registration_revision FROM applications",
    },
}
_EVERYWHERE = {
    "outbox": "SELECT count(*) AS count FROM outbox",
    "dead": "SELECT consumer_group, status, topic, count(*) AS count FROM dead_letters GROUP BY 1, 2, 3",
    "parked": "SELECT count(*) AS count FROM parked_keys",
}
Rows = list[dict[str, Any]]


@dataclass
class Seen:
    """Everything that was read.

    Attributes:
        rows: rows by service and name.
        objects: size in bytes by key.
        photo_hashes: SHA-256 by key, of registration photos.
        told: by topic, the event ids and how often each stands there.
        told_images: the images of material.uploaded.
        told_feedback: the returns by their id.
        reopened: application number and round of each reopening or withdrawal: a return that it overtook counts for
            nothing.
        lag: records not committed yet, by group.
        shift: by how much the system's clock is shifted.
    """

    rows: dict[str, dict[str, Rows]] = field(default_factory=dict)
    objects: dict[str, int] = field(default_factory=dict)
    photo_hashes: dict[str, str] = field(default_factory=dict)
    told: dict[str, dict[str, int]] = field(default_factory=lambda: {topic: {} for topic in READ_TOPICS})
    told_images: set[str] = field(default_factory=set)
    told_feedback: dict[str, ReviewFeedback] = field(default_factory=dict)
    reopened: set[tuple[str, int]] = field(default_factory=set)
    lag: dict[str, int] = field(default_factory=dict)
    shift: timedelta = timedelta()


async def read_everything(env: Mapping[str, str]) -> Seen:
    """Read all sources once. Reads only; a running system may be written to meanwhile."""
    seen = Seen(shift=shift_in(env))
    seen.lag = await read_lag(env["KAFKA_BOOTSTRAP_SERVERS"])
    for service in SERVICES:
        seen.rows[service] = await _read_database(database_of(service, dict(env)), _QUERIES[service] | _EVERYWHERE)
    await _read_bucket(env, seen)
    await _read_topics(env["KAFKA_BOOTSTRAP_SERVERS"], seen)
    return seen


async def unsettled(env: Mapping[str, str]) -> int:
    """How much is under way: outbox rows, records not committed, images not checked, acts that can be undone."""
    waiting = sum((await read_lag(env["KAFKA_BOOTSTRAP_SERVERS"])).values())
    for service in SERVICES:
        rows = await _read_database(database_of(service, dict(env)), {"outbox": _EVERYWHERE["outbox"]})
        waiting += rows["outbox"][0]["count"]
    checking = {
        "images": "SELECT count(*) AS count FROM images WHERE status = 'checking' AND removed_at IS NULL",
        "portraits": "SELECT count(*) AS count FROM photo_checks WHERE status = 'checking'",
    }
    rows = await _read_database(database_of("upload", dict(env)), checking)
    rows |= await _read_database(database_of("review", dict(env)), {"acts": _PENDING_ACTS})
    return int(waiting + sum(found[0]["count"] for found in rows.values()))


async def _read_database(url: str, queries: Mapping[str, str]) -> dict[str, Rows]:
    engine = make_engine(url, pool_size=1)
    try:
        async with engine.connect() as connection:
            return {
                name: [dict(row) for row in (await connection.execute(text(query))).mappings()]
                for name, query in queries.items()
            }
    finally:
        await engine.dispose()


async def _read_bucket(env: Mapping[str, str], seen: Seen) -> None:
    store = Storage(
        endpoint_url=env.get("S3_ENDPOINT_URL"),
        access_key=env["S3_ACCESS_KEY"],
        secret_key=env["S3_SECRET_KEY"],
        bucket=env["S3_BUCKET"],
    )
    few = asyncio.Semaphore(16)

    async def read(key: str) -> None:
        async with few:
            with contextlib.suppress(ObjectGone):
                seen.photo_hashes[key] = hashlib.sha256(await store.get(key)).hexdigest()

    async with store:
        seen.objects = {key: size async for key, size in store.keys()}  # noqa: SIM118 no mapping
        await asyncio.gather(*(read(photo["object_key"]) for photo in seen.rows["upload"]["registration_photos"]))


async def read_lag(bootstrap: str) -> dict[str, int]:
    """Records that each group has not committed. Reading is left out: nobody waits for it, and it may be stopped."""
    async with LagReader(bootstrap) as reader:
        lags = {}
        for router in routers():
            if router.group == READING:
                continue
            topics = [event.topic for event in router.heard]
            lags[router.group] = sum(lag.behind for lag in await reader.read(router.group, topics))
        return lags


async def _read_topics(bootstrap: str, seen: Seen) -> None:
    """Event ids by topic, each with how often it stands there, and the images that were told."""
    async for record in records_of(bootstrap, READ_TOPICS):
        _note(seen, record.topic, record)


def _note(seen: Seen, topic: str, record: ConsumerRecord) -> None:
    ids = seen.told.setdefault(topic, {})
    try:
        event_id = str(UUID(text_headers(record.headers).get("ce_id", "")))
    except ValueError:
        return  # no event: it is in the dead letters of those who hear the topic
    ids[event_id] = ids.get(event_id, 0) + 1
    with contextlib.suppress(ValidationError):
        if topic == MaterialUploaded.topic:
            seen.told_images.add(str(MaterialUploaded.model_validate_json(record.value or b"").image_id))
        elif topic == ReviewFeedback.topic:
            feedback = ReviewFeedback.model_validate_json(record.value or b"")
            seen.told_feedback[str(feedback.feedback_id)] = feedback
        elif topic in {ApplicationReopened.topic, ApplicationWithdrawn.topic}:
            event = ApplicationReopened if topic == ApplicationReopened.topic else ApplicationWithdrawn
            reopened = event.model_validate_json(record.value or b"")
            seen.reopened.add((reopened.application_no, reopened.round))
