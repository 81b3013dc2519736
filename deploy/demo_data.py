"""The demo: one region's rules, a few registrations of invented people, and accounts to log in with."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import text

from deploy.intake.accounts import sort_accounts, write_accounts
from deploy.intake.packs import packs_in
from deploy.intake.registrations import Intake, Refused
from deploy.intake.tables import read_rows
from deploy.intake.telling import tell_all
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.rules import RulesPublished
from shared.database import make_engine
from shared.security.sealing import KeyRing

FOLDER = Path(__file__).resolve().parent / "demo"


class Account(NamedTuple):
    """Somebody to log in as. These passwords are printed on the screen: they exist on development stacks only."""

    who: str
    login: str
    password: str
    where: str


ACCOUNTS = (
    Account("考生 candidate", "2021150001", "demo-candidate", "/"),
    Account("考点审核员 site reviewer", "site", "demo-site-reviewer", "/console/"),
    Account("考区审核员 region reviewer", "region", "demo-region-reviewer", "/console/"),
)


async def load(environment: Mapping[str, str]) -> None:
    """Publish the packs, tell the demo registrations, write the accounts; returns when a candidate can log in.

    Doing it twice does no harm.
    """
    packs = packs_in()
    keys = KeyRing(environment["MASTER_KEYS"], Path(environment["DATA_KEYS_FILE"]))
    taken = list(Intake(packs, keys, revision=1).take(read_rows(FOLDER / "registrations.csv")))
    wrong = [each for each in taken if isinstance(each, Refused)]
    if wrong:
        raise ValueError(f"demo data: line {wrong[0].line}: {wrong[0].why}")
    told = [each for each in taken if isinstance(each, RegistrationRecorded)]
    bootstrap = environment["KAFKA_BOOTSTRAP_SERVERS"]
    await tell_all(bootstrap, "baoshen/demo", [RulesPublished(pack=rules.pack) for rules in packs.values()])
    await tell_all(bootstrap, "baoshen/demo", told)
    found = sort_accounts(read_rows(FOLDER / "accounts.csv"))
    await write_accounts(found, environment["DATABASE_URL_UPLOAD"], environment["DATABASE_URL_REVIEW"])
    await _until_arrived(environment["DATABASE_URL_UPLOAD"], len(told))


async def _until_arrived(upload_url: str, count: int) -> None:
    engine = make_engine(upload_url, pool_size=1)
    until = time.monotonic() + 60
    try:
        while time.monotonic() < until:
            async with engine.connect() as connection:
                there = await connection.scalar(text("SELECT count(*) FROM applications WHERE year = 2021"))
                packs = await connection.scalar(text("SELECT count(*) FROM packs"))
            if (there or 0) >= count and packs:
                return
            await asyncio.sleep(0.1)
    finally:
        await engine.dispose()
    raise TimeoutError("the demo registrations did not arrive at upload within a minute")
