"""docker-compose.yml and the image, as far as they can be checked without a Docker engine."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.compose import photo_keys, settings
from deploy.compose.dotenv import dotenv
from deploy.compose.gateway_files import write
from deploy.environment import SERVICES
from deploy.local.caddyfile import Pages
from deploy.local.places import CHECKOUT
from shared.security.photo_keys import PhotoKeyFiles, PublicKeys, SigningKeys

BIN = Path(sys.executable).parent
DOCKERFILE = CHECKOUT / "deploy" / "Dockerfile"
OFFICIAL = {"kafka": "apache/kafka", "postgres": "postgres", "s3": "chrislusf/seaweedfs", "gateway": "caddy"}
Node = dict[str, Any]


def compose(*arguments: str, env_file: Path) -> subprocess.CompletedProcess[str]:
    bare = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    return subprocess.run(
        [BIN / "docker-compose", "-f", "docker-compose.yml", "--env-file", env_file, *arguments],
        cwd=CHECKOUT,
        env=bare,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def env_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .env as a user makes it."""
    path = tmp_path_factory.mktemp("compose") / ".env"
    path.write_text(dotenv())
    return path


@pytest.fixture(scope="module")
def parts(env_file: Path) -> Node:
    """Every part, with all profiles, as Compose understands it."""
    answer = compose("--profile", "*", "config", "--format", "json", env_file=env_file)
    assert answer.returncode == 0, answer.stderr
    found: Node = json.loads(answer.stdout)["services"]
    return found


def image_environment() -> dict[str, str]:
    """What the last stage of the Dockerfile sets."""
    last = DOCKERFILE.read_text(encoding="utf-8").rsplit("\nFROM ", 1)[1]
    block = re.search(r"^ENV ((?:.*\\\n)*.*)$", last, re.MULTILINE)
    assert block is not None
    return dict(line.strip().rstrip("\\").strip().split("=", 1) for line in block[1].splitlines())


def test_compose_takes_the_file(env_file: Path) -> None:
    answer = compose("config", "-q", env_file=env_file)

    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_file_is_right_before_there_is_a_dotenv(tmp_path: Path) -> None:
    (tmp_path / "none").touch()

    assert compose("config", "-q", env_file=tmp_path / "none").returncode == 0


def test_hadolint_has_nothing_to_say() -> None:
    answer = subprocess.run([BIN / "hadolint", DOCKERFILE], capture_output=True, text=True, timeout=60)

    assert (answer.returncode, answer.stdout) == (0, "")


def test_outside_parts_are_official_images_of_one_version(parts: Node) -> None:
    images = {name: parts[name]["image"].split(":") for name in OFFICIAL}

    assert {name: image for name, (image, _) in images.items()} == OFFICIAL
    assert all(re.fullmatch(r"[0-9]+(\.[0-9]+)*", version) for _, version in images.values())
    assert {part["image"] for name, part in parts.items() if name not in OFFICIAL} == {"baoshen"}


