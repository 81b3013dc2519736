"""`python -m deploy.compose.bucket`: makes the bucket, unless it is there."""

import asyncio
import sys

from deploy import environment
from deploy.local.errors import StackError
from deploy.local.parts.s3 import account_in, make_bucket


def main() -> int:
    """Make it, or say why not."""
    found = environment.load("S3_ENDPOINT_URL", "S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_BUCKET", "S3_REGION")
    try:
        asyncio.run(make_bucket(account_in(found)))
    except StackError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"bucket {found['S3_BUCKET']} is there")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
