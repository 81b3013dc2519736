"""`python -m deploy.compose.healthy URL`: exits 0 when the URL answers 200, for a container's health check."""

import sys
import urllib.error
import urllib.request


def main() -> int:
    """Ask once."""
    try:
        # The URL stands in docker-compose.yml; nobody else gives one.
        with urllib.request.urlopen(sys.argv[1], timeout=4) as answer:  # noqa: S310
            return 0 if answer.status == 200 else 1
    except (OSError, urllib.error.URLError) as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
