"""`python -m deploy.compose.demo`: demo registrations and accounts, whose passwords are in the source."""

import asyncio

from deploy import environment
from deploy.demo_data import ACCOUNTS, load


def main() -> None:
    """Bring them in and say who can log in."""
    found = environment.load(
        *("KAFKA_BOOTSTRAP_SERVERS", "MASTER_KEYS", "DATA_KEYS_FILE"), *environment.databases("upload", "review")
    )
    asyncio.run(load(found))
    for account in ACCOUNTS:
        print(f"{account.who}: {account.login} / {account.password} at {account.where}")


if __name__ == "__main__":
    main()
