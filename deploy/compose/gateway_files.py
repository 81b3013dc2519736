"""`python -m deploy.compose.gateway_files DIR`: the gateway's configuration and the web pages, into a shared volume."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local.caddyfile import Pages, caddyfile
from deploy.local.web import CANDIDATE_PAGES, STAFF_PAGES

_BEHIND = {"upload": 8101, "review": 8103, "notify": 8104}
# Where the caddy image keeps what must survive a restart.
_DATA = Path("/data")


def write(folder: Path, environment: Mapping[str, str], built: Pages) -> Path:
    """Copy the pages and write the Caddyfile that serves them; returns its path.

    Args:
        folder: the volume; the gateway sees it under the same path.
        environment: GATEWAY_PORT is the port inside and outside of the container.
        built: where the pages lie in this image.
    """
    served = Pages(candidate=folder / "candidate", staff=folder / "staff")
    for source, target in ((built.candidate, served.candidate), (built.staff, served.staff)):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
    ports = {"GATEWAY_PORT": int(environment.get("GATEWAY_PORT", "8100"))}
    ports |= {f"{service.upper()}_PORT": port for service, port in _BEHIND.items()}
    file = folder / "Caddyfile"
    file.write_text(_in_containers(caddyfile(_DATA, ports, served)), encoding="utf-8")
    return file


def _in_containers(text: str) -> str:
    """The same gateway where each service is a host of its own, and only the published port leads in."""
    text = text.replace("\tbind 127.0.0.1\n", "")
    for service, port in _BEHIND.items():
        text = text.replace(f" 127.0.0.1:{port}", f" {service}:{port}")
    return text


def main() -> None:
    """Write them to the folder that is named."""
    print(write(Path(sys.argv[1]), os.environ, Pages(CANDIDATE_PAGES, STAFF_PAGES)))


if __name__ == "__main__":
    main()
