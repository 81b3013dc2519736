"""Builds the web pages when their sources have changed, with the Node of a wheel."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from deploy.local import install
from deploy.local.parts.probes import run_once
from deploy.local.places import CHECKOUT

WEB = CHECKOUT / "web"
CANDIDATE_PAGES = WEB / "candidate" / "dist"
STAFF_PAGES = WEB / "staff" / "dist"
_NOT_SOURCES = frozenset({"node_modules", "dist", "coverage", ".vite"})


def can_be_built(web: Path = WEB) -> bool:
    """Whether there are web pages with a build script and a lock file in this checkout."""
    try:
        package = json.loads((web / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return "build" in package.get("scripts", {}) and (web / "package-lock.json").exists()


async def build_web(cache: Path, web: Path = WEB) -> bool:
    """Build what is not built yet; says whether there was anything to do."""
    if not can_be_built(web):
        return False
    async with install.one_at_a_time(cache, "web"):
        stamps = _Stamps(cache / "web.json", web)
        sources = _hash(web, _sources(web))
        if stamps.get("built") == sources and all(
            (web / page / "dist" / "index.html").exists() for page in _pages(web)
        ):
            return False
        packages = _hash(web, [web / "package.json", web / "package-lock.json"])
        if stamps.get("packages") != packages or not (web / "node_modules").exists():
            await _npm(
                web, "ci", "--no-audit", "--no-fund", within=600, hint="The web's packages could not be installed"
            )
            stamps.set("packages", packages)
        await _npm(web, "run", "build", within=300, hint="The web pages could not be built")
        stamps.set("built", sources)
    return True


class _Stamps:
    """What was built last in this checkout; the cache may be shared by several."""

    def __init__(self, file: Path, web: Path) -> None:
        self._file, self._web = file, str(web)

    def get(self, name: str) -> str | None:
        return self._read().get(self._web, {}).get(name)

    def set(self, name: str, value: str) -> None:
        content = self._read()
        content.setdefault(self._web, {})[name] = value
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
        draft.replace(self._file)

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            content = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


async def _npm(folder: Path, *words: str, within: float, hint: str) -> None:
    node = install.node_folder()
    await run_once(
        str(node / "node"),
        str(node.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
        *words,
        hint=hint,
        within=within,
        cwd=folder,
        env={**os.environ, "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "1"},
    )


def _pages(web: Path) -> Iterator[str]:
    yield from (name for name in ("candidate", "staff") if (web / name).is_dir())


def _sources(web: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(web):
        folders[:] = sorted(name for name in folders if name not in _NOT_SOURCES)
        yield from (Path(folder) / name for name in sorted(files))


def _hash(base: Path, files: Iterator[Path] | list[Path]) -> str:
    total = hashlib.sha256()
    for file in files:
        total.update(os.fsencode(file.relative_to(base)) + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()
