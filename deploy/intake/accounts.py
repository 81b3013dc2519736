"""Development accounts from a file. Passwords never travel: their hashes go straight into the services' stores."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pydantic import ValidationError

from deploy.intake.tables import Row
from services.review.accounts import StaffAccount, import_staff
from services.upload.accounts import CandidateAccount, import_candidates
from shared.database import make_engine, make_sessions
from shared.security.passwords import hash_now


@dataclass(frozen=True)
class Sorted:
    """What a file of accounts holds."""

    candidates: list[CandidateAccount]
    staff: list[StaffAccount]
    refused: list[tuple[int, str]]


@dataclass(frozen=True)
class _Login:
    login: str
    password: str
    activated: bool


_YES_OR_NO = {"yes": True, "true": True, "1": True, "是": True, "no": False, "false": False, "0": False, "否": False}


def sort_accounts(rows: Iterable[Row], issuer: str = "") -> Sorted:
    """Accounts by kind, candidates' passwords hashed; rows that don't fit are named by line.

    Args:
        rows: of the file.
        issuer: the identity provider of those staff rows that name a subject of it, and no issuer.
    """
    logins: list[_Login] = []
    staff: list[StaffAccount] = []
    refused: list[tuple[int, str]] = []
    seen: dict[tuple[str | None, str], int] = {}
    for row in rows:
        cells = {name: str(value) for name, value in row.cells.items() if value is not None and value != ""}
        kind = cells.pop("kind", None)
        who = (kind, cells.get("login", "").upper())
        if who in seen:
            refused.append((row.line, f"login stands in line {seen[who]} already"))
            continue
        seen[who] = row.line
        try:
            if kind == "staff":
                staff.append(_staff(cells, issuer))
            elif kind == "candidate":
                logins.append(_candidate(cells))
            else:
                refused.append((row.line, "kind is neither candidate nor staff"))
        except ValidationError as error:
            refused.append((row.line, _faults(error)))
        except ValueError as error:
            refused.append((row.line, str(error)))
    with ThreadPoolExecutor(4) as pool:  # argon2 releases the GIL
        hashes = list(pool.map(lambda each: hash_now(each.password), logins))
    candidates = [
        CandidateAccount(each.login, hashed, activated=each.activated)
        for each, hashed in zip(logins, hashes, strict=True)
    ]
    return Sorted(candidates, staff, refused)


def _staff(cells: dict[str, str], issuer: str) -> StaffAccount:
    if "oidc_subject" in cells and issuer:
        cells = {"oidc_issuer": issuer} | cells
    if "reset_second_factor" in cells:
        cells = cells | {"reset_second_factor": str(_yes_or_no(cells, "reset_second_factor"))}
    return StaffAccount.model_validate(cells)


def _yes_or_no(cells: dict[str, str], name: str) -> bool:
    found = _YES_OR_NO.get(cells.get(name, "no").strip().lower())
    if found is None:
        raise ValueError(f"{name} is neither yes nor no")
    return found


def _candidate(cells: dict[str, str]) -> _Login:
    login = cells.get("login", "").upper()
    unknown = sorted(set(cells) - {"login", "password", "activated"})
    if unknown:
        raise ValueError(f"a candidate has login, password and activated only, not {', '.join(unknown)}")
    if not login:
        raise ValueError("nothing in login (of a candidate: the application number)")
    if len(cells.get("password", "")) < 8:
        raise ValueError("password has fewer than 8 characters")
    return _Login(login, cells["password"], _yes_or_no(cells, "activated"))


def _faults(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc']) or 'row'}: {fault['msg']}"
        for fault in error.errors(include_input=False)[:5]
    )


async def write_accounts(found: Sorted, upload_url: str, review_url: str) -> None:
    """Write candidates into upload's store and staff into review's."""
    if found.candidates:
        engine = make_engine(upload_url, pool_size=1)
        async with make_sessions(engine).begin() as session:
            await import_candidates(session, found.candidates)
        await engine.dispose()
    if found.staff:
        engine = make_engine(review_url, pool_size=1)
        async with make_sessions(engine).begin() as session:
            await import_staff(session, found.staff)
        await engine.dispose()
