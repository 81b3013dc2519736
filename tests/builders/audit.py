"""An audit trail that grows, is told, and is damaged as only the database's owner can."""

import base64
import secrets
from typing import Any

from aiokafka import AIOKafkaProducer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.review.use_cases import audit
from services.review.use_cases.sealing import Sealer
from shared.database import Sessions
from shared.security.audit_chain import AuditSigner, chained

SEED = base64.b64encode(secrets.token_bytes(32)).decode()
SIGNER = AuditSigner(SEED)


class Chain:
    """A trail in a database of its own, and a topic that its heads are told on."""

    def __init__(self, sessions: Sessions, bootstrap: str, topic: str) -> None:
        self.sessions = sessions
        self._bootstrap = bootstrap
        self._topic = topic

    async def grows(self, *batches: int, told: bool = True) -> None:
        """By batches of so many lines."""
        for lines in batches:
            async with self.sessions.begin() as session:
                await audit.write(session, *(audit.line("opened", None, detail={"n": n}) for n in range(lines)))
            await Sealer(self.sessions, SIGNER).seal()
        if told:
            await self.relays()

    async def relays(self) -> None:
        """What the outbox holds goes to the topic."""
        async with self.sessions.begin() as session:
            rows = await session.execute(text("DELETE FROM outbox RETURNING id, key, body"))
            await self.tells(*(bytes(body) for _, _, body in sorted(rows.all())))

    async def tells(self, *bodies: bytes) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap)
        await producer.start()
        try:
            for body in bodies:
                await producer.send_and_wait(self._topic, body, key=b"chain")
        finally:
            await producer.stop()

    async def damaged(self, *statements: str, **values: Any) -> None:
        """As somebody does who owns the database: its triggers are no obstacle."""
        async with self.sessions.begin() as session:
            for table in ("audit", "audit_seals"):
                await session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            for statement in statements:
                await session.execute(text(statement), values)
            for table in ("audit", "audit_seals"):
                await session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))

    async def rechained(self, signer: AuditSigner) -> None:
        """Wholesale: every hash and every seal worked out anew, as if the lines had always been so."""
        async with self.sessions.begin() as session:
            lines = await rows_of(session, "SELECT * FROM audit WHERE seq IS NOT NULL ORDER BY seq")
            seals = await rows_of(session, "SELECT * FROM audit_seals ORDER BY batch_no")
        previous = "0" * 64
        changes: list[tuple[str, dict[str, Any]]] = []
        for seal in seals:
            mine = [line for line in lines if seal["first_seq"] <= line["seq"] <= seal["last_seq"]]
            hashes = chained(previous, mine)
            head = signer.sign(
                seal["chain_id"], seal["batch_no"], first_seq=seal["first_seq"], last_seq=seal["last_seq"],
                previous_head=previous, head=hashes[-1], sealed_at=seal["sealed_at"],
            )  # fmt: skip
            previous = head.head
            for line, made in zip(mine, hashes, strict=True):
                changes.append(("UPDATE audit SET hash = :hash WHERE seq = :seq", {"hash": made, "seq": line["seq"]}))
            changes.append(
                (
                    "UPDATE audit_seals SET previous_head = :previous_head, head = :head, signature = :signature, "
                    "key_id = :key_id WHERE batch_no = :batch_no",
                    {
                        name: getattr(head, name)
                        for name in ("previous_head", "head", "signature", "key_id", "batch_no")
                    },
                )
            )
        for statement, values in changes:
            await self.damaged(statement, **values)


async def rows_of(session: AsyncSession, statement: str) -> list[dict[str, Any]]:
    """Rows with `detail` as it was written."""
    rows = await session.execute(text(statement).columns(detail=audit._AUDIT.c.detail.type))
    return [dict(row) for row in rows.mappings()]
