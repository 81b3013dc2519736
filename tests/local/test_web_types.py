"""The types that the pages are written against are those of the services as they are."""

from pathlib import Path

import pytest

from deploy.local.places import cache_folder
from deploy.local.web_types import DOCUMENTS, SERVICES, TYPES, as_text, openapi_document, write_types

WHAT_TO_DO = "run `make web-types` and look at what changed for the pages"


@pytest.mark.parametrize("service", SERVICES)
def test_the_kept_openapi_document_says_what_the_service_says(service: str) -> None:
    kept = (DOCUMENTS / f"{service}.json").read_text(encoding="utf-8")

    assert kept == as_text(openapi_document(service)), WHAT_TO_DO


async def test_the_kept_types_are_those_of_the_kept_documents(tmp_path: Path) -> None:
    await write_types(cache_folder(), types=tmp_path)

    for service in SERVICES:
        made = (tmp_path / f"{service}.d.ts").read_text(encoding="utf-8")
        assert (TYPES / f"{service}.d.ts").read_text(encoding="utf-8") == made, WHAT_TO_DO
