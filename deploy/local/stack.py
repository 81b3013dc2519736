"""The whole system on this machine: describes every part, starts what the environment does not already provide."""

import json
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.caddyfile import Pages
from deploy.local.databases import database_url, make_databases, migrate_databases
from deploy.local.errors import BadSetting, StackError
from deploy.local.moment import CLOCK_SHIFT, shift_in
from deploy.local.part import Part, PartStatus, Task
from deploy.local.parts import s3
from deploy.local.parts.caddy import gateway
from deploy.local.parts.kafka import kafka
from deploy.local.parts.kafka import knows_itself as kafka_answers
from deploy.local.parts.postgres import USER as POSTGRES_USER
from deploy.local.parts.postgres import postgres
from deploy.local.parts.seaweedfs import seaweedfs
from deploy.local.parts.services import READING, SERVICES, SMS, service, service_of, sms_gateway
from deploy.local.photo_keys import PRIVATE, PUBLIC, keep_photo_keys
from deploy.local.places import cache_folder
from deploy.local.ports import LOOPBACK, check_ports, choose_ports, free_ports
from deploy.local.secrets import keep_secrets
from deploy.local.supervisor import Supervisor
from deploy.local.web import CANDIDATE_PAGES, STAFF_PAGES, build_web

ALL: tuple[str, ...] = (*SERVICES, READING, SMS)
WITHOUT_READING: tuple[str, ...] = (*SERVICES, SMS)
"""Half a second of CPU for each paper: left out where nobody looks at what is read."""
_READY_FOR_SERVICES = ("databases", "topics", "s3")


