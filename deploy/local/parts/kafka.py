"""Apache Kafka: one KRaft node that is broker and controller, on the JRE of a wheel."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deploy.local import install
from deploy.local.part import Part
from deploy.local.parts.probes import listens, run_once
from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.supervisor import Supervisor

NAME = "kafka"
# A home folder is one cluster of its own, so the id need not differ between homes.
_CLUSTER_ID = "YmFvc2hlbi1sb2NhbC1fMQ"

_JVM = (
    "-Xms128m",
    "-Xmx512m",
    # One node and two cores: the serial collector and the first compiler start soonest and take the least memory.
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.logFile=System.out",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
    # A start cache that does not fit is ignored; it need not be said in every log.
    "-Xlog:disable",
    "-Xlog:all=error:stdout",
)

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
# Static voters: a home may come up on other ports than last time.
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
# Topics are made by `baoshen topics --create`; one made by a typo would hide the mistake.
auto.create.topics.enable=false
num.partitions=3
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
# A broker that was killed may register again when its old session is over: 3 s, not the usual 9.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# 30 days, as in production.
log.retention.hours=720
# The defaults reserve 128 MB for the cleaner, and 20 MB of index per partition.
log.cleaner.dedupe.buffer.size=16777216
log.index.size.max.bytes=2097152
num.network.threads=2
num.io.threads=4
background.threads=4
num.recovery.threads.per.data.dir=2
"""


def kafka(home: Path, cache: Path, port: int, controller_port: int) -> Part:
    """Describe the broker; the jars are fetched and the data folder is formatted when it starts."""
    folder = home / NAME
    data, properties, classpath = (
        folder / "data",
        folder / "server.properties",
        folder / "classpath.args",
    )

    async def prepare() -> None:
        jars = await install.kafka_jars(cache)
        folder.mkdir(parents=True, exist_ok=True)
        _write_options(classpath, jars, start_cache(cache))
        properties.write_text(
            _PROPERTIES.format(host=LOOPBACK, port=port, controller_port=controller_port, data=data),
            encoding="utf-8",
        )
        if not (data / "bootstrap.checkpoint").exists() and not (data / "__cluster_metadata-0").exists():
            # Left half-formatted by a kill: nothing was ever written to it.
            shutil.rmtree(data, ignore_errors=True)
            await run_once(
                *_java(
                    classpath,
                    "kafka.tools.StorageTool",
                    "format",
                    "-t",
                    _CLUSTER_ID,
                    "-c",
                    str(properties),
                ),
                hint="Kafka's data folder could not be formatted",
            )

    async def ready() -> bool:
        return await listens(port) and await knows_itself(f"{LOOPBACK}:{port}")

    return Part(
        name=NAME,
        command=lambda: _java(classpath, "kafka.Kafka", str(properties)),
        ready=ready,
        prepare=prepare,
        folder=home,
        address=f"{LOOPBACK}:{port}",
        stop_within=6,
    )


def start_cache(cache: Path) -> Path:
    """Where this Java keeps Kafka's classes ready-made, if `make_start_cache` has been run."""
    return cache / f"kafka-{install.java_version()}-{install.jar_lock_hash()}.aot"


async def make_start_cache(cache: Path) -> None:
    """Run a broker once and let Java remember its classes: it starts in 1.0 s then, instead of 2.5 s."""
    target = start_cache(cache)
    if target.exists():
        return
    jars = await install.kafka_jars(cache)
    async with install.one_at_a_time(cache, "kafka-start"):
        if target.exists():
            return
        with tempfile.TemporaryDirectory(dir=cache, prefix="kafka-training-") as name:
            folder = Path(name)
            ports = free_ports()
            part = kafka(folder, cache, next(ports), next(ports))
            await part.prepare()
            made = folder / target.name
            _write_options(folder / NAME / "classpath.args", jars, made, output=True)
            # Java writes the cache after the broker has stopped, which takes it some seconds.
            trainer = Supervisor(folder, [replace(part, prepare=_nothing, stop_within=90)])
            await trainer.start()
            await trainer.stop()
            if made.exists():
                made.replace(target)


async def _nothing() -> None:
    return


def _write_options(file: Path, jars: Sequence[Path], aot: Path, *, output: bool = False) -> None:
    lines = [f'-cp "{":".join(str(jar) for jar in jars)}"']
    if output:
        lines.append(f'"-XX:AOTCacheOutput={aot}"')
    elif aot.exists():
        lines.append(f'"-XX:AOTCache={aot}"')
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _java(classpath: Path, *words: str) -> Sequence[str]:
    return (str(install.java()), *_JVM, f"@{classpath}", *words)


async def knows_itself(bootstrap: str) -> bool:
    """Whether the broker serves its own metadata: the port opens before it can."""
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.errors import KafkaError

    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=3_000)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except KafkaError:
        return False
    finally:
        await admin.close()
