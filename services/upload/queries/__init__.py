"""What the candidate's page reads."""

from services.upload.queries.items import image_url
from services.upload.queries.page import page

__all__ = ["image_url", "page"]
