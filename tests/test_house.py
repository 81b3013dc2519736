"""House rules that no linter knows: files, words, documents. Needs no infrastructure."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from deploy.cli import app
from deploy.local.ports import PORTS
from services.review.domain import State
from shared.contracts import EVENTS
from shared.contracts.facts import Facts

ROOT = Path(__file__).resolve().parent.parent
READMES = ("README.md", "README.zh-CN.md")
LONGEST_FILE = 450
# Files that may be longer, and how long.
LONGER = {
    "deploy/local/supervisor.py": 480,  # starting, watching and stopping share one small state machine
}
ADR_HEADINGS = (
    "Context",
    "Decision",
    "What else was looked at",
    "Consequences",
    "What would make us revisit this",
)
# Written by package managers, who name where each package came from.
LOCKS = frozenset({"uv.lock", "web/package-lock.json"})
# In halves, so that this file does not break its own rule.
NOWHERE = tuple(
    "".join(halves)
    for halves in (
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("npm", "js.org"),
        ("npm", "js.com"),
        ("npm", "mirror.com"),
        ("repo1.", "maven.org"),
        ("repo.", "maven.apache.org"),
        ("proxy.", "golang.org"),
        ("deb.", "debian.org"),
        ("/wo", "rk/"),
        ("/ro", "ot/"),
        ("hel", "per-"),
    )
)


@cache
def files() -> tuple[str, ...]:
    """Every file that is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=30,
    )
    return tuple(sorted(name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()))


def python_files() -> list[str]:
    return [name for name in files() if name.endswith(".py")]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def commands() -> list[str]:
    """Every command line without its arguments, such as `baoshen dlq list`."""

    def below(command: Any, words: tuple[str, ...]) -> Iterator[str]:
        deeper = getattr(command, "commands", None)
        if deeper is None:
            yield " ".join(words)
        for name, each in (deeper or {}).items():
            yield from below(each, (*words, name))

    return list(below(typer.main.get_command(app), ("baoshen",)))


def make_targets() -> list[str]:
    return re.findall(r"^([a-z][a-z-]*):(?!=)", read("Makefile"), re.MULTILINE)


def adrs() -> list[str]:
    return [name for name in files() if re.fullmatch(r"docs/adr/\d{4}-[a-z-]+\.md", name)]


def documents() -> list[str]:
    return [name for name in files() if name.endswith(".md")]


