"""How we talk to the broker. Its client's defaults (`acks=1`, `latest`) lose messages: they are closed here."""

from typing import Any


def producer_settings(service: str) -> dict[str, Any]:
    """Settings for every producer: a send counts once all in-sync replicas have it."""
    return {
        "client_id": f"baoshen-{service}",
        "acks": "all",
        "enable_idempotence": True,
        "request_timeout_ms": 10_000,
        "max_request_size": 1_048_576,
        "linger_ms": 2,
    }


def consumer_settings() -> dict[str, Any]:
    """Settings for every consumer: a new group starts at the beginning, nothing is committed by a timer."""
    return {
        "auto_offset_reset": "earliest",
        # A killed process's partitions wait this long; its siblings learn of a rebalance with the next heartbeat.
        "session_timeout_ms": 10_000,
        "heartbeat_interval_ms": 1_000,
        "max_poll_interval_ms": 300_000,
        "fetch_max_bytes": 8 * 1024 * 1024,
    }
