"""What `baoshen up` does before it starts anything: fetch and build what this machine lacks."""

import asyncio
from collections.abc import Callable, Collection
from pathlib import Path

from deploy.local import install
from deploy.local.parts import kafka
from deploy.local.web import build_web, needs_build


async def install_everything(
    cache: Path, own_parts: Collection[str], *, web: bool, say: Callable[[str], None] = lambda _: None
) -> None:
    """Install what the stack's own parts need and build the web pages; quick when all of it is there.

    Args:
        cache: where it is kept, for every stack of this machine.
        own_parts: which of `kafka`, `postgres` and `s3` the stack starts itself.
        web: build the web pages.
        say: hears what is being done, if it takes time.
    """
    install.program("caddy")
    if "postgres" in own_parts:
        install.postgres_folder()
    if "s3" in own_parts:
        install.program("weed")
    kafka_s, web_s = [_kafka(cache, say)] if "kafka" in own_parts else [], [_web(cache, say)] if web else []
    await asyncio.gather(*kafka_s, *web_s)


async def _kafka(cache: Path, say: Callable[[str], None]) -> None:
    if not kafka.start_cache(cache).exists():
        say("正在下载并准备 Kafka（仅第一次）… Fetching Kafka and preparing its quick start (first time only)…")
        await kafka.make_start_cache(cache)
    await install.kafka_jars(cache)


async def _web(cache: Path, say: Callable[[str], None]) -> None:
    if await asyncio.to_thread(needs_build, cache):
        say("正在构建网页… Building the web pages…")
        await build_web(cache)
