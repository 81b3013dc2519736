"""Who plays in a demo: a region of its own, so that it never waits for, or publishes, anybody else's applications."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.intake.accounts import Sorted, write_accounts
from deploy.intake.packs import RULES, read_pack
from deploy.intake.registrations import id_number_fits
from deploy.intake.telling import tell_all
from deploy.specimens import Person as Sitter
from deploy.specimens import invented_person
from services.review.accounts import StaffAccount
from services.upload.accounts import CandidateAccount
from shared.contracts.event import Person
from shared.contracts.facts import Facts
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.rules import Pack, RulesPublished, Site
from shared.security.passwords import hash_now
from shared.security.sealing import KeyRing


@dataclass(frozen=True)
class Cast:
    """The players and their passwords.

    Attributes:
        sitter: the invented person whose papers are drawn.
        person: the same one as the registration knows them.
    """

    pack: Pack
    application_no: str
    sitter: Sitter
    person: Person
    facts: Facts
    password: str
    site_logins: tuple[str, str]
    region_login: str

    @property
    def region(self) -> str:
        """The demo's own region."""
        return self.pack.region.code


def make_cast(pack_id: str, facts: Facts, seed: int | None = None) -> Cast:
    """Invent a region with the rules of `pack_id`, its staff, and a candidate with these facts."""
    run = secrets.token_hex(3)
    original = read_pack(RULES / f"{pack_id}.yaml").pack
    pack = original.model_copy(
        update={
            "id": f"demo-{run}",
            "region": original.region.model_copy(update={"code": f"d{run}"}),
            "sites": (Site(code=f"d{run}-1", name=original.sites[0].name),),
        }
    )
    sitter = invented_person(seed if seed is not None else secrets.randbelow(10_000))
    if not id_number_fits(sitter.id_number):
        raise ValueError("the invented ID number does not fit its check digit")
    phone = "199" + f"{secrets.randbelow(10**8):08d}"
    return Cast(
        pack=pack,
        application_no=f"{pack.year}{secrets.randbelow(10**10):010d}",
        sitter=sitter,
        person=Person(name=sitter.name, id_number=sitter.id_number, phone=phone),
        facts=facts,
        password=secrets.token_urlsafe(12),
        site_logins=(f"demo-{run}-site-1", f"demo-{run}-site-2"),
        region_login=f"demo-{run}-region",
    )


async def publish_rules(environment: Mapping[str, str], cast: Cast) -> None:
    """Put the region's rules in force."""
    await tell_all(environment["KAFKA_BOOTSTRAP_SERVERS"], "baoshen/demo", [RulesPublished(pack=cast.pack)])


async def register(environment: Mapping[str, str], cast: Cast) -> None:
    """Tell the registration, as the registration system does."""
    keys = KeyRing(environment["MASTER_KEYS"], Path(environment["DATA_KEYS_FILE"]))
    registration = RegistrationRecorded(
        application_no=cast.application_no,
        registration_revision=1,
        region=cast.region,
        site=cast.pack.sites[0].code,
        year=cast.pack.year,
        pack_id=cast.pack.id,
        facts=cast.facts,
        sealed=keys.seal(cast.region, cast.pack.year, cast.person),
    )
    await tell_all(environment["KAFKA_BOOTSTRAP_SERVERS"], "baoshen/demo", [registration])


async def open_accounts(environment: Mapping[str, str], cast: Cast) -> None:
    """Write the development accounts of everybody who plays."""
    site = cast.pack.sites[0].code
    staff = [
        StaffAccount.model_validate(
            {"login": login, "password": cast.password, "display_name": "考点审核员（演示）", "role": "site_reviewer",
             "region": cast.region, "site": site}
        )
        for login in cast.site_logins
    ]  # fmt: skip
    staff.append(
        StaffAccount.model_validate(
            {"login": cast.region_login, "password": cast.password, "display_name": "考区审核员（演示）",
             "role": "region_reviewer", "region": cast.region}
        )
    )  # fmt: skip
    candidate = CandidateAccount(cast.application_no, hash_now(cast.password))
    await write_accounts(
        Sorted([candidate], staff, []), environment["DATABASE_URL_UPLOAD"], environment["DATABASE_URL_REVIEW"]
    )
