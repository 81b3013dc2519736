"""Kafka, PostgreSQL and S3 in containers, where a Docker engine answers (testcontainers; the official images)."""

import subprocess
from typing import Any

_running: list[Any] = []


def engine_answers() -> bool:
    """True when a Docker engine can be reached within three seconds."""
    try:
        answer = subprocess.run(["docker", "info"], capture_output=True, timeout=3, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def start() -> dict[str, str]:
    """Start the three; returns the environment that the tests need."""
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy
    from testcontainers.kafka import KafkaContainer
    from testcontainers.postgres import PostgresContainer

    kafka = KafkaContainer("apache/kafka:4.1.1").with_kraft()
    postgres = PostgresContainer("postgres:18", username="baoshen", password="baoshen", dbname="baoshen", driver=None)
    weed = (
        DockerContainer("chrislusf/seaweedfs:4.48")
        .with_command("mini -dir=/data")
        .with_env("AWS_ACCESS_KEY_ID", "test")
        .with_env("AWS_SECRET_ACCESS_KEY", "test-secret")
        .with_exposed_ports(8333)
        .waiting_for(LogMessageWaitStrategy("S3"))
    )
    _running.extend(container.start() for container in (kafka, postgres, weed))
    return {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.get_bootstrap_server(),
        "DATABASE_URL": postgres.get_connection_url(),
        "S3_ENDPOINT_URL": f"http://{weed.get_container_host_ip()}:{weed.get_exposed_port(8333)}",
        "S3_ACCESS_KEY": "test",
        "S3_SECRET_KEY": "test-secret",
        "S3_BUCKET": "materials",
    }


def stop() -> None:
    """Stop what `start` started."""
    while _running:
        _running.pop().stop()
