"""Writes the services' OpenAPI documents beside the pages, and the TypeScript types that are made from them."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from deploy.local.errors import StackError
from deploy.local.parts.probes import run_once
from deploy.local.places import cache_folder
from deploy.local.secrets import keep_secrets
from deploy.local.web import WEB, node_tools

SERVICES = ("upload", "review", "notify")
DOCUMENTS = WEB / "shared" / "api" / "openapi"
TYPES = WEB / "shared" / "api" / "generated"


def openapi_document(service: str) -> dict[str, Any]:
    """Describe a service's HTTP API, by building the service without starting it: nothing is connected to."""
    with TemporaryDirectory() as home, _set(_environment(Path(home))):
        settings = import_module(f"services.{service}.settings").Settings()
        document: dict[str, Any] = import_module(f"services.{service}.main").build(settings).app.openapi()
    return document


def as_text(document: dict[str, Any]) -> str:
    """Write a document as it is kept."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


async def write_types(cache: Path, documents: Path = DOCUMENTS, types: Path = TYPES) -> None:
    """Make each document's types.

    Raises:
        StackError: Node or the generator could not be installed, or it refused a document.
    """
    programs, environment = await node_tools(cache)
    for service in SERVICES:
        await run_once(
            str(programs / "openapi-typescript"),
            str(documents / f"{service}.json"),
            "--output",
            str(types / f"{service}.d.ts"),
            hint=f"The types of {service}'s API could not be made",
            within=120,
            cwd=WEB,
            env=environment,
        )


def _environment(home: Path) -> dict[str, str]:
    nowhere = "127.0.0.1:9"
    return keep_secrets(home) | {
        "KAFKA_BOOTSTRAP_SERVERS": nowhere,
        "DATA_KEYS_FILE": str(home / "data-keys.json"),
        **{f"DATABASE_URL_{service.upper()}": f"postgresql://nobody@{nowhere}/none" for service in SERVICES},
        "S3_ENDPOINT_URL": f"http://{nowhere}",
        "S3_BUCKET": "materials",
        "PUBLIC_ORIGIN": f"http://{nowhere}",
        "SMS_GATEWAY_URL": f"http://{nowhere}",
        "ACCOUNTS_URL": "",
        "CAPTCHA_TEST_ANSWER": "",
    }


@contextmanager
def _set(environment: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def main() -> int:
    """`python -m deploy.local.web_types`: write both. With a service's name: print its document."""
    if len(sys.argv) > 1:
        print(as_text(openapi_document(sys.argv[1])), end="")
        return 0
    for folder in (DOCUMENTS, TYPES):
        folder.mkdir(parents=True, exist_ok=True)
    for service in SERVICES:
        # Each in a process of its own, as it runs: telemetry and metrics are one service's.
        command = [sys.executable, "-m", "deploy.local.web_types", service]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=120)
        (DOCUMENTS / f"{service}.json").write_bytes(said.stdout)
    try:
        asyncio.run(write_types(cache_folder()))
    except StackError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"已写入 written: {DOCUMENTS.relative_to(WEB.parent)}, {TYPES.relative_to(WEB.parent)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
