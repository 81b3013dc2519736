"""A stack for one purpose: own parts on free ports in a temporary folder, gone afterwards."""

import os
import tempfile
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.stack import WITHOUT_READING, Stack

_NOT_INHERITED = (
    "KAFKA_", "DATABASE_URL", "S3_", "MASTER_KEYS", "DATA_KEYS_FILE", "LOOKUP_KEY", "PUBLIC_ORIGIN", "SMS_GATEWAY_",
    "UPLOAD_", "VALIDATION_", "REVIEW_", "NOTIFY_", "PHOTO_", "GATEWAY_", "POSTGRES_", "BAOSHEN_HOME", "FAILPOINTS",
    "ROLES", "CAPTCHA_TEST_ANSWER", "BAOSHEN_DEVELOPMENT", "PUBLICATION_", "STAFF_", "AUDIT_",
)  # fmt: skip


def own_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment without parts, ports and keys of another stack."""
    return {name: value for name, value in environment.items() if not name.startswith(_NOT_INHERITED)}


@asynccontextmanager
async def throwaway_stack(
    *,
    services: Collection[str] = WITHOUT_READING,
    web: bool = False,
    service_environment: Mapping[str, Mapping[str, str]] | None = None,
) -> AsyncIterator[Stack]:
    """Start one, whatever the environment provides, and stop it in the end."""
    with tempfile.TemporaryDirectory(prefix="baoshen-") as folder:
        home = Path(folder)
        home.chmod(0o711)  # noqa: ASYNC240 an instant; PostgreSQL runs as another user when we are root
        async with Stack(
            home,
            free_ports=True,
            services=services,
            web=web,
            # Nobody slips here, and nobody looks on: what people are given time for would only be waited for.
            environment={"UNDO_S": "2", "PUBLICATION_DELAY_S": "5"} | own_environment(),
            service_environment=service_environment,
        ) as stack:
            yield stack
