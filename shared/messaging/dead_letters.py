"""Records that a consumer group could not take, and those that wait behind them; what operators do about it."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from aiokafka import ConsumerRecord
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from shared.messaging.envelope import text_headers
from shared.messaging.outbox import tell_raw

# A dead letter's topic record must fit into a Kafka message; the table keeps the whole body.
LARGEST_TOLD_BODY = 600_000


class BodySealer(Protocol):
    """Seals a body that could not be decoded: nobody knows what personal data is in it."""

    def seal_bytes(self, data: bytes) -> tuple[str, bytes]:
        """Seal; returns the key's id and nonce plus ciphertext."""
        ...

    def open_bytes(self, key_id: str, sealed: bytes) -> bytes:
        """Open what `seal_bytes` made."""
        ...


def dead_topic(group: str) -> str:
    """The topic of a group's dead letters."""
    return f"{group}.dead.v1"


@dataclass(frozen=True)
class Burial:
    """A record on its way into the dead letters.

    Attributes:
        record: as it came from the topic.
        parking_key: whose later records wait for it; None where it can't be told.
        status: `dead`, or `parked` for one that only waits behind a dead one.
        error: what went wrong, without any value of the record.
        sealed: True when the body must be sealed.
    """

    record: ConsumerRecord
    parking_key: str | None
    status: str
    error: str
    sealed: bool = False
    tries: int = 0


@dataclass(frozen=True)
class DeadLetter:
    """A row of the dead letters, as operators see it."""

    id: int
    consumer_group: str
    parking_key: str | None
    status: str
    topic: str
    partition: int
    offset: int
    record_key: str | None
    error: str
    tries: int
    created_at: datetime
    replay_requested_at: datetime | None


_ANYTHING_PARKED = text("SELECT EXISTS (SELECT 1 FROM parked_keys WHERE consumer_group = :group)")
_PARKED = text(
    "SELECT key FROM parked_keys WHERE consumer_group = :group AND key = ANY(CAST(:keys AS text[])) FOR SHARE"
)
# The update changes nothing but locks: whoever releases the key waits for our commit and then sees our letter.
_PARK = text(
    """
    INSERT INTO parked_keys (consumer_group, key) SELECT :group, unnest(CAST(:keys AS text[]))
    ON CONFLICT (consumer_group, key) DO UPDATE SET key = excluded.key
    """
)
_BURY = text(
    """
    INSERT INTO dead_letters (consumer_group, parking_key, status, topic, partition, "offset", record_key, headers,
                              body, body_sealed_by, error, tries)
    VALUES (:group, :parking_key, :status, :topic, :partition, :offset, :record_key, CAST(:headers AS jsonb), :body,
            :body_sealed_by, :error, :tries)
    ON CONFLICT (consumer_group, topic, partition, "offset") DO NOTHING
    """
)


async def is_anything_parked(connection: AsyncConnection, group: str) -> bool:
    """True when some key of the group must wait: seldom."""
    return bool(await connection.scalar(_ANYTHING_PARKED, {"group": group}))


async def parked(session: AsyncSession, group: str, keys: Sequence[str]) -> set[str]:
    """Those of `keys` whose records must wait; none of them can be unparked before the commit."""
    rows = await session.execute(_PARKED, {"group": group, "keys": sorted(set(keys))})
    return set(rows.scalars())


async def bury(session: AsyncSession, group: str, burials: Sequence[Burial], sealer: BodySealer) -> int:
    """Write records into the dead letters, park their keys and tell the dead topic, all in the caller's transaction.

    Returns:
        How many were not there yet.
    """
    # One that is only parked has found its key there, and holds it: asking for more would be a deadlock of two such.
    dead = [burial for burial in burials if burial.status == "dead"]
    keys = sorted({burial.parking_key for burial in dead if burial.parking_key is not None})
    if keys:
        await session.execute(_PARK, {"group": group, "keys": keys})
    written = 0
    for burial in burials:
        record, body, sealed_by = burial.record, burial.record.value, None
        if burial.sealed and body is not None:
            sealed_by, body = sealer.seal_bytes(body)
        headers = {} if burial.sealed else text_headers(record.headers)
        result = await session.execute(
            _BURY,
            {
                "group": group,
                "parking_key": burial.parking_key,
                "status": burial.status,
                "topic": record.topic,
                "partition": record.partition,
                "offset": record.offset,
                "record_key": _printable_key(record.key),
                "headers": json.dumps(text_headers(record.headers)),
                "body": body,
                "body_sealed_by": sealed_by,
                "error": burial.error,
                "tries": burial.tries,
            },
        )
        if not result.rowcount:  # type: ignore[attr-defined]
            continue  # heard again after a crash: it is buried already
        written += 1
        told = body if body is None or len(body) <= LARGEST_TOLD_BODY else None
        await tell_raw(
            session,
            dead_topic(group),
            burial.parking_key or f"{record.topic}:{record.partition}",
            told or b"",
            headers
            | {
                "dead_status": burial.status,
                "dead_error": burial.error,
                "dead_topic": record.topic,
                "dead_partition": str(record.partition),
                "dead_offset": str(record.offset),
                "dead_body": "sealed:" + sealed_by if sealed_by else ("whole" if told is not None else "left out"),
            },
        )
    return written


