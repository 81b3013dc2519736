"""The demo: every region's rules, a few registrations of invented people, and accounts to log in with."""

import asyncio
import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.demo.windows import is_open, moved_to, same_but_for_windows
from deploy.intake.accounts import sort_accounts, write_accounts
from deploy.intake.packs import packs_in
from deploy.intake.registrations import Intake, Refused
from deploy.intake.tables import read_rows
from deploy.intake.telling import tell_all
from deploy.local.moment import now_in
from services.upload.checklist import Rules
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.rules import Pack, RulesPublished
from shared.database import make_engine
from shared.security.sealing import KeyRing

FOLDER = Path(__file__).resolve().parent / "demo"
REGISTRATIONS = FOLDER / "registrations.csv"
LOGINS = FOLDER / "accounts.csv"


class Account(NamedTuple):
    """Somebody to log in as. These passwords are printed on the screen: they exist on development stacks only."""

    who: str
    login: str
    password: str
    where: str


_CANDIDATE = ("demo-candidate", "/")
_SITE = ("demo-site-reviewer", "/console/")
_REGION = ("demo-region-reviewer", "/console/")
_ADMIN = ("demo-region-admin", "/console/")
ACCOUNTS = (
    Account("内蒙古考生 candidate", "2021150001", *_CANDIDATE),
    Account("内蒙古考点 site reviewer", "site", *_SITE),
    Account("内蒙古考区 region reviewer", "region", *_REGION),
    Account("内蒙古考区管理员 region admin", "admin", *_ADMIN),
    Account("全国运维员 national operator", "operator", "demo-national-operator", "/console/"),
    Account("审计员 auditor", "auditor", "demo-auditor", "/console/"),
    Account("湖南考生（首次登录须激活） not activated yet", "2026430001", *_CANDIDATE),
    Account("某省考生（同上） the same", "2022990001", *_CANDIDATE),
    Account("辽宁考生（现役军人） serving military", "2022210001", *_CANDIDATE),
    Account("辽宁考生 candidate", "2022210002", *_CANDIDATE),
    *(
        Account(f"{name}{tier}", f"{login}-{kind}", *where)
        for login, name in (("hunan", "湖南"), ("province", "某省"), ("liaoning", "辽宁"))
        for kind, tier, where in (
            ("site", "考点 site", _SITE),
            ("region", "考区 region", _REGION),
        )
    ),
)
"""Some of them, as the screen lists them."""


class InForce(NamedTuple):
    """A pack's newest version; no pack where another release wrote it in a way that this one can't read."""

    version: int
    pack: Pack | None


class Loaded(NamedTuple):
    """What `load` did: the packs that it published, and demo applications that have lapsed meanwhile."""

    published: tuple[Pack, ...]
    lapsed: int


async def load(environment: Mapping[str, str], done: Path | None = None, *, true_windows: bool = False) -> Loaded:
    """Publish the packs, tell the demo registrations, write the accounts; returns when a candidate can log in.

    Doing it twice does no harm.

    Args:
        environment: of the running system.
        done: a file that remembers which registrations and accounts were brought in, so that a later start brings in
            only what has changed since; without one they are brought in each time.
        true_windows: publish the packs with the windows that they have. Otherwise with windows moved to the present,
            unless the newest version's are open.
    """
    packs = packs_in()
    engine = make_engine(environment["DATABASE_URL_UPLOAD"], pool_size=1)
    try:
        newest = await _newest_packs(engine)
        wanted = to_publish(
            [rules.pack for rules in packs.values()], newest, now_in(environment), true_windows=true_windows
        )
        bootstrap = environment["KAFKA_BOOTSTRAP_SERVERS"]
        await tell_all(bootstrap, "baoshen/demo", [RulesPublished(pack=pack) for pack in wanted])
        told = _registrations(environment, packs)
        what = _fingerprint(REGISTRATIONS, LOGINS)
        if done is None or _remembered(done) != what:
            await tell_all(bootstrap, "baoshen/demo", told)
            found = sort_accounts(read_rows(LOGINS))
            await write_accounts(found, environment["DATABASE_URL_UPLOAD"], environment["DATABASE_URL_REVIEW"])
        numbers = [each.application_no for each in told]
        await _until_arrived(engine, numbers, wanted)
        lapsed = await _lapsed(engine, numbers)
    finally:
        await engine.dispose()
    if done is not None:
        _remember(done, what)
    return Loaded(tuple(wanted), lapsed)


