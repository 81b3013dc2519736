"""What upload writes down of a request: never what somebody typed into the address."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.builders.images import a_jpeg
from tests.upload.conftest import NUMBER, Upload

Lines = list[dict[str, Any]]
ID_NUMBER = "999999199001011238"


async def test_a_number_in_the_address_that_opens_nothing_is_not_written_down(
    upload: Upload, request_lines: Lines
) -> None:
    await upload.client.get(f"/applications/{ID_NUMBER}")
    await upload.put("diploma", a_jpeg(), number=ID_NUMBER)
    upload.client.cookies.clear()
    await upload.client.get(f"/applications/{ID_NUMBER}")

    assert len(request_lines) == 3
    assert ID_NUMBER not in str(request_lines)


async def test_the_number_of_ones_own_application_stands_on_the_line(upload: Upload, request_lines: Lines) -> None:
    await upload.page()
    await upload.submit()

    assert [line["application_no"] for line in request_lines] == [NUMBER] * 2


@pytest.mark.parametrize("name", ["baggage", "tracestate"])
async def test_what_a_sender_puts_beside_the_trace_id_goes_no_further(
    upload: Upload, request_lines: Lines, name: str
) -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    await upload.put("diploma", a_jpeg(), **{"traceparent": traceparent, name: f"who={ID_NUMBER}"})
    await upload.put("diploma", a_jpeg(1), **{"traceparent": traceparent, name: f"who={ID_NUMBER}=" * 1000})

    async with upload.service.sessions() as session:
        headers = list(await session.scalars(text("SELECT headers FROM outbox ORDER BY id")))

    assert len(headers) == 2
    assert all("0af7651916cd43dd8448eb211c80319c" in each["traceparent"] for each in headers)
    assert not any(name in each for each in headers)
    assert ID_NUMBER not in str(request_lines)
