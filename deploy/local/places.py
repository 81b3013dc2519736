"""Where the local stack keeps its things: the checkout, the home folder and the cache."""

import os
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def home_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Data, logs and secrets of one stack: `BAOSHEN_HOME`, or `.local` in the checkout."""
    return Path(environment.get("BAOSHEN_HOME") or CHECKOUT / ".local").expanduser().absolute()


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """What is downloaded or built once for all stacks: `BAOSHEN_CACHE`, or `.local/cache` in the checkout."""
    return Path(environment.get("BAOSHEN_CACHE") or CHECKOUT / ".local" / "cache").expanduser().absolute()
