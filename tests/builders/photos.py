"""Portraits' verdicts as validation tells them, and finished photos with real receipts."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from shared import clock
from shared.contracts.upload import PhotoCheckRequested
from shared.contracts.validation import CheckedPhoto, Mark, PhotoChecked, PhotoFinding
from shared.images.receipt import add_receipt
from shared.security.photo_keys import PhotoKeyFiles, SigningKeys
from tests.builders.images import a_jpeg

NUMBER = "2021110001"


def a_photo(
    keys: PhotoKeyFiles,
    application_no: str = NUMBER,
    *,
    shade: int = 0,
    issued_at: datetime | None = None,
    days: float = 30,
) -> bytes:
    """A finished photo, signed just now; each call makes another receipt."""
    at = issued_at or clock.now()
    file, _ = add_receipt(
        a_jpeg(shade),
        application_no=application_no,
        pack="neimenggu-2021@1",
        issued_at=at,
        expires_at=at + timedelta(days=days),
        key=SigningKeys(keys.private).current(),
    )
    return file


def key_of_photo(photo_id: UUID, photo: bytes, application_no: str = NUMBER) -> str:
    """Where validation puts a finished photo."""
    return f"photos/{application_no}/{photo_id}/photo-{hashlib.sha256(photo).hexdigest()[:16]}"


def it_passed(
    asked: PhotoCheckRequested, photo: bytes, *, check_no: int = 1, expires_at: datetime | None = None
) -> PhotoChecked:
    """The portrait became this photo, which lies in the store."""
    return _answer(
        asked,
        "pass",
        check_no,
        photo=CheckedPhoto(
            object_key=key_of_photo(asked.photo_id, photo, asked.application_no),
            sha256=hashlib.sha256(photo).hexdigest(),
            size=len(photo),
            width_px=390,
            height_px=567,
            key_id="p20211128-0000",
            expires_at=expires_at or clock.now() + timedelta(days=30),
        ),
    )


def it_failed(asked: PhotoCheckRequested, *codes: str, check_no: int = 1) -> PhotoChecked:
    """It can't be used, for these reasons."""
    marks = (Mark(shape="box", x1=0.1, y1=0.2, x2=0.5, y2=0.6),)
    found = (
        PhotoFinding(code=code, severity="reject", measured=21.5, limit=10, marks=marks)
        for code in codes or ("no_face",)
    )
    return _answer(asked, "fail", check_no, findings=tuple(found))


def _answer(asked: PhotoCheckRequested, verdict: str, check_no: int, **more: object) -> PhotoChecked:
    return PhotoChecked.model_validate(
        {
            "application_no": asked.application_no,
            "photo_id": asked.photo_id,
            "sha256": asked.sha256,
            "check_no": check_no,
            "verdict": verdict,
            "checked_at": clock.now(),
        }
        | more
    )
