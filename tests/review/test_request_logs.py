"""What review writes down of a request: a number only once it is that of an application that the asker may see."""

from typing import Any

import pytest
import structlog

from shared import web
from tests.builders.review import NO
from tests.review.conftest import ReviewUnderTest

ID_NUMBER = "999999199001011238"


@pytest.fixture
def numbers(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The application numbers on the lines of requests, in order."""
    found: list[str | None] = []

    class Log:
        def info(self, _event: str, **line: Any) -> None:
            found.append((structlog.contextvars.get_contextvars() | line).get("application_no"))

    monkeypatch.setattr(web, "log", Log())
    return found


async def test_a_number_in_the_address_that_opens_nothing_is_not_written_down(
    review: ReviewUnderTest, numbers: list[str | None]
) -> None:
    site = await review.desk("site")
    numbers.clear()

    await site.get(f"/reviews/{ID_NUMBER}")
    await site.claim(ID_NUMBER)
    await site.get(f"/reviews/{ID_NUMBER}/images/00000000-0000-4000-8000-000000000000")
    await site.post(f"/reviews/{ID_NUMBER}/decisions", {"outcome": "approved"})

    assert numbers == [None] * 4


async def test_the_number_of_an_application_that_one_may_see_stands_on_the_line(
    review: ReviewUnderTest, numbers: list[str | None]
) -> None:
    await review.has()
    site = await review.desk("site")
    numbers.clear()

    await site.claim()
    await site.sees()
    await site.get(f"/reviews/{NO}/images/00000000-0000-4000-8000-000000000000")
    await site.post(f"/reviews/{NO}/returns")

    assert numbers == [NO] * 4