def _printable_key(key: bytes | None) -> str | None:
    return None if key is None else key.decode("utf-8", "replace").replace("\x00", "�")[:200]


async def waiting(session: AsyncSession, *, group: str | None = None, limit: int = 200) -> list[DeadLetter]:
    """Dead and parked records, oldest first."""
    rows = await session.execute(
        text(
            """
            SELECT id, consumer_group, parking_key, status, topic, partition, "offset", record_key, error, tries,
                   created_at, replay_requested_at
            FROM dead_letters WHERE (CAST(:group AS text) IS NULL OR consumer_group = :group) ORDER BY id LIMIT :limit
            """
        ),
        {"group": group, "limit": limit},
    )
    return [DeadLetter(**row) for row in rows.mappings()]


async def count_waiting(session: AsyncSession) -> dict[str, int]:
    """How many records wait, by group."""
    rows = await session.execute(text("SELECT consumer_group, count(*) FROM dead_letters GROUP BY consumer_group"))
    return dict(rows.all())


async def whole_record(session: AsyncSession, letter_id: int) -> dict[str, Any] | None:
    """One row with headers and body, or None. The body stays sealed if it is."""
    row = (
        (await session.execute(text("SELECT * FROM dead_letters WHERE id = :id"), {"id": letter_id})).mappings().first()
    )
    return dict(row) if row is not None else None


async def request_replay(
    session: AsyncSession, *, group: str | None = None, key: str | None = None, letter_id: int | None = None
) -> int:
    """Ask the group's running service to take dead records again, with everything parked behind them, in order.

    Returns:
        How many records were asked for.
    """
    result = await session.execute(
        text(
            """
            UPDATE dead_letters SET replay_requested_at = now()
            WHERE (CAST(:group AS text) IS NULL OR consumer_group = :group)
              AND (CAST(:key AS text) IS NULL OR parking_key = :key)
              AND (CAST(:id AS bigint) IS NULL OR id = :id OR parking_key =
                   (SELECT parking_key FROM dead_letters AS asked
                    WHERE asked.id = :id AND asked.consumer_group = dead_letters.consumer_group))
            """
        ),
        {"group": group, "key": key, "id": letter_id},
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


async def unpark_if_last(session: AsyncSession, group: str, key: str) -> bool:
    """Let a key flow again if no record of it is left; True if it flows."""
    where = {"group": group, "key": key}
    # The key's own row first: a consumer that is parking something finishes before us, and we see what it parked.
    await session.execute(
        text("SELECT 1 FROM parked_keys WHERE consumer_group = :group AND key = :key FOR UPDATE"), where
    )
    left = await session.scalar(
        text("SELECT count(*) FROM dead_letters WHERE consumer_group = :group AND parking_key = :key"), where
    )
    if left:
        return False
    await session.execute(text("DELETE FROM parked_keys WHERE consumer_group = :group AND key = :key"), where)
    return True


async def discard(session: AsyncSession, group: str, letter_id: int) -> bool:
    """Take one record out for good, replayed or given up. If it was the last of its key, the key flows again.

    Returns:
        False if there is no such record.
    """
    deleted = await session.execute(
        text("DELETE FROM dead_letters WHERE id = :id AND consumer_group = :group RETURNING parking_key"),
        {"id": letter_id, "group": group},
    )
    row = deleted.first()
    if row is None:
        return False
    if row.parking_key is not None:
        await unpark_if_last(session, group, row.parking_key)
    return True


def as_record(row: dict[str, Any], sealer: BodySealer) -> ConsumerRecord:
    """The record as it came from the topic, from its row."""
    body = row["body"]
    if body is not None and row["body_sealed_by"]:
        body = sealer.open_bytes(row["body_sealed_by"], body)
    headers = row["headers"] if isinstance(row["headers"], dict) else json.loads(row["headers"])
    key = row["record_key"].encode() if row["record_key"] is not None else None
    return ConsumerRecord(
        topic=row["topic"],
        partition=row["partition"],
        offset=row["offset"],
        timestamp=0,
        timestamp_type=0,
        key=key,
        value=body,
        checksum=None,
        serialized_key_size=len(key or b""),
        serialized_value_size=len(body or b""),
        headers=tuple((name, value.encode()) for name, value in headers.items()),
    )


def printable_body(row: dict[str, Any]) -> str:
    """The body for an operator's eyes: JSON as it was told, or what is known of a sealed one."""
    body = row["body"]
    if body is None:
        return "(empty)"
    if row["body_sealed_by"]:
        return f"(sealed by {row['body_sealed_by']}, {len(body)} bytes)"
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except ValueError:
        return f"(not JSON) {base64.b64encode(body[:200]).decode()}"