class Stack:
    """One running system in one home folder; `async with` starts and stops it.

    Args:
        home: where data, logs and secrets are kept.
        free_ports: take free ports instead of the usual ones (for tests and throw-away stacks).
        services: which services run; further instances are called `validation-2` and so on. With none, only the
            infrastructure runs: no gateway and no web pages either.
        web: build the web pages and serve them.
        environment: what is already provided (`KAFKA_BOOTSTRAP_SERVERS`, `DATABASE_URL…`, `S3_ENDPOINT_URL…`), ports
            and keys.
        service_environment: further variables for some of the services.
        on_change: hears of every change of a part's state.
    """

    def __init__(
        self,
        home: Path,
        *,
        free_ports: bool,
        services: Collection[str] = ALL,
        web: bool = True,
        environment: Mapping[str, str] = os.environ,
        service_environment: Mapping[str, Mapping[str, str]] | None = None,
        on_change: Callable[[PartStatus], None] = lambda _: None,
    ) -> None:
        self.home = home.absolute()
        self._given = environment
        self._free_ports = free_ports
        self._web = web
        self._services = tuple(services)
        self._service_environment = dict(service_environment or {})
        self._cache = cache_folder(environment)
        self.home.mkdir(parents=True, exist_ok=True)
        self._ports = choose_ports(environment, free=free_ports)
        secrets = keep_secrets(self.home)
        self._photo_keys = keep_photo_keys(environment, self.home)
        self.environment = self._describe_environment(secrets)
        shift_in(self.environment)  # a bad number is said here, not by every service
        # Commands in another terminal find the running stack by it (`deploy.environment`).
        self._environment_file = self.home / "environment.json"
        self._wanted_ports: set[str] = set()
        self._supervisor = Supervisor(
            self.home,
            [*self._infrastructure(secrets), *self._application()],
            environment={**environment, **self.environment},
            on_change=on_change,
        )

    def own_parts(self) -> set[str]:
        """Which of Kafka, PostgreSQL and S3 are the stack's own, because the environment provides none."""
        return {"kafka", "postgres", "s3"} & {
            part.name for part in self.status() if self._supervisor.is_part(part.name)
        }

    async def claim(self) -> None:
        """Take hold of the home folder and see that the ports are free; `start` does it too."""
        await self._supervisor.hold()
        if not self._free_ports:
            check_ports(self._ports, self._wanted_ports)

    async def start(self) -> None:
        """Start everything that is not there yet; raises `StackError` with what to do about it."""
        try:
            await self.claim()
            self._environment_file.unlink(missing_ok=True)
            await self._supervisor.start()
        except BaseException:
            await self._supervisor.stop()
            raise
        self._tell_environment()

    async def stop(self) -> None:
        """Stop everything in reverse order."""
        if self._supervisor.holds:
            self._environment_file.unlink(missing_ok=True)
        await self._supervisor.stop()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    def status(self) -> list[PartStatus]:
        """How every part is."""
        return self._supervisor.status()

    def pid(self, name: str) -> int:
        """The process id of a running part."""
        return self._supervisor.pid(name)

    def log_file(self, name: str) -> Path:
        """Where a part's output goes."""
        return self._supervisor.log_file(name)

    def last_lines(self, name: str) -> str:
        """The end of a part's log."""
        return self._supervisor.last_lines(name)

    async def died(self) -> str:
        """Wait until a part ends that nobody stopped, and say which."""
        return await self._supervisor.died()

    async def start_part(self, name: str, extra_env: Mapping[str, str] | None = None) -> None:
        """Start one part and wait until it is ready; a further instance (`validation-2`) is made on the way."""
        if name not in self._supervisor.names():
            self._supervisor.add(self._service(name))
        await self._supervisor.start_part(name, extra_env)

    async def kill(self, name: str, *, whole_group: bool = True) -> None:
        """SIGKILL, to the part's whole process group or only to its first process."""
        await self._supervisor.kill(name, whole_group=whole_group)

    async def terminate(self, name: str) -> None:
        """Ask a part to end (SIGTERM; PostgreSQL: fast shutdown) and wait for it."""
        await self._supervisor.terminate(name)

    async def restart(self, name: str, extra_env: Mapping[str, str] | None = None) -> None:
        """Terminate a part, start it again and wait until it is ready."""
        await self._supervisor.restart(name, extra_env)

    async def pause(self, name: str) -> None:
        """SIGSTOP to all of a part's processes."""
        self._supervisor.pause(name)

    async def resume(self, name: str) -> None:
        """SIGCONT to all of a part's processes."""
        self._supervisor.resume(name)

    async def wait_ready(self, name: str, timeout: float = 60.0) -> None:  # noqa: ASYNC109 - handed on
        """Wait until the part's probe says yes."""
        await self._supervisor.wait_ready(name, timeout)

    def _tell_environment(self) -> None:
        draft = self._environment_file.with_suffix(".new")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        told = self.environment | {PRIVATE: str(self._photo_keys.private)}
        draft.write_text(json.dumps(told, indent=1), encoding="utf-8")
        draft.replace(self._environment_file)

    def _describe_environment(self, secrets: Mapping[str, str]) -> dict[str, str]:
        given, ports = self._given, self._ports
        server = given.get("DATABASE_URL") or (
            f"postgresql://{POSTGRES_USER}:{secrets['POSTGRES_PASSWORD']}@{LOOPBACK}:{ports['POSTGRES_PORT']}"
        )
        described = {
            "KAFKA_BOOTSTRAP_SERVERS": f"{LOOPBACK}:{ports['KAFKA_PORT']}",
            "DATABASE_URL": server,
            **{f"DATABASE_URL_{name.upper()}": database_url(server, name) for name in SERVICES},
            "S3_ENDPOINT_URL": f"http://{LOOPBACK}:{ports['S3_PORT']}",
            "S3_BUCKET": "materials",
            "S3_REGION": "us-east-1",
            CLOCK_SHIFT: "0",
            # For trying out: whoever does not want to wait five minutes for what was published names an earlier time.
            "BAOSHEN_DEVELOPMENT": "1",
            "PUBLICATION_DELAY_S": "300",
            # Demo accounts log in with their passwords alone.
            "STAFF_SECOND_FACTOR": "offered",
            "LOG_LEVEL": "INFO",
            "LOG_FORMAT": "json",
            "DATA_KEYS_FILE": str(self.home / "data-keys.json"),
            PUBLIC: str(self._photo_keys.public),
            **{name: value for name, value in secrets.items() if name != "POSTGRES_PASSWORD"},
        }
        described |= {name: given[name] for name in described if given.get(name)}
        described |= {name: str(port) for name, port in ports.items()}
        return described | {
            "PUBLIC_ORIGIN": f"http://{LOOPBACK}:{ports['GATEWAY_PORT']}",
            "SMS_GATEWAY_URL": f"http://{LOOPBACK}:{ports['SMS_GATEWAY_PORT']}",
            "BAOSHEN_HOME": str(self.home),
            "BAOSHEN_CACHE": str(self._cache),
        }

    def _infrastructure(self, secrets: Mapping[str, str]) -> list[Part | Task]:
        ports, environment = self._ports, self.environment
        account = s3.account_in(environment)
        items: list[Part | Task] = []
        if self._given.get("KAFKA_BOOTSTRAP_SERVERS"):
            items.append(
                Task(
                    "kafka",
                    self._see_kafka,
                    address=environment["KAFKA_BOOTSTRAP_SERVERS"],
                )
            )
        else:
            self._wanted_ports |= {"KAFKA_PORT", "KAFKA_CONTROLLER_PORT"}
            items.append(
                kafka(
                    self.home,
                    self._cache,
                    ports["KAFKA_PORT"],
                    ports["KAFKA_CONTROLLER_PORT"],
                )
            )
        if self._databases_given():
            items.append(Task("databases", self._migrate, address="given by the environment"))
        else:
            if not self._given.get("DATABASE_URL"):
                self._wanted_ports.add("POSTGRES_PORT")
                items.append(postgres(self.home, ports["POSTGRES_PORT"], secrets["POSTGRES_PASSWORD"]))
            items.append(Task("databases", self._make_and_migrate, after=("postgres",)))
        if self._given.get("S3_ENDPOINT_URL"):
            _require(
                self._given,
                "S3_ACCESS_KEY",
                "S3_SECRET_KEY",
                needed_by="S3_ENDPOINT_URL",
            )
            items.append(Task("s3", lambda: s3.make_bucket(account), address=account.endpoint))
        else:
            self._wanted_ports.add("S3_PORT")
            items.append(seaweedfs(self.home, ports["S3_PORT"], account))
        items.append(Task("topics", self._make_topics, after=("kafka",)))
        return items

    def _application(self) -> Sequence[Part | Task]:
        if not self._services:
            return []
        self._wanted_ports.add("GATEWAY_PORT")
        pages = Pages(candidate=CANDIDATE_PAGES, staff=STAFF_PAGES)
        return [
            *([Task("web", self._build_web, within=900)] if self._web else []),
            *(self._service(name) for name in self._services),
            gateway(self.home, self._ports, pages, after=("web",)),
        ]

    def _service(self, name: str) -> Part:
        extra = self._service_environment.get(name, {})
        if name == SMS:
            self._wanted_ports.add("SMS_GATEWAY_PORT")
            return sms_gateway(self._ports["SMS_GATEWAY_PORT"])
        kind = service_of(name)
        if kind == "validation" and not name.startswith(READING):  # it signs; nobody else needs the file
            extra = {PRIVATE: str(self._photo_keys.private), **extra}
        if name == kind:
            self._wanted_ports.add(f"{kind.upper()}_PORT")
            return service(
                name,
                self._ports[f"{kind.upper()}_PORT"],
                extra,
                after=_READY_FOR_SERVICES,
            )
        return service(name, next(free_ports()), extra, after=_READY_FOR_SERVICES)

    async def _build_web(self) -> None:
        await build_web(self._cache)

    def _databases(self) -> dict[str, str]:
        return {name: self.environment[f"DATABASE_URL_{name.upper()}"] for name in SERVICES}

    def _databases_given(self) -> bool:
        given = [name for name in SERVICES if self._given.get(f"DATABASE_URL_{name.upper()}")]
        if given and len(given) < len(SERVICES) and not self._given.get("DATABASE_URL"):
            missing = ", ".join(f"DATABASE_URL_{name.upper()}" for name in SERVICES if name not in given)
            raise BadSetting(
                f"Some databases are given, but not all. Set {missing} too, or DATABASE_URL, or none of them."
            )
        return len(given) == len(SERVICES)

    async def _make_and_migrate(self) -> None:
        await make_databases(self.environment["DATABASE_URL"], self._databases())
        await self._migrate()

    async def _migrate(self) -> None:
        await migrate_databases(self._databases())

    async def _make_topics(self) -> None:
        from shared.messaging.topics import create_topics

        await create_topics(self.environment["KAFKA_BOOTSTRAP_SERVERS"], partitions=3)

    async def _see_kafka(self) -> None:
        bootstrap = self.environment["KAFKA_BOOTSTRAP_SERVERS"]
        if not await kafka_answers(bootstrap):
            raise StackError(
                f"Kafka does not answer at {bootstrap}. "
                "Check KAFKA_BOOTSTRAP_SERVERS, or unset it to have a broker started."
            )


def _require(given: Mapping[str, str], *names: str, needed_by: str) -> None:
    missing = [name for name in names if not given.get(name)]
    if missing:
        raise BadSetting(f"{needed_by} is set, so {' and '.join(missing)} must be too.")
