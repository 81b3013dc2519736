"""Upload as a process: how it ends."""

import asyncio
import base64
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from deploy.local.ports import free_ports


async def test_a_sender_that_never_ends_does_not_keep_a_process_from_ending_well(
    scratch_database: Callable[[str | None], Awaitable[str]], master_keys: str, tmp_path: Path
) -> None:
    port = next(free_ports())
    log = tmp_path / "log"
    environment = os.environ | {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "DATABASE_URL_UPLOAD": await scratch_database("upload"),
        "MASTER_KEYS": master_keys,
        "DATA_KEYS_FILE": str(tmp_path / "data-keys.json"),
        "LOOKUP_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "UPLOAD_IDENTITY_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "PUBLIC_ORIGIN": "http://127.0.0.1:8100",
        "UPLOAD_PORT": str(port),
        "S3_BUCKET": os.environ.get("S3_BUCKET", "materials"),
        "ROLES": "api",
    }
    process = _started(environment, log)
    _, writer = await _connected(port)
    writer.write(b"POST /candidate/session HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    await asyncio.sleep(0.5)

    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    status = await asyncio.wait_for(asyncio.to_thread(process.wait), 30)
    writer.close()

    # Who stops it waits eight seconds before it kills: until then consumers and relay have to be done, too.
    assert time.monotonic() - started < 7
    assert status in {0, -signal.SIGTERM}
    assert "service.stopped" in log.read_text(encoding="utf-8")


def _started(environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen([sys.executable, "-m", "services.upload.main"], env=environment, stdout=out)


async def _connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    until = time.monotonic() + 30
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            assert time.monotonic() < until, "it does not listen"
            await asyncio.sleep(0.1)
