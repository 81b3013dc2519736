"""How fast images are looked at: the running service against a bare process pool that runs the same checks.

The service hears of each image on Kafka, fetches it from S3, looks at it in a worker process, writes its verdict down
and tells it on Kafka. The rival has the same bytes in memory and as many processes. Rounds of the two alternate, so
that what else the machine does slows both alike. Beside it, in one thread: the door, one look, and the strict whole
decode that no sound look can do without.
"""

import asyncio
import hashlib
import os
import statistics
import struct
import time
import zlib
from collections.abc import Callable, Container, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import cv2
import simplejpeg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.local.stack import Stack
from deploy.local.throwaway import throwaway_stack
from deploy.specimens import draw
from services.validation.decoding import look
from shared.contracts.upload import MaterialUploaded
from shared.contracts.validation import MaterialChecked
from shared.images.envelope import open_envelope
from shared.messaging.connection import producer_settings
from shared.messaging.envelope import body_of, headers_of, wire_headers
from shared.storage import Storage

# Papers as they are photographed, at the size that candidates' apps compress to.
KINDS = ("diploma", "degree", "identity_front", "trial_assessment", "assistant_qualification", "identity_back")
TARGET_BYTES = 195_000
SIDE_PX = 1600
# Sound images come at a pace that leaves room, as on an ordinary day; among them one bomb in so many.
EVERY_S = 0.1
PACED = 150
ONE_BOMB_IN = 30
# Each several times, for the median; the three take turns.
TURNS = 15
PATIENCE_S = 300.0
BOMB_KEY = "bench/bomb"


@dataclass
class Result:
    """Seconds of single looks, and images per second of every round that counts."""

    door_s: list[float] = field(default_factory=list)
    decode_s: list[float] = field(default_factory=list)
    check_s: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    calm_s: list[float] = field(default_factory=list)
    among_bombs_s: list[float] = field(default_factory=list)

    def p95_ms(self) -> tuple[float, float]:
        """From uploaded to checked, 95 % of the sound images within: by themselves, and among bombs."""
        calm, among = (statistics.quantiles(each, n=20)[-1] * 1000 for each in (self.calm_s, self.among_bombs_s))
        return round(calm), round(among)

    def line(self) -> dict[str, float]:
        """What the command prints last."""
        decode, check = statistics.median(self.decode_s), statistics.median(self.check_s)
        ours, bare = statistics.median(self.ours), statistics.median(self.bare)
        ratios = [one / other for one, other in zip(self.ours, self.bare, strict=True)]
        return {
            "door_us": round(statistics.median(self.door_s) * 1e6),
            "check_ms": round(check * 1000, 2),
            "decode_ms": round(decode * 1000, 2),
            "ratio_check_to_decode": round(check / decode, 2),
            "images_per_s": round(ours, 1),
            "bare_images_per_s": round(bare, 1),
            "ratio": round(statistics.median(ratios), 3),
        }


@dataclass(frozen=True)
class _File:
    body: bytes
    sha256: str


async def measure(
    *, images: int, rounds: int, on_round: Callable[[int, float, float], None] = lambda *_: None
) -> Result:
    """Measure on a stack of its own.

    Args:
        images: in each round of each side.
        rounds: how often, after one round that does not count.
        on_round: hears of each round: its number (0 is the warm-up), ours and bare in images per second.
    """
    files = await asyncio.to_thread(_files, max(images, PACED))
    result = Result()
    await asyncio.to_thread(_single, files[: len(KINDS)], result)
    count = os.cpu_count() or 1
    async with throwaway_stack(services=("validation",)) as stack, AsyncExitStack() as opened:
        bench = await _Bench.enter(opened, stack, files)
        # Started apart: a fork of this process would have its threads' locks.
        pool = opened.enter_context(ProcessPoolExecutor(count, initializer=_warm, initargs=(files[0].body,)))
        for number in range(rounds + 1):
            ours = await bench.round(images)
            bare = await asyncio.to_thread(_bare_round, pool, files, images)
            on_round(number, ours, bare)
            if number:
                result.ours.append(ours)
                result.bare.append(bare)
        result.calm_s = await bench.paced(bombs=False)
        result.among_bombs_s = await bench.paced(bombs=True)
    return result


def _files(count: int) -> list[_File]:
    """Specimens as JPEGs of the bench's size, as the door stores them."""
    drawn = [_at_size(draw(kind)) for kind in KINDS]
    files = []
    for number in range(count):
        # No two alike: the same bytes again would be told to staff as copies.
        body = open_envelope(_numbered(drawn[number % len(drawn)], number), None).body
        files.append(_File(body, hashlib.sha256(body).hexdigest()))
    return files


def _numbered(jpeg: bytes, number: int) -> bytes:
    """The same picture, with its number as the resolution that its JFIF header tells (bytes 14 to 17)."""
    return jpeg[:14] + struct.pack(">HH", number + 1, number + 1) + jpeg[18:]


def _at_size(body: bytes) -> bytes:
    """The same picture, 1600 px on its long side, at the quality that gives 195 KB or a little less."""
    picture = simplejpeg.decode_jpeg(body, "BGR")
    scale = SIDE_PX / max(picture.shape[:2])
    picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    low, high = 30, 100
    while low < high:
        quality = (low + high + 1) // 2
        size = len(cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))[1])
        low, high = (quality, high) if size <= TARGET_BYTES else (low, quality - 1)
    return cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, low))[1].tobytes()


