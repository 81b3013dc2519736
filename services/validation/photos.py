"""Portraits: fetched, checked and finished in a worker process, signed here, stored. No worker ever sees the key."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from services.validation.use_cases.photos import PhotoVerdict
from services.validation.workers import Task, Workers
from shared import clock
from shared.contracts.rules import PhotoRule
from shared.contracts.upload import PhotoCheckRequested
from shared.contracts.validation import CheckedPhoto, PhotoFinding
from shared.errors import Transient
from shared.images.receipt import MOST_RECEIPT_BYTES, Receipt, add_receipt
from shared.security.photo_keys import SigningKey, SigningKeys
from shared.storage import ObjectGone, Storage
from shared.telemetry import metrics


class NoKeysFile(Transient):
    """This process was not told where the signing keys are (PHOTO_KEYS_FILE); photos wait until it is."""


class Photos:
    """Checks portraits and makes photos of the official size of them.

    Args:
        storage: where portraits and photos lie; opened and closed by others.
        workers: processes that do `portrait`; opened and closed by others.
        keys_file: the private keys; None where this process has none.
    """

    def __init__(self, storage: Storage, workers: Workers, keys_file: Path | None) -> None:
        self._storage = storage
        self._workers = workers
        self._keys = None if keys_file is None else SigningKeys(keys_file)

    async def check_all(self, events: Sequence[PhotoCheckRequested]) -> dict[UUID, PhotoVerdict]:
        """Check these portraits; photos of those that pass are in the store when this returns.

        Raises:
            Transient: the store does not answer, or there is no key to sign with.
        """
        wanted = list({event.photo_id: event for event in events}.values())
        verdicts = await asyncio.gather(*(self._check(event) for event in wanted), return_exceptions=True)
        found: dict[UUID, PhotoVerdict] = {}
        for event, verdict in zip(wanted, verdicts, strict=True):
            if isinstance(verdict, BaseException):
                raise verdict
            found[event.photo_id] = verdict
            metrics.PHOTOS_CHECKED.labels(verdict.verdict).inc()
        return found

    async def _check(self, event: PhotoCheckRequested) -> PhotoVerdict:
        try:
            body = await self._storage.get(event.object_key)
        except ObjectGone:
            return _failed("gone")
        if hashlib.sha256(body).hexdigest() != event.sha256:
            return _failed("corrupt")  # not the bytes that the candidate sent
        findings, picture = await judge_portrait(self._workers, body, event.content_type, event.rule)
        if picture is None:
            return PhotoVerdict("fail", findings)
        return PhotoVerdict("pass", findings, await self._signed(event, picture))

    async def _signed(self, event: PhotoCheckRequested, picture: bytes) -> CheckedPhoto:
        if self._keys is None:
            raise NoKeysFile("PHOTO_KEYS_FILE is not set")
        pack = f"{event.pack_id}@{event.pack_version}"
        file, receipt = signed_photo(picture, event.application_no, pack, event.rule, self._keys.current())
        sha256 = hashlib.sha256(file).hexdigest()
        # Each try makes a file of its own, since each receipt is: of two the one that is told counts.
        object_key = f"photos/{event.application_no}/{event.photo_id}/photo-{sha256[:16]}"
        await self._storage.put(object_key, file, "image/jpeg")
        return CheckedPhoto(
            object_key=object_key,
            sha256=sha256,
            size=len(file),
            width_px=event.rule.width_px,
            height_px=event.rule.height_px,
            key_id=receipt.key_id,
            expires_at=receipt.expires_at,
        )


async def judge_portrait(
    workers: Workers, body: bytes, content_type: str, rule: PhotoRule
) -> tuple[tuple[PhotoFinding, ...], bytes | None]:
    """What a worker says of a portrait, and the photo without a receipt where it passes."""
    params = {"content_type": content_type, "rule": rule.model_dump(mode="json"), "room": MOST_RECEIPT_BYTES}
    done = await workers.run(Task("portrait", body, params))
    if done is None:
        return (PhotoFinding(code="too_complex", severity="reject"),), None
    findings = tuple(PhotoFinding.model_validate(each) for each in done.answer["findings"])
    return findings, done.body if done.answer["verdict"] == "pass" and done.body else None


def signed_photo(
    picture: bytes, application_no: str, pack: str, rule: PhotoRule, key: SigningKey
) -> tuple[bytes, Receipt]:
    """A photo that has passed, with its receipt in it, and that receipt.

    Args:
        picture: what `judge_portrait` made.
        application_no: whose it is.
        pack: under whose rules: `id@version`.
        rule: says how long the receipt holds.
        key: to sign with.
    """
    now = clock.now().replace(microsecond=0)
    return add_receipt(
        picture,
        application_no=application_no,
        pack=pack,
        issued_at=now,
        expires_at=now + timedelta(days=rule.receipt_days),
        key=key,
    )


def _failed(code: str) -> PhotoVerdict:
    return PhotoVerdict("fail", (PhotoFinding(code=code, severity="reject"),))
