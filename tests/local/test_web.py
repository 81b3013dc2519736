"""When the web pages are built, with a stand-in for npm."""

import shutil
from pathlib import Path

import pytest

from deploy.local import web as builder


class Npm:
    """Notes what it was asked, and writes the pages when it is to build them."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, cache: Path, folder: Path, *words: str, within: float, hint: str) -> None:
        self.asked.append(words[0])
        if words[0] == "ci":
            (folder / "node_modules").mkdir(exist_ok=True)
        else:
            for page in ("candidate", "staff"):
                (folder / page / "dist").mkdir(exist_ok=True)
                (folder / page / "dist" / "index.html").touch()


@pytest.fixture
def npm(monkeypatch: pytest.MonkeyPatch) -> Npm:
    npm = Npm()
    monkeypatch.setattr(builder, "_npm", npm)
    return npm


@pytest.fixture
def web(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    for page in ("candidate", "staff"):
        (folder / page).mkdir(parents=True)
        (folder / page / "index.html").write_text("<h1>")
    (folder / "package.json").write_text('{"scripts": {"build": "vite build"}}')
    (folder / "package-lock.json").write_text("{}")
    return folder


async def test_it_is_built_once(tmp_path: Path, web: Path, npm: Npm) -> None:
    assert await builder.build_web(tmp_path, web) is True
    assert await builder.build_web(tmp_path, web) is False
    assert npm.asked == ["ci", "run"]


async def test_a_changed_source_is_built_again_without_installing_anew(tmp_path: Path, web: Path, npm: Npm) -> None:
    await builder.build_web(tmp_path, web)
    (web / "staff" / "queue.vue").write_text("new")

    assert builder.needs_build(tmp_path, web)
    await builder.build_web(tmp_path, web)

    assert npm.asked == ["ci", "run", "run"]
    assert not builder.needs_build(tmp_path, web)


async def test_other_packages_are_installed_first(tmp_path: Path, web: Path, npm: Npm) -> None:
    await builder.build_web(tmp_path, web)
    (web / "package-lock.json").write_text('{"packages": {}}')

    await builder.build_web(tmp_path, web)

    assert npm.asked == ["ci", "run", "ci", "run"]


async def test_pages_that_were_deleted_are_built_again(tmp_path: Path, web: Path, npm: Npm) -> None:
    await builder.build_web(tmp_path, web)
    (web / "candidate" / "dist" / "index.html").unlink()

    assert builder.needs_build(tmp_path, web)


async def test_two_checkouts_with_one_cache_do_not_mix(tmp_path: Path, web: Path, npm: Npm) -> None:
    other = tmp_path / "other"
    shutil.copytree(web, other)
    await builder.build_web(tmp_path, other)

    assert builder.needs_build(tmp_path, web)
    assert not builder.needs_build(tmp_path, other)


async def test_without_web_pages_there_is_nothing_to_do(tmp_path: Path, npm: Npm) -> None:
    assert await builder.build_web(tmp_path, tmp_path / "nowhere") is False
    assert npm.asked == []