def test_postgres_keeps_its_data_where_version_18_looks_for_it(parts: Node) -> None:
    assert "/var/lib/postgresql" in {volume["target"] for volume in parts["postgres"]["volumes"]}


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_told_all_that_its_settings_require(
    service: str, parts: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = importlib.import_module(f"services.{service}.settings").Settings
    for name in list(os.environ):
        if name not in ("PATH", "HOME"):
            monkeypatch.delenv(name)
    for name, value in (image_environment() | parts[service]["environment"]).items():
        monkeypatch.setenv(name, value)

    made = kind()

    assert made.host == "0.0.0.0"  # noqa: S104 a container has it to itself
    assert made.kafka_bootstrap_servers == "kafka:9092"
    assert made.database_url.endswith(f"@postgres:5432/baoshen_{service}")
    assert str(made.port) in " ".join(parts[service]["healthcheck"]["test"])


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_is_told_more_secrets_than_it_needs(service: str, parts: Node) -> None:
    kind = importlib.import_module(f"services.{service}.settings").Settings
    wanted = {str(field.validation_alias or name).upper() for name, field in kind.model_fields.items()}

    told = set(parts[service]["environment"]) & (set(settings.NEEDED) | {f"DATABASE_URL_{s.upper()}" for s in SERVICES})

    assert told <= wanted


def photo_key_volumes(part: Node) -> dict[str, bool]:
    """Which of the photo check's keys a part has, and whether it can change them."""
    return {
        volume["source"]: not volume.get("read_only", False)
        for volume in part.get("volumes", [])
        if volume["source"].startswith("photo-")
    }


def test_only_validation_has_the_private_keys_of_the_photo_check_and_can_not_change_them(parts: Node) -> None:
    has = {name: volumes for name, part in parts.items() if (volumes := photo_key_volumes(part))}

    both = {"photo-keys": True, "photo-public-keys": True}
    assert has == {
        "validation": {"photo-keys": False},
        "upload": {"photo-public-keys": False},
        "photo-keys": both,
        "baoshen": both,
    }
    for service in ("validation", "upload"):
        assert parts[service]["depends_on"]["photo-keys"]["condition"] == "service_completed_successfully"


def test_the_keys_of_the_photo_check_are_looked_for_where_they_are_mounted(parts: Node) -> None:
    variables = {"photo-keys": "PHOTO_KEYS_FILE", "photo-public-keys": "PHOTO_PUBLIC_KEYS_FILE"}
    made = re.findall(r"/var/lib/baoshen/[a-z-]+", DOCKERFILE.read_text(encoding="utf-8"))

    for name, part in parts.items():
        targets = {volume["source"]: volume["target"] for volume in part.get("volumes", [])}
        told = {source for source, variable in variables.items() if variable in part.get("environment", {})}
        assert told == set(photo_key_volumes(part)), name
        for source in told:
            assert Path(part["environment"][variables[source]]).parent == Path(targets[source])
            assert targets[source] in made


def test_the_job_makes_a_first_key_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTO_KEYS_FILE", str(tmp_path / "private" / "photo-keys.json"))
    monkeypatch.setenv("PHOTO_PUBLIC_KEYS_FILE", str(tmp_path / "public" / "photo-keys.public.json"))

    done = [photo_keys.main() for _ in range(2)]

    signing = SigningKeys(tmp_path / "private" / "photo-keys.json").current()
    assert done == [0, 0]
    assert PublicKeys(tmp_path / "public" / "photo-keys.public.json").get(signing.id)
    assert len(PhotoKeyFiles(tmp_path / "private" / "photo-keys.json").all()) == 1


def test_the_job_says_what_is_wrong_with_damaged_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PHOTO_KEYS_FILE", str(tmp_path / "photo-keys.json"))
    monkeypatch.delenv("PHOTO_PUBLIC_KEYS_FILE", raising=False)
    (tmp_path / "photo-keys.json").write_text("{")

    assert photo_keys.main() == 1
    assert str(tmp_path / "photo-keys.json") in capsys.readouterr().err


def test_nothing_starts_before_what_it_needs(parts: Node) -> None:
    for service in SERVICES:
        waits = {name: each["condition"] for name, each in parts[service]["depends_on"].items()}
        assert waits["kafka"] == waits["postgres"] == "service_healthy"
        assert waits["migrate"] == waits["topics"] == "service_completed_successfully"
    for name in OFFICIAL.keys() - {"gateway"}:
        assert parts[name]["depends_on"]["settings"]["condition"] == "service_completed_successfully"
    waited_for_health = {
        name
        for part in parts.values()
        for name, each in part.get("depends_on", {}).items()
        if each["condition"] == "service_healthy"
    }
    assert all("healthcheck" in parts[name] for name in waited_for_health)


def test_only_the_gateway_and_the_sms_page_are_published_and_only_on_this_machine(parts: Node) -> None:
    published = {name: part["ports"] for name, part in parts.items() if part.get("ports")}

    assert published.keys() == {"gateway", "sms"}
    assert {port["host_ip"] for ports in published.values() for port in ports} == {"127.0.0.1"}


def test_our_containers_are_no_root_and_can_change_nothing_but_their_volumes(parts: Node) -> None:
    assert re.search(r"^USER 10001$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    for name, part in parts.items():
        if name not in OFFICIAL:
            assert part["read_only"] is True
            assert part["cap_drop"] == ["ALL"]
            assert "user" not in part


def test_modules_that_the_commands_name_exist(parts: Node) -> None:
    commands = [part["command"] for part in parts.values() if part.get("command")]
    commands += [part["healthcheck"]["test"][1:] for part in parts.values() if part.get("healthcheck")]
    modules = [command[2] for command in commands if command[:2] == ["python", "-m"]]

    assert len(modules) >= 2 * len(SERVICES)
    assert all((CHECKOUT / f"{module.replace('.', '/')}.py").is_file() for module in modules)


def test_files_that_the_image_is_made_of_exist_and_reach_docker() -> None:
    ignore = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    text = DOCKERFILE.read_text(encoding="utf-8")
    copied = [
        source for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for source in line.split()[:-1]
    ]

    assert copied
    for source in copied:
        assert (CHECKOUT / source).exists(), source
        assert f"!{source.split('/', 1)[0]}" in ignore, source


def test_there_are_no_default_secrets() -> None:
    example = dict(
        line.split("=", 1)
        for line in (CHECKOUT / ".env.example").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    content = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text(encoding="utf-8"))
    secrets = content["services"]["settings"]["environment"]

    assert set(example) == set(settings.NEEDED) == set(secrets)
    assert set(example.values()) == {""}
    assert all(value == f"${{{name}}}" for name, value in secrets.items())


def test_a_made_dotenv_has_every_secret_and_never_the_same_twice() -> None:
    first, second = (
        dict(line.split("=", 1) for line in dotenv().splitlines() if not line.startswith("#")) for _ in range(2)
    )

    assert settings.faults(first) == []
    assert set(first) == set(settings.NEEDED)
    assert not set(first.values()) & set(second.values())


def test_what_is_missing_from_a_dotenv_is_named() -> None:
    given = dict.fromkeys(settings.NEEDED, "x") | {"LOOKUP_KEY": "", "POSTGRES_PASSWORD": "p@ss"}

    assert settings.faults(given) == [
        "LOOKUP_KEY is not set",
        "POSTGRES_PASSWORD may have letters, digits and -._~ only",
    ]


def test_the_gateway_serves_the_same_routes_from_the_containers(parts: Node, tmp_path: Path) -> None:
    built = Pages(candidate=tmp_path / "built" / "candidate", staff=tmp_path / "built" / "staff")
    for page in (built.candidate, built.staff):
        page.mkdir(parents=True)
        (page / "index.html").write_text("<!doctype html>")
    (tmp_path / "volume").mkdir()

    file = write(tmp_path / "volume", {"GATEWAY_PORT": "9100"}, built)

    adapted = subprocess.run(
        [BIN / "caddy", "adapt", "--config", file, "--adapter", "caddyfile", "--validate"],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"HOME": str(tmp_path)},
    )
    assert adapted.returncode == 0, adapted.stderr
    config = json.loads(adapted.stdout)
    addresses = set(re.findall(r'"dial":"([^"]+)"', json.dumps(config, separators=(",", ":"))))
    ports = {f"{name}:{parts[name]['environment'][f'{name.upper()}_PORT']}" for name in ("upload", "review", "notify")}
    assert addresses == ports
    assert [server["listen"] for server in config["apps"]["http"]["servers"].values()] == [[":9100"]]
    assert str(tmp_path / "volume" / "candidate") in adapted.stdout
