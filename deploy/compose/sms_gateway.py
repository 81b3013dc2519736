"""`python -m deploy.compose.sms_gateway`: the development SMS gateway, reachable from other containers."""

import os

import uvicorn

from deploy.local.places import home_folder
from deploy.local.sms_gateway import DEFAULT_PORT, FILE_NAME, make_gateway
from shared.telemetry import logs


def main() -> None:
    """Serve until SIGTERM on HOST, which a container has to itself."""
    logs.configure("sms-gateway", level=os.environ.get("LOG_LEVEL", "INFO"))
    uvicorn.run(
        make_gateway(home_folder() / FILE_NAME),
        host=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ.get("SMS_GATEWAY_PORT", DEFAULT_PORT)),
        log_config=None,
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
