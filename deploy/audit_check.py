"""The audit chain held against itself, its signatures, and the heads that were told: whatever was changed shows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from typing import Any, Literal
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Column, Select, func, select, text
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from deploy.topic_records import records_of
from services.review import tables
from shared.contracts.review import AuditSealed
from shared.database import make_engine
from shared.security.audit_chain import BEGINNING, LINE_FIELDS, AuditKeys, Head, line_hash

Kind = Literal[
    "line_changed",
    "line_missing",
    "line_inserted",
    "seal_changed",
    "seal_missing",
    "signature_wrong",
    "head_differs",
    "head_not_told",
    "cut_off",
    "other_chain",
]
CHUNK = 5000
# After so many it is clear that the chain does not hold; the number of all of them is counted on.
MOST_PROBLEMS = 100
_DIGEST = 32
# So many heads that were not told yet are kept for a second look; more are no delay of the relay's.
_LATE_AT_MOST = 10_000
_AUDIT = tables.metadata.tables["audit"].c
_SEALED = tables.metadata.tables["audit_seals"].c
_LINES = select(*(_AUDIT[name] for name in LINE_FIELDS), _AUDIT.hash).order_by(_AUDIT.seq)
_SEALS = select(*(_SEALED[each.name] for each in fields(Head))).order_by(_SEALED.batch_no)
_TO_BE_TOLD = text("SELECT count(*) FROM outbox WHERE topic = :topic")


@dataclass(frozen=True)
class Problem:
    """Something that is not as it was sealed: a line by its `seq`, or a batch by its number."""

    kind: Kind
    words: str
    seq: int | None = None
    batch_no: int | None = None


@dataclass
class Verdict:
    """What was looked at, and what was found.

    Attributes:
        lines: in the table, sealed or not.
        unproven: not sealed yet, so that nothing can be said of them.
        heads_in_topic: different ones of this chain.
        found: how many problems; the first of them are in `problems`.
    """

    lines: int = 0
    sealed: int = 0
    unproven: int = 0
    batches: int = 0
    heads_in_topic: int = 0
    found: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """True where nothing was found."""
        return self.found == 0

    def note(self, kind: Kind, words: str, *, seq: int | None = None, batch_no: int | None = None) -> None:
        """Something is wrong."""
        self.found += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(kind, words, seq, batch_no))


class Told:
    """Heads that stand on the topic: 32 bytes for each, so that years of them fit.

    Attributes:
        faults: what is wrong with the heads themselves: kind, words, batch.

    Args:
        keys: to check signatures with.
        known_chains: that have ended, and are no surprise.
    """

    def __init__(self, keys: AuditKeys, known_chains: Collection[UUID] = ()) -> None:
        self._keys = keys
        self._known = set(known_chains)
        self._digests: dict[UUID, bytearray] = {}
        self.faults: list[tuple[Kind, str, int]] = []

    @property
    def others(self) -> set[UUID]:
        """The chains that it tells of, but for those that are known to have ended."""
        return set(self._digests) - self._known

    def add(self, head: Head) -> None:
        """One record. A repetition is no second head; another head of the same batch is a fault."""
        digests = self._digests.get(head.chain_id)
        there = len(digests) // _DIGEST if digests is not None else 0
        # One that follows is compared with its seal; any other might be anybody's invention, of any number.
        if (there == 0 or head.batch_no != there + 1) and not self._keys.signed(head):
            self.faults.append(("signature_wrong", "the topic has a head that none of the keys signed", head.batch_no))
            return
        digests = self._digests.setdefault(head.chain_id, bytearray())
        start = (head.batch_no - 1) * _DIGEST
        if start >= len(digests):
            digests.extend(bytes(start - len(digests)) + head.digest)
        elif not any(digests[start : start + _DIGEST]):
            digests[start : start + _DIGEST] = head.digest
        elif digests[start : start + _DIGEST] != head.digest:
            self.faults.append(("head_differs", "the topic has two different heads of one batch", head.batch_no))

    def count(self, chain_id: UUID) -> int:
        """How many batches it knows of the chain."""
        digests = self._digests.get(chain_id, b"")
        return sum(any(digests[at : at + _DIGEST]) for at in range(0, len(digests), _DIGEST))

    def last(self, chain_id: UUID) -> int:
        """The latest batch that it knows of the chain; 0 for none."""
        return len(self._digests.get(chain_id, b"")) // _DIGEST

    def digest(self, chain_id: UUID, batch_no: int) -> bytes | None:
        """What it knows of a batch."""
        found = bytes(self._digests.get(chain_id, b"")[(batch_no - 1) * _DIGEST : batch_no * _DIGEST])
        return found if any(found) else None


async def read_told(bootstrap: str, told: Told, *, within_s: float = 120) -> Told:
    """Read all heads that stand on the topic now.

    Raises:
        KafkaError: the broker did not answer.
        TimeoutError: it took longer.
    """
    async with asyncio.timeout(within_s):
        async for record in records_of(bootstrap, [AuditSealed.topic]):
            try:
                told.add(Head(**AuditSealed.model_validate_json(record.value or b"").model_dump()))
            except ValidationError:
                told.faults.append(("signature_wrong", "the topic has a record that is no head", 0))
    return told


async def verify(
    url: str,
    keys: AuditKeys,
    read: Callable[[], Awaitable[Told]] | None,
    *,
    from_batch: int = 1,
    chunk: int = CHUNK,
) -> Verdict:
    """Look at the whole chain.

    The topic is read first: every head that stands there was committed before it was told. What is in the database
    and not there is looked for once more afterwards: it may have been on its way.

    Args:
        url: of review's database.
        keys: to check signatures with.
        read: reads the heads of the topic; None leaves them out.
        from_batch: the first batch whose lines are still there; those before were archived.
        chunk: rows in memory at a time.

    Raises:
        SQLAlchemyError: the database did not answer.
    """
    told = await read() if read is not None else None
    async with _one_moment(url) as connection:
        check = _Check(connection, keys, told, from_batch, chunk)
        await check.run()
    if told is not None and read is not None:
        check.compare_with_the_topic(told, await read() if check.late(told) else told)
    return check.verdict


@asynccontextmanager
async def _one_moment(url: str) -> AsyncIterator[AsyncConnection]:
    """The database as it is at one moment, however long the looking takes."""
    engine = make_engine(url, pool_size=1)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection
    finally:
        await engine.dispose()


class _Check:
    """One walk along seals and lines side by side."""

    def __init__(
        self, connection: AsyncConnection, keys: AuditKeys, told: Told | None, from_batch: int, chunk: int
    ) -> None:
        self.verdict = Verdict()
        self._connection = connection
        self._keys = keys
        self._told = told
        self._from_batch = from_batch
        self._chunk = chunk
        self._last: Head | None = None
        self._untold: dict[int, bytes] = {}
        self._to_be_told = 0
        # What the next line may build on: after a fault it is not known which of two hashes was the true one.
        self._bases: tuple[str, ...] = (BEGINNING,)
        self._expected = 1

    async def run(self) -> None:
        """Walk."""
        lines = self._rows(_LINES, _AUDIT.seq, await self._before_the_first())
        ahead = await anext(lines, None)
        async for row in self._rows(_SEALS, _SEALED.batch_no, self._from_batch - 1):
            head = Head(**row)
            self._look_at(head)
            while ahead is not None and ahead["seq"] <= head.last_seq:
                self._line(ahead)
                ahead = await anext(lines, None)
            if self._expected <= head.last_seq:
                self._missing(self._expected, head.last_seq)
                self._bases = (head.head,)
            elif head.head not in self._bases:
                self._note_seal("head_differs", "its lines lead to another head than it has", head)
                self._bases = (*self._bases, head.head)
            self._expected = head.last_seq + 1
            self._last = head
        while ahead is not None:
            self.verdict.sealed += 1
            words = "the line has a place in the chain that no seal covers"
            self.verdict.note("line_inserted", words, seq=ahead["seq"])
            ahead = await anext(lines, None)
        unsealed = select(func.count()).select_from(_AUDIT.line_id.table).where(_AUDIT.seq.is_(None))
        self.verdict.unproven = int(await self._connection.scalar(unsealed) or 0)
        self.verdict.lines = self.verdict.sealed + self.verdict.unproven
        self._to_be_told = int(await self._connection.scalar(_TO_BE_TOLD, {"topic": AuditSealed.topic}) or 0)

    async def _before_the_first(self) -> int:
        """After which `seq` to begin."""
        if self._from_batch == 1:
            return -(2**63)
        first = (await self._connection.execute(_SEALS.where(_SEALED.batch_no == self._from_batch))).mappings().first()
        if first is None:
            self.verdict.note("seal_missing", "there is no such seal to begin with", batch_no=self._from_batch)
            return -(2**63)
        self._bases = (first["previous_head"],)
        self._expected = int(first["first_seq"])
        return self._expected - 1

    async def _rows(self, query: Select[Any], by: "Column[int]", after: int) -> AsyncIterator[RowMapping]:
        while True:
            page = query.where(by > after).limit(self._chunk)
            rows = (await self._connection.execute(page)).mappings().all()
            for row in rows:
                yield row
            if len(rows) < self._chunk:
                return
            after = rows[-1][by.name]

    def _line(self, line: RowMapping) -> None:
        self.verdict.sealed += 1
        seq, stored = line["seq"], line["hash"] or ""
        if seq < self._expected:
            self.verdict.note("line_inserted", "the line stands in a place that another has", seq=seq)
            return
        if seq > self._expected:
            self._missing(self._expected, seq - 1)
            self._bases = (stored,)
        else:
            hashes = tuple(line_hash(base, dict(line)) for base in self._bases)
            if stored in hashes:
                self._bases = (stored,)
            else:
                words = "what the line says, or its hash, is not what was sealed"
                self.verdict.note("line_changed", words, seq=seq)
                self._bases = tuple(dict.fromkeys((stored, hashes[0], hashes[-1])))
        self._expected = seq + 1

    def _missing(self, first: int, last: int) -> None:
        words = f"the line is missing, and those after it up to {last}" if last > first else "the line is missing"
        self.verdict.note("line_missing", words, seq=first)

    def _look_at(self, head: Head) -> None:
        self.verdict.batches += 1
        before = self._last
        expected_no = before.batch_no + 1 if before else self._from_batch
        if head.batch_no != expected_no:
            words = f"seals {expected_no} to {head.batch_no - 1} are missing"
            self.verdict.note("seal_missing", words, batch_no=expected_no)
        elif not _follows(before, head):
            self._note_seal("seal_changed", "it does not follow the seal before it", head)
        if not self._keys.knows(head.key_id):
            self._note_seal("signature_wrong", f"it is signed by the key {head.key_id}, which was not given", head)
        elif not self._keys.signed(head):
            self._note_seal("signature_wrong", "its signature does not fit what it says", head)
        digest = self._told.digest(head.chain_id, head.batch_no) if self._told else None
        if digest is None:
            self._untold[head.batch_no] = head.digest
            if len(self._untold) > _LATE_AT_MOST:
                oldest = next(iter(self._untold))
                del self._untold[oldest]
                if self._told is not None:
                    self._not_told(oldest)
        elif digest != head.digest:
            self._note_seal("head_differs", "the topic was told another head of this batch", head)

    def late(self, told: Told) -> bool:
        """True where the newest heads are not on the topic, although they are not waiting to be told either."""
        last = told.last(self._last.chain_id) if self._last else 0
        return sum(batch_no > last for batch_no in self._untold) > self._to_be_told

    def compare_with_the_topic(self, told: Told, told_by_now: Told) -> None:
        """See what the topic knows that the database does not, and the other way round."""
        for kind, words, batch_no in told.faults:
            self.verdict.note(kind, words, batch_no=batch_no)
        chain_id = self._last.chain_id if self._last else None
        for other in sorted(told.others - {chain_id}, key=str):
            words = f"the topic knows a chain {other}, which the database has not (any more)"
            self.verdict.note("other_chain", words, batch_no=told.last(other))
        if chain_id is None or self._last is None:
            return
        self.verdict.heads_in_topic = told.count(chain_id)
        if told.last(chain_id) > self._last.batch_no:
            words = f"the topic knows seals up to {told.last(chain_id)}: what they sealed was cut off"
            self.verdict.note("cut_off", words, batch_no=self._last.batch_no + 1)
        missing = [no for no, digest in self._untold.items() if told_by_now.digest(chain_id, no) != digest]
        # The newest of them still wait to be told.
        for batch_no in missing[: max(0, len(missing) - self._to_be_told)]:
            self._not_told(batch_no)

    def _not_told(self, batch_no: int) -> None:
        self.verdict.note("head_not_told", "the topic lacks the head of this batch", batch_no=batch_no)

    def _note_seal(self, kind: Kind, words: str, head: Head) -> None:
        self.verdict.note(kind, words, batch_no=head.batch_no)


def _follows(before: Head | None, head: Head) -> bool:
    if before is None:
        return head.batch_no > 1 or (head.previous_head, head.first_seq) == (BEGINNING, 1)
    after = (before.chain_id, before.head, before.last_seq + 1)
    return after == (head.chain_id, head.previous_head, head.first_seq)
