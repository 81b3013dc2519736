"""Who plays in a demo: a region of its own, so that it never waits for, or publishes, anybody else's applications."""

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict, cast

from deploy.demo.windows import with_everything_open
from deploy.intake.accounts import Sorted, write_accounts
from deploy.intake.packs import RULES, read_pack
from deploy.intake.registrations import id_number_fits
from deploy.intake.telling import tell_all
from deploy.specimens import Level, Studies, invented_id_number, invented_person
from deploy.specimens import Person as Sitter
from services.review.accounts import StaffAccount
from services.upload.accounts import CandidateAccount
from shared import clock
from shared.contracts.event import Person
from shared.contracts.facts import Facts
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.rules import Pack, RulesPublished, Site
from shared.security.passwords import hash_now
from shared.security.sealing import KeyRing

_AGES = {"graduate": 22, "bachelor": 18, "junior_college": 18, "secondary": 15}


@dataclass(frozen=True)
class Cast:
    """The players and their passwords.

    Attributes:
        second_login: another reviewer of the region, for second looks.
        sitter: the invented person whose papers are drawn.
        person: the same one as the registration knows them.
        activated: whether the candidate's account is linked already.
    """

    pack: Pack
    application_no: str
    sitter: Sitter
    person: Person
    facts: Facts
    password: str
    site_logins: tuple[str, str]
    region_login: str
    second_login: str
    admin_login: str
    auditor_login: str
    activated: bool = False

    @property
    def region(self) -> str:
        """The demo's own region."""
        return self.pack.region.code

    def with_another(self, facts: Facts, seed: int | None = None) -> "Cast":
        """The same region and staff, and another candidate; `seed` as in `make_cast`."""
        return replace(self, facts=facts, **_candidate(self.pack, facts, _seed(seed)))


def make_cast(
    pack_id: str,
    facts: Facts,
    seed: int | None = None,
    *,
    now: dt.datetime | None = None,
    activated: bool = False,
    rules: Mapping[str, object] | None = None,
) -> Cast:
    """Invent a region with the rules of `pack_id`, its staff, and a candidate with these facts.

    Args:
        pack_id: a file in `rules/`.
        facts: the candidate's.
        seed: of the person and the papers; left out, somebody by chance.
        now: the time in the stack, to which the pack's windows are moved; left out, this process's clock.
        activated: whether the candidate may log in without activating the account first.
        rules: fields of the pack that are different in the demo's region.
    """
    run = secrets.token_hex(3)
    original = with_everything_open(read_pack(RULES / f"{pack_id}.yaml").pack, now or clock.now())
    site = original.sites[0].model_copy(update={"code": f"d{run}-1"})
    pack = original.model_copy(
        update={
            "id": f"demo-{run}",
            "version": 1,
            "region": original.region.model_copy(update={"code": f"d{run}"}),
            "sites": (Site.model_validate(site.model_dump()),),
        }
        | dict(rules or {})
    )
    return Cast(
        pack=pack,
        facts=facts,
        password=secrets.token_urlsafe(12),
        site_logins=(f"demo-{run}-site-1", f"demo-{run}-site-2"),
        region_login=f"demo-{run}-region",
        second_login=f"demo-{run}-region-2",
        admin_login=f"demo-{run}-admin",
        auditor_login=f"demo-{run}-auditor",
        activated=activated,
        **_candidate(pack, facts, _seed(seed)),
    )


def _seed(given: int | None) -> int:
    return given if given is not None else secrets.randbelow(10_000)


class _Candidate(TypedDict):
    application_no: str
    sitter: Sitter
    person: Person


def _candidate(pack: Pack, facts: Facts, seed: int) -> _Candidate:
    """Somebody whose papers say what the registration says."""
    sitter = replace(invented_person(seed), exam_year=pack.year)
    if facts.education in _AGES and facts.entered_on is not None:
        level = cast("Level", facts.education)
        born = sitter.birth.replace(year=facts.entered_on.year - _AGES[level], day=min(sitter.birth.day, 28))
        number = invented_id_number(born, sitter.sex, seed)
        studies = Studies(level, facts.entered_on, facts.graduated_on)
        sitter = replace(sitter, birth=born, id_number=number, studies=studies)
    if not id_number_fits(sitter.id_number):
        raise ValueError("the invented ID number does not fit its check digit")
    phone = "199" + f"{secrets.randbelow(10**8):08d}"
    return {
        "application_no": f"{pack.year}{secrets.randbelow(10**10):010d}",
        "sitter": sitter,
        "person": Person(name=sitter.name, id_number=sitter.id_number, phone=phone),
    }


async def publish_rules(environment: Mapping[str, str], cast: Cast) -> None:
    """Put the region's rules in force."""
    await tell_all(environment["KAFKA_BOOTSTRAP_SERVERS"], "baoshen/demo", [RulesPublished(pack=cast.pack)])


async def register(
    environment: Mapping[str, str], cast: Cast, *, revision: int = 1, facts: Facts | None = None
) -> None:
    """Tell the registration, as the registration system does; a higher revision changes it."""
    keys = KeyRing(environment["MASTER_KEYS"], Path(environment["DATA_KEYS_FILE"]))
    registration = RegistrationRecorded(
        application_no=cast.application_no,
        registration_revision=revision,
        region=cast.region,
        site=cast.pack.sites[0].code,
        year=cast.pack.year,
        pack_id=cast.pack.id,
        facts=facts or cast.facts,
        sealed=keys.seal(cast.region, cast.pack.year, cast.person),
    )
    await tell_all(environment["KAFKA_BOOTSTRAP_SERVERS"], "baoshen/demo", [registration])


async def open_accounts(environment: Mapping[str, str], cast: Cast) -> None:
    """Write the development accounts of everybody who plays."""
    site = cast.pack.sites[0].code
    people: list[tuple[str, str, str, str | None]] = [
        *((login, "考点审核员（演示）", "site_reviewer", site) for login in cast.site_logins),
        (cast.region_login, "考区审核员（演示）", "region_reviewer", None),
        (cast.second_login, "考区审核员二（演示）", "region_reviewer", None),
        (cast.admin_login, "考区管理员（演示）", "region_admin", None),
        (cast.auditor_login, "审计员（演示）", "auditor", None),
    ]
    staff = [
        StaffAccount.model_validate(
            {"login": login, "password": cast.password, "display_name": name, "role": role, "region": cast.region}
            | ({"site": of_site} if of_site else {})
        )
        for login, name, role, of_site in people
    ]
    candidate = CandidateAccount(cast.application_no, hash_now(cast.password), activated=cast.activated)
    await write_accounts(
        Sorted([candidate], staff, []), environment["DATABASE_URL_UPLOAD"], environment["DATABASE_URL_REVIEW"]
    )
