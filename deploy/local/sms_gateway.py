"""The development SMS gateway: a real HTTP server that keeps what it is sent and shows it on a page.

`python -m deploy.local.sms_gateway` serves on SMS_GATEWAY_PORT (8105) and keeps its SQLite file under BAOSHEN_HOME.
It behaves as a provider does: a reference that comes again is the same message, kept once.
"""

import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import uvicorn
from fastapi import FastAPI, Query, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from deploy.local.places import home_folder
from deploy.local.sms_page import SCRIPT, STYLE, page
from shared.telemetry import logs
from shared.web import make_app

DEFAULT_PORT = 8105
FILE_NAME = "sms-gateway.sqlite3"
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS messages (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        reference TEXT NOT NULL UNIQUE,
        id TEXT NOT NULL,
        "to" TEXT NOT NULL,
        text TEXT NOT NULL,
        received_at TEXT NOT NULL,
        asked INTEGER NOT NULL DEFAULT 1
    );
    CREATE INDEX IF NOT EXISTS messages_to ON messages ("to", n);
"""
_CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'"
)


class Submission(BaseModel):
    """A message to send."""

    model_config = ConfigDict(extra="forbid")

    reference: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    to: Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{5,20}$")]
    text: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


@dataclass(frozen=True)
class Sent:
    """A message as it is kept; `asked` counts how often its reference came."""

    id: str
    reference: str
    to: str
    text: str
    received_at: str
    asked: int


class Accepted(BaseModel):
    """The answer to a submission."""

    id: str
    status: str = "accepted"


class Page(BaseModel):
    """Messages, newest first."""

    messages: list[Sent]


class Kept:
    """The messages in SQLite.

    Args:
        file: where; made if it is missing.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(self._file, timeout=5)) as connection, connection:
            yield connection

    def keep(self, submission: Submission) -> tuple[str, bool]:
        """Keep a message once per reference; returns its id, and whether it is new."""
        with self._connection() as connection:
            message_id, asked = connection.execute(
                'INSERT INTO messages (reference, id, "to", text, received_at) VALUES (?, ?, ?, ?, ?) '
                "ON CONFLICT (reference) DO UPDATE SET asked = asked + 1 RETURNING id, asked",
                (
                    submission.reference,
                    str(uuid4()),
                    submission.to,
                    submission.text,
                    datetime.now(UTC).isoformat(timespec="milliseconds"),
                ),
            ).fetchone()
        return message_id, asked == 1

    def newest(self, to: str | None, limit: int) -> list[Sent]:
        """The newest messages, of one number or of all."""
        with self._connection() as connection:
            rows = connection.execute(
                'SELECT id, reference, "to", text, received_at, asked FROM messages '
                'WHERE ?1 IS NULL OR "to" = ?1 ORDER BY n DESC LIMIT ?2',
                (to, limit),
            ).fetchall()
        return [Sent(*row) for row in rows]

    def count(self) -> int:
        """How many messages there are."""
        with self._connection() as connection:
            return int(connection.execute("SELECT count(*) FROM messages").fetchone()[0])


def make_gateway(file: Path) -> FastAPI:
    """The gateway's app, keeping its messages in `file`."""
    kept = Kept(file)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield

    async def well() -> str | None:
        return None

    app = make_app(
        "sms-gateway", "Takes SMS and shows them; sends none.", lifespan=lifespan, live=well, ready=well,
        largest_body=lambda _scope: 16 * 1024,
    )  # fmt: skip

    # Plain functions: SQLite blocks, so they run in threads.
    @app.post("/messages", status_code=201)
    def take(submission: Submission, response: Response) -> Accepted:
        message_id, is_new = kept.keep(submission)
        if not is_new:
            response.status_code = 200
        return Accepted(id=message_id)

    @app.get("/messages")
    def messages(
        to: Annotated[str | None, Query(max_length=30)] = None, limit: Annotated[int, Query(ge=1, le=500)] = 50
    ) -> Page:
        return Page(messages=kept.newest(to or None, limit))

    @app.get("/", include_in_schema=False)
    def show(to: Annotated[str | None, Query(max_length=30)] = None) -> Response:
        html = page(kept.newest(to or None, 100), to=to or None, total=kept.count())
        headers = {
            "Content-Security-Policy": _CSP,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(html, media_type="text/html", headers=headers)

    @app.get("/page.css", include_in_schema=False)
    def style() -> Response:
        return Response(STYLE, media_type="text/css")

    @app.get("/page.js", include_in_schema=False)
    def script() -> Response:
        return Response(SCRIPT, media_type="text/javascript")

    return app


def main() -> None:
    """Serve until SIGTERM."""
    logs.configure(
        "sms-gateway", level=os.environ.get("LOG_LEVEL", "INFO"), console=os.environ.get("LOG_FORMAT") == "console"
    )
    uvicorn.run(
        make_gateway(home_folder() / FILE_NAME),
        host="127.0.0.1",
        port=int(os.environ.get("SMS_GATEWAY_PORT", DEFAULT_PORT)),
        log_config=None,
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
