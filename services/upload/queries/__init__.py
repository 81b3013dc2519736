"""What the candidate's page reads."""

from services.upload.queries.items import image_url
from services.upload.queries.page import page
from services.upload.queries.photos import (
    DOWNLOAD_NAME,
    finished_photo,
    photo_check,
    photo_checks,
    picture,
    registration_photo_object,
    registration_photo_url,
)

__all__ = [
    "DOWNLOAD_NAME",
    "finished_photo",
    "image_url",
    "page",
    "photo_check",
    "photo_checks",
    "picture",
    "registration_photo_object",
    "registration_photo_url",
]