def _bomb() -> bytes:
    """It passes the door (25 million pixels, all within the limits) and takes a worker more than a first try allows."""
    rows = zlib.compressobj(6)
    row = b"\x04" + bytes([40]) * (5000 * 6)
    packed = b"".join(rows.compress(row) for _ in range(5000)) + rows.flush()
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", 5000, 5000, 16, 2, 0, 0, 0)), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _single(files: Sequence[_File], result: Result) -> None:
    _warm(files[0].body)
    for _ in range(TURNS):
        for file in files:
            began = time.thread_time()
            open_envelope(file.body, "diploma.jpg")
            opened = time.thread_time()
            simplejpeg.decode_jpeg(file.body, "BGR", strict=True)
            decoded = time.thread_time()
            look(file.body, file.sha256, "image/jpeg")
            looked = time.thread_time()
            result.door_s.append(opened - began)
            result.decode_s.append(decoded - opened)
            result.check_s.append(looked - decoded)


def _warm(body: bytes) -> None:
    cv2.setNumThreads(1)
    for _ in range(3):
        look(body, hashlib.sha256(body).hexdigest(), "image/jpeg")


def _look(body: bytes, sha256: str) -> str:
    return look(body, sha256, "image/jpeg").check.verdict


def _bare_round(pool: ProcessPoolExecutor, files: Sequence[_File], images: int) -> float:
    began = time.perf_counter()
    some = [files[number % len(files)] for number in range(images)]
    verdicts = list(pool.map(_look, [file.body for file in some], [file.sha256 for file in some]))
    if set(verdicts) != {"accept"}:
        raise RuntimeError(f"a sound specimen was not accepted: {sorted(set(verdicts))}")
    return images / (time.perf_counter() - began)


class _Bench:
    """The running service, seen from its edges."""

    def __init__(
        self, files: Sequence[_File], bomb: bytes, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer
    ) -> None:
        self._files = files
        self._bomb = _File(bomb, hashlib.sha256(bomb).hexdigest())
        self._producer = producer
        self._consumer = consumer

    @classmethod
    async def enter(cls, opened: AsyncExitStack, stack: Stack, files: Sequence[_File]) -> "_Bench":
        env = stack.environment
        storage = Storage(
            endpoint_url=env["S3_ENDPOINT_URL"],
            access_key=env["S3_ACCESS_KEY"],
            secret_key=env["S3_SECRET_KEY"],
            bucket=env["S3_BUCKET"],
        )
        async with storage:
            for file in files:
                await storage.put(f"bench/{file.sha256}", file.body, "image/jpeg")
            bomb = open_envelope(_bomb(), "bomb.png").body
            await storage.put(BOMB_KEY, bomb, "image/png")
        bootstrap = env["KAFKA_BOOTSTRAP_SERVERS"]
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, **producer_settings("bench"))
        await producer.start()
        opened.push_async_callback(producer.stop)
        consumer = AIOKafkaConsumer(MaterialChecked.topic, bootstrap_servers=bootstrap)  # no group: it only watches
        await consumer.start()
        opened.push_async_callback(consumer.stop)
        for partition in consumer.assignment():
            await consumer.position(partition)  # fixed now, at the end: the first verdict must not be missed
        return cls(files, bomb, producer, consumer)

    async def round(self, images: int) -> float:
        """Tell of so many images and wait for the last verdict; images per second."""
        events = [self._event(number) for number in range(images)]
        wanted: set[UUID] = {event.image_id for event in events}
        began = time.perf_counter()
        for event in events:
            await self._send(event)
        async with asyncio.timeout(PATIENCE_S):
            while wanted:
                wanted.difference_update(await self._checked(wanted))
        return images / (time.perf_counter() - began)

    async def paced(self, *, bombs: bool) -> list[float]:
        """Seconds from told to checked, of sound images that come one by one."""
        told: dict[UUID, float] = {}
        took: list[float] = []
        pacing = asyncio.create_task(self._pace(told, bombs=bombs))
        try:
            async with asyncio.timeout(PATIENCE_S):
                while len(took) < PACED:
                    took += [time.perf_counter() - told.pop(image_id) for image_id in await self._checked(told)]
        finally:
            await pacing
        return took

    async def _pace(self, told: dict[UUID, float], *, bombs: bool) -> None:
        for number in range(PACED):
            event = self._event(number)
            if bombs and number % ONE_BOMB_IN == 0:
                await self._send(self._event(0, BOMB_KEY))
            told[event.image_id] = time.perf_counter()
            await self._send(event)
            await asyncio.sleep(EVERY_S)

    async def _send(self, event: MaterialUploaded) -> None:
        headers = wire_headers(headers_of(event, "baoshen/upload"))
        await self._producer.send(event.topic, key=event.key.encode(), value=body_of(event), headers=headers)

    async def _checked(self, wanted: Container[UUID]) -> list[UUID]:
        """Those of `wanted` that have a verdict now."""
        polled = await self._consumer.getmany(timeout_ms=50)
        told = (MaterialChecked.model_validate_json(record.value) for records in polled.values() for record in records)
        verdicts = [each for each in told if each.image_id in wanted]
        if wrong := [each.reason for each in verdicts if each.verdict == "reject"]:
            raise RuntimeError(f"a sound specimen was rejected: {wrong[0]}")
        return [each.image_id for each in verdicts]

    def _event(self, number: int, key: str | None = None) -> MaterialUploaded:
        file = self._bomb if key == BOMB_KEY else self._files[number % len(self._files)]
        return MaterialUploaded(
            application_no=f"2021{uuid4().int % 10**8:08d}",
            region="15",
            item="diploma",
            image_id=uuid4(),
            object_key=key or f"bench/{file.sha256}",
            sha256=file.sha256,
            size=len(file.body),
            content_type="image/png" if key == BOMB_KEY else "image/jpeg",
        )
