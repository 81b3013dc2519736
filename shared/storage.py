"""Objects in an S3 store: candidates' images. Every call has a time-out, and a failing store is `Transient`."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from shared.errors import Transient

_NO_BUCKET = "NoSuchBucket"
_GONE = frozenset({"NoSuchKey", "404", "NotFound"})


class ObjectGone(Exception):
    """There is no object under this key."""


class StoreAway(Transient):
    """The store did not answer, or answered that it can't now."""


class Storage:
    """One bucket. Open it once per process (`async with`).

    Args:
        endpoint_url: the store, None for AWS itself.
        access_key: its key id.
        secret_key: its secret.
        bucket: the bucket that everything is in.
        region: as the store wants it.
    """

    def __init__(
        self, *, endpoint_url: str | None, access_key: str, secret_key: str, bucket: str, region: str = "us-east-1"
    ) -> None:
        self._bucket = bucket
        elsewhere: dict[str, Any] = {} if endpoint_url is None else {"endpoint": endpoint_url}
        # Reading is what validation does most: 0.4 ms of CPU for 195 KB against the other client's 1.4, and half the
        # store's own, since connections are used again.
        self._reader = S3Store(
            bucket,
            **elsewhere,
            access_key_id=access_key,
            secret_access_key=secret_key,
            region=region,
            virtual_hosted_style_request=False,
            client_options={"allow_http": True, "connect_timeout": "3s", "timeout": "10s"},
            retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=10)},
        )
        self._options: dict[str, Any] = {
            "endpoint_url": endpoint_url,
            "aws_access_key_id": access_key,
            "aws_secret_access_key": secret_key,
            "region_name": region,
            "config": AioConfig(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                connect_timeout=3,
                read_timeout=10,
                retries={"max_attempts": 2, "mode": "standard"},
                max_pool_connections=64,
                # Not every store knows the newer checksum trailers; the SHA-256 in our own row is what counts.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        }
        self._stack = AsyncExitStack()
        self._client: Any = None

    async def __aenter__(self) -> "Storage":
        self._client = await self._stack.enter_async_context(get_session().create_client("s3", **self._options))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def make_bucket(self) -> None:
        """Make the bucket if it is not there."""
        try:
            await self._client.create_bucket(Bucket=self._bucket)
        except ClientError as error:
            if _code(error) not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                raise _translated(error) from error
        except (BotoCoreError, aiohttp.ClientError, OSError) as error:
            raise _translated(error) from error

    async def put(self, key: str, body: bytes, content_type: str) -> None:
        """Store an object; the same key is overwritten.

        Raises:
            StoreAway: it may or may not be stored now.
        """
        try:
            await self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type)
        except (ClientError, BotoCoreError, aiohttp.ClientError, OSError) as error:
            raise _translated(error) from error

    async def get(self, key: str, largest: int = 16 * 1024 * 1024) -> bytes:
        """An object's bytes.

        Raises:
            ObjectGone: there is none.
            StoreAway: it can't be read now.
            ValueError: it is larger than `largest` bytes, so none of ours.
        """
        try:
            answer = await self._reader.get_async(key)
            if answer.meta["size"] > largest:
                raise ValueError(f"object of {answer.meta['size']} bytes")
            return bytes(await answer.bytes_async())
        except (FileNotFoundError, NotFoundError) as error:
            # A bucket that is not there is a store that has not read its state yet, not an image that is gone.
            raise StoreAway("S3 404 NoSuchBucket") if _NO_BUCKET in str(error) else ObjectGone() from None
        except (BaseError, OSError) as error:
            raise StoreAway(type(error).__name__) from None  # its message has the whole address

    async def delete(self, key: str) -> None:
        """Delete an object; none there is no error."""
        try:
            await self._client.delete_object(Bucket=self._bucket, Key=key)
        except (ClientError, BotoCoreError, aiohttp.ClientError, OSError) as error:
            raise _translated(error) from error

    async def keys(self, prefix: str = "") -> AsyncIterator[tuple[str, int]]:
        """Every key below `prefix` with its size in bytes, page by page."""
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            async for page in pages:
                for entry in page.get("Contents", ()):
                    yield entry["Key"], int(entry["Size"])
        except (ClientError, BotoCoreError, aiohttp.ClientError, OSError) as error:
            raise _translated(error) from error

    async def reachable(self) -> bool:
        """True when the bucket answers."""
        try:
            await self._client.head_bucket(Bucket=self._bucket)
        except (ClientError, BotoCoreError, aiohttp.ClientError, OSError):
            return False
        return True


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _translated(error: Exception) -> Exception:
    if isinstance(error, ClientError):
        if _code(error) in _GONE:
            return ObjectGone()
        status: int = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if 400 <= status < 500 and status not in {403, 408, 429} and _code(error) != _NO_BUCKET:
            return ValueError(f"the store refused: {status} {_code(error)}")
        # 403 and a missing bucket too: a store that restarts may not have read its keys and buckets yet.
        return StoreAway(f"S3 {status} {_code(error)}")
    return StoreAway(type(error).__name__)
