"""As much of S3 as the stack itself needs: make the bucket, and see that it takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from deploy.local.errors import StackError

_PROBE = ".baoshen-probe"


@dataclass(frozen=True)
class Account:
    """Where the bucket is and who may use it."""

    endpoint: str
    bucket: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)


def account_in(environment: Mapping[str, str]) -> Account:
    """The account that the services use."""
    return Account(
        endpoint=environment["S3_ENDPOINT_URL"].rstrip("/"),
        bucket=environment["S3_BUCKET"],
        region=environment["S3_REGION"],
        access_key=environment["S3_ACCESS_KEY"],
        secret_key=environment["S3_SECRET_KEY"],
    )


async def works(account: Account) -> bool:
    """Whether the bucket, made if it is missing, takes an object and gives it back: a port opens long before that."""
    try:
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            if not await _has_bucket(client, account):
                return False
            put = await call(client, account, "PUT", f"/{_PROBE}", b"probe")
            got = await call(client, account, "GET", f"/{_PROBE}")
            await call(client, account, "DELETE", f"/{_PROBE}")
    except httpx.HTTPError:
        return False
    return put.is_success and got.content == b"probe"


async def make_bucket(account: Account) -> None:
    """Make the bucket on a server that is already there, unless it has it."""
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            if await _has_bucket(client, account):
                return
    except httpx.HTTPError as problem:
        raise StackError(f"The S3 server at {account.endpoint} does not answer ({problem!r}).") from problem
    raise StackError(
        f"The bucket {account.bucket} can't be made at {account.endpoint}. "
        "Check S3_ENDPOINT_URL, S3_ACCESS_KEY and S3_SECRET_KEY."
    )


async def _has_bucket(client: httpx.AsyncClient, account: Account) -> bool:
    if (await call(client, account, "HEAD", "")).is_success:
        return True
    made = await call(client, account, "PUT", "")
    return made.is_success or made.status_code == httpx.codes.CONFLICT


async def call(
    client: httpx.AsyncClient,
    account: Account,
    method: str,
    path: str,
    body: bytes = b"",
) -> httpx.Response:
    """Send one signed request; `path` is the object's key with a slash before it, or empty for the bucket."""
    url = f"{account.endpoint}/{account.bucket}{path}"
    request = AWSRequest(method=method, url=url, data=body)
    S3SigV4Auth(Credentials(account.access_key, account.secret_key), "s3", account.region).add_auth(request)
    return await client.request(method, url, content=body, headers=dict(request.headers.items()))
