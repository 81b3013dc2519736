"""The sealer: gives audit lines their place in the chain, batch by batch, and tells each signed head."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from shared import clock
from shared.contracts.review import AuditSealed
from shared.database import Sessions
from shared.messaging.outbox import tell
from shared.security.audit_chain import BEGINNING, AuditSigner, chained
from shared.telemetry import metrics

EVERY_S = 0.4
BATCH = 5000
_AUDIT = tables.metadata.tables["audit"]
_SEALS = tables.metadata.tables["audit_seals"]
_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended('audit sealer', 0))")
_PLACE = text(
    """
    UPDATE audit SET seq = n.seq, hash = n.hash
    FROM unnest(CAST(:ids AS bigint[]), CAST(:seqs AS bigint[]), CAST(:hashes AS text[])) AS n(line_id, seq, hash)
    WHERE audit.line_id = n.line_id
    """
)


class Sealer:
    """Chains what was committed since the last time.

    Lines get their numbers from an identity column, and one may commit after a later one: the chain's order is the
    sealer's, and such a line simply comes with the next batch.

    Args:
        sessions: of review's database.
        signer: signs the heads.
        batch: lines of one transaction.
    """

    def __init__(self, sessions: Sessions, signer: AuditSigner, *, batch: int = BATCH) -> None:
        self._sessions = sessions
        self._signer = signer
        self._batch = batch

    async def seal(self) -> None:
        """Seal all that waits. Where another process is at it, it is left to that one."""
        while await self._seal_batch() == self._batch:
            pass

    async def _seal_batch(self) -> int:
        async with self._sessions.begin() as session:
            if not await session.scalar(_LOCK):
                return 0
            waiting = select(_AUDIT).where(_AUDIT.c.seq.is_(None)).order_by(_AUDIT.c.line_id).limit(self._batch)
            lines = [dict(row) for row in (await session.execute(waiting)).mappings()]
            self._measure(lines)
            if lines:
                await self._chain(session, lines)
        metrics.AUDIT_SEALED.inc(len(lines))
        return len(lines)

    async def _chain(self, session: AsyncSession, lines: Sequence[dict[str, Any]]) -> None:
        last = (await session.execute(select(_SEALS).order_by(_SEALS.c.batch_no.desc()).limit(1))).mappings().first()
        previous = str(last["head"]) if last else BEGINNING
        first_seq = last["last_seq"] + 1 if last else 1
        placed = [line | {"seq": seq} for seq, line in enumerate(lines, first_seq)]
        hashes = await asyncio.to_thread(chained, previous, placed)
        await session.execute(
            _PLACE,
            {
                "ids": [line["line_id"] for line in placed],
                "seqs": [line["seq"] for line in placed],
                "hashes": hashes,
            },
        )
        head = self._signer.sign(
            last["chain_id"] if last else uuid4(),
            last["batch_no"] + 1 if last else 1,
            first_seq=first_seq,
            last_seq=placed[-1]["seq"],
            previous_head=previous,
            head=hashes[-1],
            sealed_at=clock.now(),
        )
        await session.execute(insert(_SEALS).values(**vars(head)))
        await tell(session, AuditSealed(**vars(head)))

    def _measure(self, lines: Sequence[Mapping[str, Any]]) -> None:
        waits = (clock.now() - lines[0]["at"]).total_seconds() if lines else 0.0
        metrics.AUDIT_UNSEALED_AGE.set(max(0.0, waits))
