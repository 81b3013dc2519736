"""The four services and the development SMS gateway: Python processes of this checkout."""

import re
import sys
from collections.abc import Mapping

from deploy.local.errors import StackError
from deploy.local.part import Part
from deploy.local.parts.probes import answers, listens
from deploy.local.places import CHECKOUT
from deploy.local.ports import LOOPBACK

SERVICES = ("upload", "validation", "review", "notify")
READING = "validation-reading"
"""A process of validation's that only reads papers: slow work, in a process of its own."""
SMS = "sms"
_INSTANCE = re.compile(rf"({READING}|{'|'.join(SERVICES)})(-[1-9][0-9]?)?")


def service_of(name: str) -> str:
    """Which service a part such as `validation-2` is an instance of."""
    match = _INSTANCE.fullmatch(name)
    if match is None:
        raise StackError(
            f"{name!r} is no service. Services: {', '.join(SERVICES)}, {READING}; further instances: validation-2 …"
        )
    return "validation" if match[1] == READING else match[1]


def service(name: str, port: int, environment: Mapping[str, str], after: tuple[str, ...]) -> Part:
    """Describe one instance of a service; it is ready when its own `/ready` says so."""
    kind = service_of(name)
    groups = {"VALIDATION_GROUPS": READING} if name.startswith(READING) else {}

    async def ready() -> bool:
        return await answers(port, "/ready")

    return Part(
        name=name,
        command=lambda: (sys.executable, "-m", f"services.{kind}.main"),
        ready=ready,
        after=after,
        environment={**groups, **environment, f"{kind.upper()}_PORT": str(port)},
        folder=CHECKOUT,
        address=f"http://{LOOPBACK}:{port}",
        stop_within=8,
    )


def sms_gateway(port: int, after: tuple[str, ...] = ()) -> Part:
    """Describe the development SMS gateway, which keeps what it was sent and shows it on a page."""

    async def ready() -> bool:
        return await listens(port)

    return Part(
        name=SMS,
        command=lambda: (sys.executable, "-m", "deploy.local.sms_gateway"),
        ready=ready,
        after=after,
        folder=CHECKOUT,
        address=f"http://{LOOPBACK}:{port}",
        stop_within=5,
    )
