"""Builds the web pages when their sources have changed, with the Node of a wheel."""

import asyncio
import hashlib
import json
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.local import install
from deploy.local.errors import StackError
from deploy.local.parts.probes import run_once
from deploy.local.places import CHECKOUT, cache_folder

WEB = CHECKOUT / "web"
CANDIDATE_PAGES = WEB / "candidate" / "dist"
STAFF_PAGES = WEB / "staff" / "dist"
_CLEAN_INSTALL = ("ci", "--no-audit", "--no-fund")
_NOT_SOURCES = frozenset({"node_modules", "dist", "coverage", ".vite"})


def can_be_built(web: Path = WEB) -> bool:
    """Whether there are web pages with a build script and a lock file in this checkout."""
    try:
        package = json.loads((web / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return "build" in package.get("scripts", {}) and (web / "package-lock.json").exists()


def needs_build(cache: Path, web: Path = WEB) -> bool:
    """Whether there are pages whose sources have changed since they were built."""
    return can_be_built(web) and not _is_built(_Stamps(cache / "web.json", web), web, _hash(web, _sources(web)))


async def build_web(cache: Path, web: Path = WEB) -> bool:
    """Build what is not built yet; says whether there was anything to do."""
    if not can_be_built(web):
        return False
    async with install.one_at_a_time(cache, "web"):
        stamps, sources = _Stamps(cache / "web.json", web), _hash(web, _sources(web))
        if _is_built(stamps, web, sources):
            return False
        await _install_packages(cache, web, stamps)
        await _npm(cache, web, "run", "build", within=300, hint="The web pages could not be built")
        stamps.set("built", sources)
    return True


async def node_tools(cache: Path, web: Path = WEB) -> tuple[Path, dict[str, str]]:
    """Install the web's packages if they have changed; gives their programs' folder and the environment to run them."""
    async with install.one_at_a_time(cache, "web"):
        await _install_packages(cache, web, _Stamps(cache / "web.json", web))
    return web / "node_modules" / ".bin", _environment(_node_programs(cache))


async def _install_packages(cache: Path, web: Path, stamps: "_Stamps") -> None:
    packages = _hash(web, [web / "package.json", web / "package-lock.json"])
    if stamps.get("packages") != packages or not (web / "node_modules").exists():
        await _npm(cache, web, *_CLEAN_INSTALL, within=600, hint="The web's packages could not be installed")
        stamps.set("packages", packages)


def _is_built(stamps: "_Stamps", web: Path, sources: str) -> bool:
    return stamps.get("built") == sources and all((web / page / "dist" / "index.html").exists() for page in _pages(web))


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


async def _npm(cache: Path, folder: Path, *words: str, within: float, hint: str) -> None:
    programs = _node_programs(cache)
    await run_once(
        str(programs / "npm"),
        *words,
        hint=hint,
        within=within,
        cwd=folder,
        env=_environment(programs),
    )


def _environment(programs: Path) -> dict[str, str]:
    return {
        # A company's or a mirror's own certificate is known to the system only.
        "NODE_USE_SYSTEM_CA": "1",
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}",
        "CI": "1",
    }


def _node_programs(cache: Path) -> Path:
    """Make a folder with `node`, `npm` and `npx` for the path: the wheel's own `npm` was a link once and is broken."""
    wheel = install.node_folder()
    npm = wheel.parent / "lib" / "node_modules" / "npm" / "bin"
    folder = cache / "node"
    folder.mkdir(parents=True, exist_ok=True)
    for name, words in (
        ("node", [wheel / "node"]),
        ("npm", [wheel / "node", npm / "npm-cli.js"]),
        ("npx", [wheel / "node", npm / "npx-cli.js"]),
    ):
        draft = folder / f".{name}"
        draft.write_text(f'#!/bin/sh\nexec {shlex.join(str(word) for word in words)} "$@"\n', encoding="utf-8")
        draft.chmod(0o755)
        draft.replace(folder / name)
    return folder


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


def main() -> int:
    """`python -m deploy.local.web`: build, and say what was done."""
    try:
        built = asyncio.run(build_web(cache_folder()))
    except StackError as problem:
        print(problem, file=sys.stderr)
        return 1
    print("已构建 built" if built else "没有变化 nothing to do")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
