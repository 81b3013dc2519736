"""How staff's work holds up: decisions of many reviewers at once, lists at two sizes, and a publication.

A stack of its own has two review databases: a large one, and a small one that differs in nothing but its number of
applications. Lists are asked of two processes, in turns, so that what else the machine does slows both alike. Then
reviewers work in the large one over HTTP (next, open, mark, pass or decide), and a region publishes its year there.
"""

import asyncio
import math
import ssl
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from deploy.bench.review_rows import PUBLISHING_REGION, REGION, SITES, fill
from deploy.intake.packs import RULES, read_pack
from deploy.local.databases import database_url, make_databases
from deploy.local.stack import Stack
from deploy.local.throwaway import throwaway_stack
from services.review.domain import Staff
from services.review.lists import Listing
from services.review.shapes import Filters, QueueName
from shared import clock
from shared.contracts.event import Person
from shared.contracts.rules import Pack, Windows
from shared.database import migrate
from shared.security.passwords import hash_now
from shared.security.sealing import KeyRing

PASSWORD = "bench-review-2021"  # noqa: S105 of accounts that are gone with the stack
YEAR = 2021
ROUNDS = 15
# Handed in within two days, due after five: nothing is late yet.
_WITHIN = timedelta(days=2)
_PATIENCE_S = 280.0
_PUBLISHED_WITHIN_S = 180.0
# On a slow machine fewer decisions are made, and counted.
_WORKING_S = 60.0
# Asked of both sizes; each has full pages also among the fewest applications.
_ASKED: tuple[tuple[str, dict[str, str], bool], ...] = (
    ("site", {}, False),
    ("site", {}, True),
    ("site", {"state": "new"}, False),
    ("site", {"category": "dental"}, False),
    ("region", {}, False),
    ("region", {}, True),
    ("region", {"state": "new"}, True),
    ("region", {"category": "dental"}, False),
    ("region", {"category": "dental"}, True),
    ("region", {"finding": "blurred"}, False),
)
_TRIES, _AGAIN_AFTER_S = 10, 0.5
Say = Callable[[str], None]


class BenchFailed(Exception):
    """The service did not do what it was asked to; said in words for the terminal."""


@dataclass
class Result:
    """Seconds of single requests, and of the whole.

    Attributes:
        acts_s: of claims, marks, passes and decisions.
        small_s: of lists among few applications.
        large_s: of lists among many.
    """

    decisions: int = 0
    working_s: float = 0.0
    publishing_s: float = 0.0
    acts_s: list[float] = field(default_factory=list)
    small_s: list[float] = field(default_factory=list)
    large_s: list[float] = field(default_factory=list)

    def line(self) -> dict[str, float]:
        """What the command prints last."""
        small, large = statistics.median(self.small_s), statistics.median(self.large_s)
        acts = sorted(self.acts_s)
        return {
            "decisions_per_s": round(self.decisions / self.working_s, 1),
            "p99_ms": round(acts[math.ceil(0.99 * len(acts)) - 1] * 1000, 1),
            "queue_ms_1k": round(small * 1000, 2),
            "queue_ms_1m": round(large * 1000, 2),
            "queue_ratio": round(large / small, 3),
            "publish_100k_s": round(self.publishing_s, 2),
        }


@dataclass(frozen=True)
class Sizes:
    """How much of everything.

    Attributes:
        few: applications in the small database.
        many: in the large one.
        reviewers: who work at once.
        decisions: that they make together.
        published: opinions that are released.
    """

    few: int = 1_000
    many: int = 1_000_000
    reviewers: int = 50
    decisions: int = 1_500
    published: int = 100_000


