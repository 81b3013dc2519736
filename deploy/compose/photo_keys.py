"""`python -m deploy.compose.photo_keys`: makes the first key of the photo check, unless there is one."""

import os
import sys

from deploy.local.errors import StackError
from deploy.local.photo_keys import keep_photo_keys
from deploy.local.places import home_folder


def main() -> int:
    """Make it, or say why not."""
    try:
        files = keep_photo_keys(os.environ, home_folder())
    except StackError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{files.private} and {files.public} are there")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
