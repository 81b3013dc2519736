"""`python -m deploy.compose.dotenv`: prints a `.env` for docker-compose.yml, with secrets that were made just now."""

import tempfile
from pathlib import Path

from deploy.compose.settings import NEEDED
from deploy.local.secrets import keep_secrets


def dotenv() -> str:
    """Every variable of .env.example that must be set, with a fresh value."""
    with tempfile.TemporaryDirectory() as folder:
        made = keep_secrets(Path(folder))
    # What only the development stack has, such as an answer that fits every captcha, stays there.
    secrets = {name: made[name] for name in NEEDED}
    lines = "".join(f"{name}={value}\n" for name, value in sorted(secrets.items()))
    return "# Secrets of this installation. Losing MASTER_KEYS loses all names, ID numbers and phones.\n" + lines


if __name__ == "__main__":
    print(dotenv(), end="")