def to_publish(
    packs: Iterable[Pack], newest: Mapping[str, InForce], now: datetime, *, true_windows: bool
) -> list[Pack]:
    """The packs that are not in force as they should be, each with its next version.

    Args:
        packs: as the files have them.
        newest: what is in force, by id.
        now: in the stack.
        true_windows: whether the windows should be the files'.
    """
    wanted = []
    for pack in packs:
        there = newest.get(pack.id)
        if there is not None and there.pack is not None and _is_as_wanted(there.pack, pack, now, true_windows):
            continue
        known = 0 if there is None else there.version
        if known < pack.version:
            # As the file has it, so that publishing the file again changes nothing and is no conflict.
            wanted.append(pack)
            known = pack.version
            if true_windows or is_open(pack, now):
                continue
        wanted.append((pack if true_windows else moved_to(pack, now)).model_copy(update={"version": known + 1}))
    return wanted


def _is_as_wanted(there: Pack, pack: Pack, now: datetime, true_windows: bool) -> bool:
    if true_windows:
        return there == pack.model_copy(update={"version": there.version})
    return is_open(there, now) and same_but_for_windows(there, pack)


def _registrations(environment: Mapping[str, str], packs: Mapping[str, Rules]) -> list[RegistrationRecorded]:
    keys = KeyRing(environment["MASTER_KEYS"], Path(environment["DATA_KEYS_FILE"]))
    taken = list(Intake(packs, keys, revision=1).take(read_rows(REGISTRATIONS)))
    wrong = [each for each in taken if isinstance(each, Refused)]
    if wrong:
        raise ValueError(f"demo data: line {wrong[0].line}: {wrong[0].why}")
    return [each for each in taken if isinstance(each, RegistrationRecorded)]


def _fingerprint(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _remembered(done: Path) -> str | None:
    try:
        content = json.loads(done.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content.get("brought_in") if isinstance(content, dict) else None


def _remember(done: Path, what: str) -> None:
    done.write_text(json.dumps({"brought_in": what}), encoding="utf-8")


async def _newest_packs(engine: AsyncEngine) -> dict[str, InForce]:
    newest = "SELECT DISTINCT ON (pack_id) pack_id, version, content FROM packs ORDER BY pack_id, version DESC"
    async with engine.connect() as connection:
        rows = (await connection.execute(text(newest))).all()
    return {row.pack_id: InForce(row.version, _read(row.content)) for row in rows}


def _read(content: Any) -> Pack | None:  # noqa: ANN401 JSON, decoded or not
    try:
        return Pack.model_validate(json.loads(content) if isinstance(content, str) else content)
    except ValidationError:
        return None


async def _until_arrived(engine: AsyncEngine, numbers: list[str], packs: list[Pack]) -> None:
    there = text(
        """
        SELECT (SELECT count(*) FROM applications WHERE application_no = ANY(:numbers)) AS applications,
               (SELECT count(*) FROM packs WHERE pack_id || '@' || version = ANY(:packs)) AS packs
        """
    )
    wanted = {"numbers": numbers, "packs": [f"{pack.id}@{pack.version}" for pack in packs]}
    until = time.monotonic() + 60
    while time.monotonic() < until:
        async with engine.connect() as connection:
            row = (await connection.execute(there, wanted)).one()
        if row.applications >= len(numbers) and row.packs >= len(packs):
            return
        await asyncio.sleep(0.1)
    raise TimeoutError("the demo registrations did not arrive at upload within a minute")


async def _lapsed(engine: AsyncEngine, numbers: list[str]) -> int:
    count = text("SELECT count(*) FROM applications WHERE application_no = ANY(:numbers) AND state = 'lapsed'")
    async with engine.connect() as connection:
        return int(await connection.scalar(count, {"numbers": numbers}) or 0)