class _Desk:
    """One member of staff, logged in."""

    def __init__(self, client: httpx.AsyncClient, staff: Staff) -> None:
        self.client = client
        self.staff = staff
        self._csrf = ""

    async def log_in(self) -> None:
        self._csrf = (await self.post("/staff/session", {"login": self.staff.login, "password": PASSWORD}))[
            "csrf_token"
        ]

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        return await self._ask("GET", path, params=params)

    async def put(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        return await self._ask("PUT", path, json=body, headers={"X-CSRF-Token": self._csrf})

    async def post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        headers = {"X-CSRF-Token": self._csrf, "Idempotency-Key": str(uuid4())}
        return await self._ask("POST", path, json=body, headers=headers)

    async def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 httpx's own
        answer = await self.client.request(method, path, **more)
        # As the console does: what can't be served now is asked for again, and the waiting counts.
        for _ in range(_TRIES):
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            await asyncio.sleep(_AGAIN_AFTER_S)
            answer = await self.client.request(method, path, **more)
        if not answer.is_success:
            raise BenchFailed(f"{method} {path} gave {answer.status_code}: {answer.text[:200]}")
        told: dict[str, Any] = answer.json()
        return told


async def measure(sizes: Sizes, say: Say = lambda _: None) -> Result:
    """Measure on a stack of its own, within five minutes.

    Args:
        sizes: how much of everything.
        say: hears what is being done.
    """
    async with throwaway_stack(services=("review",)) as stack, AsyncExitStack() as opened:
        async with asyncio.timeout(_PATIENCE_S):
            bench = _Bench(stack, sizes, opened, say)
            await bench.prepare()
            await bench.list()
            await bench.work()
            await bench.publish()
        return bench.result


class _Bench:
    def __init__(self, stack: Stack, sizes: Sizes, opened: AsyncExitStack, say: Say) -> None:
        self.stack = stack
        self.sizes = sizes
        self.opened = opened
        self.say = say
        self.result = Result()
        # One for all clients: each would read all of the machine's certificates.
        self.trusted = ssl.create_default_context()
        self.people = list(_people(sizes.reviewers))
        self.databases: dict[str, asyncpg.Connection] = {}

    async def prepare(self) -> None:
        """Two databases, and a process for the lists of each."""
        environment = self.stack.environment
        server = environment["DATABASE_URL"]
        urls = {"small": database_url(server, "review_small"), "large": environment["DATABASE_URL_REVIEW"]}
        await make_databases(server, {"small": urls["small"]})
        await asyncio.to_thread(migrate, "review", urls["small"])
        ring = KeyRing(environment["MASTER_KEYS"], Path(environment["DATA_KEYS_FILE"]))
        person = Person(name="王小明", id_number="999999199001011234", phone="19900000000")
        sealed = ring.seal(REGION, YEAR, person).model_dump_json()
        hashed = await asyncio.to_thread(hash_now, PASSWORD)
        for name, count, decided in (
            ("small", self.sizes.few, 0),
            ("large", self.sizes.many, self.sizes.published),
        ):
            self.say(f"{name}: {count:,} applications …")
            connection = self.databases[name] = await asyncpg.connect(urls[name], command_timeout=120)
            self.opened.push_async_callback(connection.close)
            await self._staff_of(connection, hashed)
            await fill(
                connection,
                count,
                since=clock.now() - _WITHIN,
                over=_WITHIN,
                sealed=sealed,
                decided_by=self.people[-1].id,
                decided=decided,
            )
        for part, name in (("review-2", "small"), ("review-3", "large")):
            await self.stack.start_part(part, {"DATABASE_URL_REVIEW": urls[name], "ROLES": "api"})

    async def list(self) -> None:
        """First pages and pages deep inside, with and without filters; the two sizes take turns."""
        self.say("lists …")
        asked = []
        for staff in (self.people[0], self.people[1]):
            desks = {
                name: await self._desk(part, staff) for part, name in (("review-2", "small"), ("review-3", "large"))
            }
            for scope, params, deep in _ASKED:
                if scope == staff.tier:
                    asked.append(
                        {
                            name: (desk, params | await self._deep(name, staff, params) if deep else params)
                            for name, desk in desks.items()
                        }
                    )
        for number in range(ROUNDS + 1):
            for pair in asked:
                for name in ("small", "large") if number % 2 else ("large", "small"):
                    desk, params = pair[name]
                    began = time.perf_counter()
                    await desk.get("/reviews", params)
                    if number:
                        took = self.result.small_s if name == "small" else self.result.large_s
                        took.append(time.perf_counter() - began)

    async def work(self) -> None:
        """Reviewers claim the next one, open it, mark an item, and pass or decide, until enough is done."""
        self.say(f"{self.sizes.reviewers} reviewers at work …")
        desks = [await self._desk("review", staff) for staff in self.people[:-1]]
        turns = iter(range(self.sizes.decisions))
        began = time.perf_counter()
        await asyncio.gather(*(self._work_at(desk, turns) for desk in desks))
        self.result.working_s = time.perf_counter() - began

    async def publish(self) -> None:
        """From the click to the last row in the outbox."""
        self.say(f"publishing {self.sizes.published:,} opinions …")
        desk = await self._desk("review", self.people[-1])
        began = time.perf_counter()
        async with asyncio.timeout(_PUBLISHED_WITHIN_S):
            made = await desk.post("/publications", {"region": PUBLISHING_REGION, "year": YEAR})
            finished = False
            while not finished:
                await asyncio.sleep(0.1)
                finished = (await desk.get(f"/publications/{made['publication_id']}"))["finished"]
        self.result.publishing_s = time.perf_counter() - began
        if made["published"] != self.sizes.published:
            raise BenchFailed(f"{made['published']} opinions were published, not {self.sizes.published}")

    async def _work_at(self, desk: _Desk, turns: Iterator[int]) -> None:
        until = time.perf_counter() + _WORKING_S
        for _ in turns:
            if time.perf_counter() > until:
                return
            number = (await self._act(desk.post("/reviews/claims", {})))["application_no"]
            shown = await desk.get(f"/reviews/{number}")
            await self._act(desk.put(f"/reviews/{number}/items/diploma/mark", {"mark": "accept"}))
            if desk.staff.tier == "site":
                await self._act(desk.post(f"/reviews/{number}/passes", {"revision": shown["revision"]}))
            else:
                opinion = {"outcome": "approved", "words": "", "revision": shown["revision"]}
                await self._act(desk.post(f"/reviews/{number}/decisions", opinion))
            self.result.decisions += 1

    async def _act(self, request: Any) -> dict[str, Any]:  # noqa: ANN401 a call under way
        began = time.perf_counter()
        answer: dict[str, Any] = await request
        self.result.acts_s.append(time.perf_counter() - began)
        return answer

    async def _desk(self, part: str, staff: Staff) -> _Desk:
        address = next(each.address for each in self.stack.status() if each.name == part)
        client = await self.opened.enter_async_context(
            httpx.AsyncClient(
                base_url=address,
                timeout=30,
                headers={"Origin": self.stack.environment["PUBLIC_ORIGIN"]},
                verify=self.trusted,
            )
        )
        desk = _Desk(client, staff)
        await desk.log_in()
        return desk

    async def _deep(self, name: str, staff: Staff, params: Mapping[str, str]) -> dict[str, str]:
        """A cursor to the middle of a list, as its page would have led on to."""
        queue: QueueName = "new" if params.get("state") == "new" else "waiting"
        wanted = Filters(category=params.get("category"))
        scope = "site = '1501'" if staff.tier == "site" else f"region = '{REGION}'"
        queues = "('new')" if queue == "new" else "('new', 'resubmitted', 'sent_back', 'onsite')"
        where = f"{scope} AND tier = $1 AND queue IN {queues} AND category = coalesce($2, category)"
        of_list = (staff.tier, wanted.category)
        database = self.databases[name]
        count = await database.fetchval(f"SELECT count(*) FROM reviews WHERE {where}", *of_list)
        row = await database.fetchrow(
            f"SELECT due_at, submitted_at, application_no FROM reviews WHERE {where} "
            f"ORDER BY due_at, submitted_at, application_no OFFSET {count // 2} LIMIT 1",
            *of_list,
        )
        return {"cursor": Listing(staff, queue, wanted, clock.now()).cursor(_At(**dict(row)))}

    async def _staff_of(self, connection: asyncpg.Connection, password_hash: str) -> None:
        await connection.executemany(
            "INSERT INTO staff (id, login, display_name, role, region, site, password_hash) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7)",
            [
                (each.id, each.login, each.display_name, each.role, each.region, each.site, password_hash)
                for each in self.people
            ],
        )
        await connection.execute(
            "INSERT INTO packs (pack_id, version, content, published_at) VALUES ($1, $2, $3::jsonb, $4)",
            *(_PACK.id, _PACK.version, _PACK.model_dump_json(), clock.now()),
        )


@dataclass(frozen=True)
class _At:
    """A row's place in a list."""

    due_at: Any
    submitted_at: Any
    application_no: str


def _pack() -> Pack:
    """The rules that all are bound to: nothing is closed, and no rejection waits for a second reviewer."""
    changes = {"version": 1, "windows": Windows(), "second_reviewer_on_rejection": False, "service_level_days": 5}
    return read_pack(RULES / "neimenggu-2021.yaml").pack.model_copy(update=changes)


_PACK = _pack()


def _people(reviewers: int) -> Iterator[Staff]:
    """Half of them at sites, half at the region; the last one is the administrator of the region that publishes."""
    for number in range(reviewers):
        at_site = number % 2 == 0
        yield Staff(
            uuid4(),
            f"bench-{number}",
            f"审核员 {number}",
            "site_reviewer" if at_site else "region_reviewer",
            REGION,
            f"{REGION}0{1 + number // 2 % SITES}" if at_site else None,
        )
    yield Staff(uuid4(), "bench-admin", "管理员", "region_admin", PUBLISHING_REGION, None)
