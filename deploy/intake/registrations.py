"""Registrations from a file: each row becomes a `RegistrationRecorded`, or is refused with its line."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from deploy.intake.facts import contradictions
from deploy.intake.tables import Row
from services.upload.checklist import Rules
from shared.contracts.event import Person
from shared.contracts.facts import Facts
from shared.contracts.registration import RegistrationRecorded
from shared.security.sealing import KeyRing

COLUMNS = ("application_no", "pack", "site", "name", "id_number", "phone")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_BOOLS = {"true": True, "1": True, "yes": True, "是": True, "false": False, "0": False, "no": False, "否": False}


@dataclass(frozen=True)
class Refused:
    """A row that is not taken. `why` names columns, never personal data."""

    line: int
    why: str


def id_number_fits(number: str) -> bool:
    """True for 18 digits with the check digit of GB 11643 (a trailing X counts ten)."""
    if not re.fullmatch(r"\d{17}[\dX]", number):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == number[-1]


class Intake:
    """Turns rows into registrations.

    Args:
        packs: the packs that rows may name, by id.
        keys: seals personal data.
        revision: of rows that give none; the time in seconds, so that a later import replaces an earlier one.
    """

    def __init__(self, packs: Mapping[str, Rules], keys: KeyRing, revision: int | None = None) -> None:
        self._packs = packs
        self._keys = keys
        self._revision = revision or int(time.time())

    def take(self, rows: Iterable[Row]) -> Iterator[RegistrationRecorded | Refused]:
        """Each row's registration, or why there is none."""
        seen: dict[str, int] = {}
        for row in rows:
            number = str(row.cells.get("application_no", "")).strip().upper()
            if number and number in seen:
                yield Refused(row.line, f"application_no stands in line {seen[number]} already")
                continue
            seen[number] = row.line
            try:
                yield self._registration(row.cells, number)
            except _BadRow as error:
                yield Refused(row.line, str(error))

    def _registration(self, cells: Mapping[str, Any], number: str) -> RegistrationRecorded:
        missing = [name for name in COLUMNS if not str(cells.get(name) or "").strip()]
        if missing:
            raise _BadRow(f"nothing in {', '.join(missing)}")
        rules = self._packs.get(str(cells["pack"]))
        if rules is None:
            raise _BadRow(f"pack is none of {', '.join(self._packs)}")
        pack = rules.pack
        if str(cells["site"]) not in {site.code for site in pack.sites}:
            raise _BadRow(f"site is none of {pack.id}: {', '.join(site.code for site in pack.sites)}")
        facts = _facts(cells, rules)
        person = _person(cells, facts)
        try:
            return RegistrationRecorded(
                application_no=number,
                registration_revision=int(cells.get("registration_revision") or self._revision),
                region=pack.region.code,
                site=str(cells["site"]),
                year=pack.year,
                pack_id=pack.id,
                facts=facts,
                sealed=self._keys.seal(pack.region.code, pack.year, person),
            )
        except ValidationError as error:
            raise _BadRow(_faults(error)) from None
        except ValueError:
            raise _BadRow("registration_revision is not a whole number") from None


class _BadRow(Exception):
    pass


def _facts(cells: Mapping[str, Any], rules: Rules) -> Facts:
    known = set(Facts.model_fields)
    unknown = sorted(set(cells) - known - set(COLUMNS) - {"registration_revision"})
    if unknown:
        raise _BadRow(f"unknown columns: {', '.join(unknown)}")
    given = {name: _value(name, cells[name]) for name in known & set(cells)}
    absent = sorted(rules.facts_read - set(given))
    if absent:
        raise _BadRow(f"{rules.pack.id} decides by {', '.join(absent)}: give these columns")
    # An empty cell of a fact that may be absent says so; of any other it is a mistake that the model names.
    try:
        facts = Facts.model_validate(given)
    except ValidationError as error:
        raise _BadRow(_faults(error)) from None
    found = contradictions(facts, rules.pack.year)
    if found:
        raise _BadRow("; ".join(found))
    return facts


def _value(name: str, cell: Any) -> Any:  # noqa: ANN401 a cell holds anything
    if not isinstance(cell, str):
        return cell
    annotation = Facts.model_fields[name].annotation
    if annotation is bool:
        return _BOOLS.get(cell.strip().lower(), cell)
    if name == "review_passed_years":
        return [part for part in re.split(r"[;,\s]+", cell) if part]
    return cell or None


def _person(cells: Mapping[str, Any], facts: Facts) -> Person:
    id_number = str(cells["id_number"]).strip().upper()
    if facts.id_document in {"id_card", "temporary_id"} and not id_number_fits(id_number):
        raise _BadRow("id_number is not a valid 18-digit number (its check digit does not fit)")
    phone = str(cells["phone"]).strip()
    if not re.fullmatch(r"1[3-9]\d{9}", phone):
        raise _BadRow("phone is not a mainland mobile number of 11 digits")
    name = str(cells["name"]).strip()
    if len(name) > 60:
        raise _BadRow("name has more than 60 characters")
    return Person(name=name, id_number=id_number, phone=phone)


def _faults(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        for fault in error.errors(include_input=False)[:5]
    )
