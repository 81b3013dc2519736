"""Golden examples: events as they were told once, kept for as long as their version is heard."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import ConsumerRecord

from tests.harness import raw_record

FOLDER = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class Golden:
    """One record on the wire."""

    topic: str
    name: str
    key: str
    headers: dict[str, str]
    body: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.topic}/{self.name}"

    def record(self, body: dict[str, Any] | None = None) -> ConsumerRecord:
        """As Kafka delivers it, perhaps with another body."""
        wire = tuple((name, value.encode()) for name, value in self.headers.items())
        return raw_record(self.topic, self.key.encode(), json.dumps(body or self.body).encode(), wire)


def goldens() -> list[Golden]:
    """All of them."""
    found = []
    for path in sorted(FOLDER.glob("*/*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        found.append(Golden(path.parent.name, path.stem, content["key"], content["headers"], content["body"]))
    return found