def anchors(text: str) -> set[str]:
    """A page's headings as GitHub links to them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_no_folder_is_named_after_nothing_in_particular() -> None:
    vague = {"utils", "util", "helpers", "misc", "common"}

    found = [name for name in files() if vague & set(Path(name).parts[:-1])]

    assert found == []


def test_python_files_stay_short() -> None:
    lengths = {name: read(name).count("\n") for name in python_files()}

    assert {name: lines for name, lines in lengths.items() if lines > LONGER.get(name, LONGEST_FILE)} == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        name for name in python_files() if read(name).strip() and ast.get_docstring(ast.parse(read(name))) is None
    ]

    assert silent == []


def test_no_file_names_a_registry_or_a_place_on_somebodys_machine() -> None:
    found = []
    for name in files():
        if name in LOCKS:
            continue
        try:
            text = read(name)
        except UnicodeDecodeError:
            continue  # an image
        found += [f"{name}: {word}" for word in NOWHERE if word in text]

    assert found == []


# Where the machine's own time is meant: what guards the present, or waits, or is only kept for a while.
OWN_TIME = {
    "shared/clock.py",
    "shared/contracts/event.py",  # the envelope's time, by which nothing is decided
    "shared/security/identity.py",  # headers that are good for 30 seconds
}
OWN_TIME_IN_SQL = {
    "services/notify/use_cases.py",  # pauses between tries to send
    "services/notify/codes.py",  # the same
    "services/validation/use_cases/checks.py",  # how long removals are remembered
}


def test_services_and_what_they_share_ask_the_one_clock() -> None:
    asks = re.compile(r"\b(datetime\.(now|utcnow|today)|date\.today|time\.time)\(")

    found = {name for name in python_files() if name.startswith(("services/", "shared/")) and asks.search(read(name))}

    assert found - OWN_TIME == set()


def test_no_rule_asks_the_database_what_time_it_is() -> None:
    asks = re.compile(r"(?<![\w.])(now\(\)|current_(timestamp|date|time)\b|localtimestamp\b)", re.IGNORECASE)

    def statements(name: str) -> Iterator[str]:
        for node in ast.walk(ast.parse(read(name))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value

    found = {
        name
        for name in python_files()
        if name.startswith("services/") and "/migrations/" not in name and any(map(asks.search, statements(name)))
    }

    assert found - OWN_TIME_IN_SQL == set()


@pytest.mark.parametrize("readme", READMES)
def test_the_readme_names_every_make_target(readme: str) -> None:
    text = read(readme)

    assert [target for target in make_targets() if f"`make {target}`" not in text] == []


@pytest.mark.parametrize("readme", READMES)
def test_the_readme_names_every_command(readme: str) -> None:
    text = read(readme)

    assert [command for command in commands() if not re.search(rf"`{re.escape(command)}[` ]", text)] == []


@pytest.mark.parametrize("readme", READMES)
def test_the_readme_names_every_port_variable_with_its_usual_number(readme: str) -> None:
    text = read(readme)

    assert [name for name, rule in PORTS.items() if f"| `{name}` | {rule.usual} |" not in text] == []


def test_both_readmes_tell_the_same() -> None:
    english, chinese = (read(readme) for readme in READMES)

    def shape(text: str) -> tuple[int, set[str], set[str]]:
        code = set(re.findall(r"`([^`\n]+)`", text)) - {"*"}
        links = set(re.findall(r"\]\(([^)]+)\)", text)) - set(READMES)
        return len(re.findall(r"^## ", text, re.MULTILINE)), {c for c in code if c.isascii()}, links

    sections, code, links = shape(english)
    other_sections, other_code, other_links = shape(chinese)
    assert (sections, links) == (other_sections, other_links)
    assert code ^ other_code <= {"host:port"}


def test_documents_name_only_commands_and_targets_that_exist() -> None:
    known = commands()
    groups = {" ".join(command.split()[:words]) for command in known for words in range(2, len(command.split()))}
    targets = set(make_targets())
    found = []
    for name in documents():
        text = read(name)
        for words in re.findall(r"\bbaoshen((?: [a-z]+){1,3})", "\n".join(re.findall(r"`([^`]*)`", text))):
            said = f"baoshen{words}"
            exists = any(said == command or said.startswith(f"{command} ") for command in known) or said in groups
            found += [] if exists else [f"{name}: {said}"]
        found += [f"{name}: make {target}" for target in re.findall(r"`make ([a-z-]+)", text) if target not in targets]

    assert found == []


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for name in documents():
        for link in re.findall(r"\]\(([^)\s]+)\)", read(name)):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (ROOT / name).parent / path if path else ROOT / name
            if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
                broken.append(f"{name}: {link}")

    assert broken == []


def test_the_index_of_decisions_is_complete_and_true() -> None:
    index = read("docs/adr/README.md")
    pages = adrs()

    listed = re.findall(r"^\| \[(\d{4})\]\(([^)]+)\) \| (.+?) \| (.+?) \|$", index, re.MULTILINE)

    assert [f"docs/adr/{file}" for _, file, _, _ in listed] == pages
    assert [number for number, *_ in listed] == [f"{n:04}" for n in range(1, len(pages) + 1)]
    for number, file, title, status in listed:
        page = read(f"docs/adr/{file}")
        assert page.startswith(f"# {number} {title}\n"), file
        assert re.search(rf"^Status: {status}\b.* · Date: \d{{4}}-\d{{2}}$", page, re.MULTILINE), file


@pytest.mark.parametrize("page", adrs())
def test_a_decision_fits_on_a_page_and_says_what_would_change_it(page: str) -> None:
    text = read(page)

    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == list(ADR_HEADINGS)
    assert text.count("\n") <= 70
    assert len(text.rsplit("## ", 1)[1].split("\n", 1)[1].strip()) > 40


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.topic)
def test_every_event_is_documented(event: type) -> None:
    topic = event.topic  # type: ignore[attr-defined]

    assert (ROOT / "docs/events/schemas" / f"{topic}.json").is_file()
    assert f"`{topic}`" in read("docs/events/README.md")
    assert topic in read("docs/events/asyncapi.yaml")


def test_the_glossary_has_every_word_of_the_code() -> None:
    glossary = read("docs/glossary.md")
    items = {
        item
        for name in files()
        if re.fullmatch(r"rules/[a-z0-9-]+\.yaml", name)
        for item in yaml.safe_load(read(name))["items"]
    }

    words = {*Facts.model_fields, *items, *(state.value for state in State)}

    assert sorted(word for word in words if f"`{word}`" not in glossary) == []


def test_the_runbook_explains_every_metric() -> None:
    runbook = read("docs/runbook.md")

    metrics = re.findall(r'"(baoshen_[a-z_]+)"', read("shared/telemetry/metrics.py"))

    assert metrics
    assert [metric for metric in metrics if f"`{metric}`" not in runbook] == []


def test_the_licence_is_whole() -> None:
    licence = read("LICENSE")

    assert licence.lstrip().startswith("Apache License\n                           Version 2.0, January 2004")
    assert "END OF TERMS AND CONDITIONS" in licence
    assert licence.rstrip().endswith("limitations under the License.")
    assert len(licence.splitlines()) >= 201


@pytest.mark.parametrize(
    "command",
    [("lint-imports",), ("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)],
    ids=" ".join,
)
def test_the_tools_find_nothing(command: tuple[str, ...]) -> None:
    program = Path(sys.executable).parent / command[0]

    done = subprocess.run([program, *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
