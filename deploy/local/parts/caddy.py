"""Caddy: the gateway, one origin for the web pages and the APIs."""

from collections.abc import Mapping
from pathlib import Path

from deploy.local import install
from deploy.local.caddyfile import USUAL_PATIENCE, Pages, Patience, caddyfile
from deploy.local.part import Part
from deploy.local.parts.probes import listens
from deploy.local.ports import LOOPBACK

NAME = "gateway"


def gateway(
    home: Path,
    ports: Mapping[str, int],
    pages: Pages,
    after: tuple[str, ...] = (),
    patience: Patience = USUAL_PATIENCE,
) -> Part:
    """Describe the gateway; its configuration is written anew at each start."""
    folder = home / NAME
    file, port = folder / "Caddyfile", ports["GATEWAY_PORT"]

    async def prepare() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(caddyfile(folder, ports, pages, patience), encoding="utf-8")

    async def ready() -> bool:
        return await listens(port)

    return Part(
        name=NAME,
        command=lambda: (str(install.program("caddy")), "run", "--config", str(file), "--adapter", "caddyfile"),
        ready=ready,
        after=after,
        prepare=prepare,
        folder=folder,
        environment={"XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config")},
        address=f"http://{LOOPBACK}:{port}",
        stop_within=5,
    )
