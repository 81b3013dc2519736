"""The environment that commands work in: this process's own, over that of the stack that runs for this checkout."""

import json
import os

import typer

from deploy.local.databases import database_url
from deploy.local.parts.services import SERVICES
from deploy.local.places import home_folder

__all__ = ["FILE_NAME", "SERVICES", "EnvironmentIncomplete", "database_of", "databases", "load"]

FILE_NAME = "environment.json"
"""Written to `BAOSHEN_HOME` by whoever runs a stack, once it is ready; gone when the stack has stopped."""


class EnvironmentIncomplete(typer.BadParameter):
    """Variables are missing. Typer shows the message and exits with 2, so that no command need catch it."""

    def format_message(self) -> str:
        """The message as it is."""
        return self.message


def load(*needed: str) -> dict[str, str]:
    """Read the environment of a command; an empty variable counts as one that is not set.

    Args:
        *needed: variables that the command can't do without.

    Raises:
        EnvironmentIncomplete: one of them is set nowhere; the message says what to do.
    """
    own = {name: value for name, value in os.environ.items() if value}
    stack = _of_the_stack()
    if "DATABASE_URL" in own:
        # A server of the caller's own: the stack's databases are not on it.
        stack |= {_database(service): database_url(own["DATABASE_URL"], service) for service in SERVICES}
    found = stack | own
    missing = [name for name in needed if name not in found]
    if missing:
        raise EnvironmentIncomplete(
            f"没有运行中的系统，也没有设置 {'、'.join(missing)}。\n"
            f"Set {', '.join(missing)}, or start a stack in this checkout (make up) and try again. "
            f"Looked for {home_folder() / FILE_NAME}; BAOSHEN_HOME names another folder."
        )
    return found


def database_of(service: str, found: dict[str, str]) -> str:
    """The URL of a service's database, from what `load` returned."""
    return found[_database(service)]


def databases(*services: str) -> tuple[str, ...]:
    """The variables that hold the databases' URLs, to be handed to `load`."""
    return tuple(_database(service) for service in services or SERVICES)


def _database(service: str) -> str:
    return f"DATABASE_URL_{service.upper()}"


def _of_the_stack() -> dict[str, str]:
    path = home_folder() / FILE_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        raise EnvironmentIncomplete(
            f"{path} 无法读取。It can't be read ({type(problem).__name__}); start the stack again (make up)."
        ) from problem
    if not isinstance(content, dict):
        raise EnvironmentIncomplete(f"{path} 内容不对。It holds no environment; start the stack again (make up).")
    return {str(name): str(value) for name, value in content.items() if value}
