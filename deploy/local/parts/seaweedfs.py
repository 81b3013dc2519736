"""SeaweedFS: the S3 server for images and papers."""

import json
import random
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.local import install
from deploy.local.part import Part
from deploy.local.parts import s3
from deploy.local.ports import LOOPBACK, free_ports, is_free

NAME = "s3"
_INNER_PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port.grpc",
)
# Its maintenance worker looks for the admin server's gRPC port here, whatever `admin.port.grpc` says.
_ADMIN_GRPC_OFFSET = 10_000
_ADMIN_PORTS = range(11_000, 15_000)


def seaweedfs(home: Path, port: int, account: s3.Account) -> Part:
    """Describe the server: only its S3 port is for others; the ports between its own halves want a key."""
    folder = home / NAME

    async def prepare() -> None:
        (folder / "data").mkdir(parents=True, exist_ok=True)
        _write_once(folder / "security.toml", _security)
        config = {
            "identities": [
                {
                    "name": "baoshen",
                    "credentials": [
                        {
                            "accessKey": account.access_key,
                            "secretKey": account.secret_key,
                        }
                    ],
                    "actions": ["Admin", "Read", "Write", "List", "Tagging"],
                }
            ]
        }
        (folder / "s3.json").touch(mode=0o600)
        (folder / "s3.json").write_text(json.dumps(config), encoding="utf-8")

    async def ready() -> bool:
        return await s3.works(account)

    return Part(
        name=NAME,
        command=lambda: (
            str(install.program("weed")),
            "-logtostderr=true",
            f"-config_dir={folder}",
            "mini",
            "-dir=data",
            f"-ip={LOOPBACK}",
            f"-ip.bind={LOOPBACK}",
            f"-s3.port={port}",
            "-s3.config=s3.json",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            # Relative, since a socket's path may have 107 bytes at most and a home folder may be longer.
            "-s3.localSocket=s3.sock",
            "-filer.localSocket=filer.sock",
            "-master.telemetry=false",
            "-webdav=false",
            "-admin.ui=false",
            *(f"-{name}={number}" for name, number in _inner_ports(folder / "ports.json").items()),
        ),
        ready=ready,
        prepare=prepare,
        folder=folder,
        environment={"HOME": str(folder)},
        address=account.endpoint,
        stop_within=6,
    )


def _inner_ports(file: Path) -> dict[str, int]:
    """Keep the ports between its halves from run to run: the volume server's address is its name in the data."""
    try:
        kept = {name: int(number) for name, number in json.loads(file.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        kept = {}
    fresh: Iterator[int] = free_ports()
    ports = {name: kept[name] if name in kept and is_free(kept[name]) else next(fresh) for name in _INNER_PORTS}
    admin_ports = (kept.get("admin.port", 0), *random.sample(_ADMIN_PORTS, len(_ADMIN_PORTS)))
    ports["admin.port"] = next(
        number for number in admin_ports if number and is_free(number) and is_free(number + _ADMIN_GRPC_OFFSET)
    )
    ports["admin.port.grpc"] = ports["admin.port"] + _ADMIN_GRPC_OFFSET
    if ports != kept:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(ports), encoding="utf-8")
    return ports


def _write_once(path: Path, make: Callable[[], str]) -> None:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(make(), encoding="utf-8")


def _security() -> str:
    return "".join(
        f'[jwt.{section}]\nkey = "{secrets.token_urlsafe(32)}"\n'
        for section in (
            "signing",
            "signing.read",
            "filer_signing",
            "filer_signing.read",
        )
    )
