"""`baoshen keys rotate`: new master keys, new data keys, and what was sealed under the old ones."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy import environment
from deploy.commands.printing import err, fail, json_line, refuse

if TYPE_CHECKING:
    from deploy.resealing import Resealed
    from shared.security.sealing import KeyRing


def rotate(
    data: Annotated[
        bool, typer.Option("--data", help="New data keys, too, and seal the databases' rows anew.")
    ] = False,
    region: Annotated[str | None, typer.Option(help="With --data and --year: of this region only.")] = None,
    year: Annotated[
        int | None, typer.Option(min=2000, max=2100, help="With --data and --region: of this year.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="With --data: no new keys, only go on with the rows of a run that ended.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """轮换密钥。Wrap every data key by the first of MASTER_KEYS; with --data, make new data keys and seal anew.

    A new master key: put it first in MASTER_KEYS, restart the services, run this, then drop the old one. Running
    services notice by themselves. Old data keys go on opening what topics and backups hold.
    """
    if (region is None) != (year is None) or ((region or resume) and not data):
        refuse("--region 与 --year 须同时给出，且须有 --data。Give --region and --year together, and with --data.")
    env = environment.load("MASTER_KEYS", "DATA_KEYS_FILE", *(environment.databases() if data else ()))
    ring = _ring(env)
    try:
        rewrapped = ring.rewrap()
        chosen = _chosen(ring, region, year) if data else []
        made = {} if resume else ring.add_versions(chosen)
    except ValueError as problem:
        refuse(f"主密钥不全。{problem}. Add the old master key behind the new one.")
    except OSError as problem:
        fail(f"密钥文件无法写入。{problem.filename}: can't be written ({problem.strerror}).")
    done = _reseal(env, ring, chosen) if data else None
    _say(rewrapped, made, done, as_json)
    if done is not None and done.damaged:
        fail(f"{done.damaged} 行无法打开，未改动。{done.damaged} rows are not intact and stay as they were.")


def _ring(env: dict[str, str]) -> "KeyRing":
    from shared.security.sealing import KeyRing

    file = Path(env["DATA_KEYS_FILE"])
    if not file.exists():
        refuse(
            f"没有密钥文件 {file}。There is no {file}; DATA_KEYS_FILE names it, and the first registration makes it."
        )
    try:
        return KeyRing(env["MASTER_KEYS"], file)
    except ValueError as problem:
        refuse(f"MASTER_KEYS 不正确。{problem}.")


def _chosen(ring: "KeyRing", region: str | None, year: int | None) -> list[str]:
    from shared.security.sealing import data_key_id

    there = ring.data_keys()
    if region is None or year is None:
        return there
    wanted = data_key_id(region, year)
    if wanted not in there:
        refuse(f"没有密钥 {wanted}。There is no data key {wanted}; there are: {', '.join(there) or 'none'}.")
    return [wanted]


def _reseal(env: dict[str, str], ring: "KeyRing", chosen: list[str]) -> "Resealed":
    from sqlalchemy.exc import SQLAlchemyError

    from deploy.resealing import reseal

    try:
        return asyncio.run(reseal(env, ring, ring.older_versions(chosen)))
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        fail(
            f"数据库没有回答（{type(error).__name__}），已轮换的不受影响。A database does not answer; nothing is lost: "
            "go on with `baoshen keys rotate --data --resume`."
        )


def _say(rewrapped: int, made: dict[str, str], done: "Resealed | None", as_json: bool) -> None:
    resealed = dict(sorted(done.rows.items())) if done else {}
    if as_json:
        json_line(
            {
                "rewrapped": rewrapped,
                "versions": made,
                "resealed": resealed,
                "damaged": done.damaged if done else 0,
            }
        )
        return
    err.print(
        f"✓ {rewrapped} 个数据密钥已改由新主密钥保护。{rewrapped} data keys are wrapped by the first master key now."
    )
    if done is None:
        return
    for old, new in sorted(made.items()):
        err.print(f"  {old} → {new}", markup=False)
    err.print(f"✓ {sum(resealed.values())} 行已重新加密。{sum(resealed.values())} rows were sealed anew.")
    for place, rows in resealed.items():
        if rows:
            err.print(f"  {place}: {rows}", markup=False)
