"""The files under docs/events: what they should hold, and what they hold."""

import json
from pathlib import Path

from deploy.contracts import asyncapi
from deploy.contracts.schemas import Schema, heard_by, key_of, schema_of, teller_of
from shared.contracts import EVENTS
from shared.messaging.topics import catalogue

SCHEMAS = "schemas"


def current_schemas() -> dict[str, Schema]:
    """Each topic's schema as the models have it."""
    return {event.topic: schema_of(event) for event in EVENTS}


def published_schemas(folder: Path) -> dict[str, Schema]:
    """Each topic's schema as it lies in the repository, which is what others go by.

    Raises:
        ValueError: a file is not JSON.
    """
    published = {}
    for path in sorted((folder / SCHEMAS).glob("*.json")):
        try:
            published[path.stem] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} is not JSON: {error}") from error
    return published


def wanted_files() -> dict[str, str]:
    """Every exported file, relative to the folder, with its content."""
    files = {f"{SCHEMAS}/{topic}.json": _as_json(schema) for topic, schema in current_schemas().items()}
    files["asyncapi.yaml"] = asyncapi.as_yaml(asyncapi.document())
    files["README.md"] = _page()
    return files


def stale_files(folder: Path) -> list[str]:
    """Files that are missing, differ from what they should hold, or belong to no event any more."""
    wanted = wanted_files()
    differ = [name for name, content in wanted.items() if not _holds(folder / name, content)]
    return sorted(differ + _leftovers(folder, wanted))


def write_files(folder: Path) -> list[str]:
    """Bring the folder up to date; returns the files that were written or removed."""
    wanted = wanted_files()
    written = [name for name, content in wanted.items() if not _holds(folder / name, content)]
    for name in written:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[name], encoding="utf-8", newline="\n")
    leftovers = _leftovers(folder, wanted)
    for name in leftovers:
        (folder / name).unlink()
    return sorted(written + leftovers)


def _holds(path: Path, content: str) -> bool:
    return path.is_file() and path.read_bytes() == content.encode()


def _leftovers(folder: Path, wanted: dict[str, str]) -> list[str]:
    present = (f"{SCHEMAS}/{path.name}" for path in (folder / SCHEMAS).glob("*.json"))
    return [name for name in present if name not in wanted]


def _as_json(schema: Schema) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _page() -> str:
    kept = {topic.name: topic for topic in catalogue()}
    heard = heard_by()
    rows = [
        f"| [`{event.topic}`]({SCHEMAS}/{event.topic}.json) | {event.__name__} | `{key_of(event)}` "
        f"| {teller_of(event)} | {', '.join(heard.get(event.topic, [])) or '(nobody yet)'} "
        f"| {asyncapi.kept_for(kept[event.topic])} |"
        for event in EVENTS
    ]
    return _PAGE.format(rows="\n".join(rows))


_PAGE = """\
<!-- Made from the code by `baoshen contracts export`. Changes by hand are lost. -->
# Events

| topic and schema | event | key | told by | heard by | kept |
|---|---|---|---|---|---|
{rows}

A group's dead letters go to `<group>.dead.v1`. Everything in one document: [asyncapi.yaml](asyncapi.yaml) (AsyncAPI 3).

- A body is JSON. The event's id, time and type are CloudEvents headers (`ce_id`, `ce_time`, `ce_type`, …).
- Events with the same key keep their order. Each may come more than once: `ce_id` tells.
- Consumers ignore fields that they do not know. A new field may be left out; a changed meaning is a new `.v2` topic.
- Personal data is in `sealed` fields only.
- `baoshen contracts export` refuses a change that would break what is published here; what breaks and what does not
  is told in `deploy/contracts/compatibility.py`.
"""
