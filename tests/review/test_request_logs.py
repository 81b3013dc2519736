"""What review writes down of a request: a number only once it is that of an application that the asker may see."""

from typing import Any

from tests.builders.review import NO
from tests.review.conftest import ReviewUnderTest

Lines = list[dict[str, Any]]
ID_NUMBER = "999999199001011238"


def numbers_on(lines: Lines) -> list[str | None]:
    return [line.get("application_no") for line in lines]


async def test_a_number_in_the_address_that_opens_nothing_is_not_written_down(
    review: ReviewUnderTest, request_lines: Lines
) -> None:
    site = await review.desk("site")
    request_lines.clear()

    await site.get(f"/reviews/{ID_NUMBER}")
    await site.claim(ID_NUMBER)
    await site.get(f"/reviews/{ID_NUMBER}/images/00000000-0000-4000-8000-000000000000")
    await site.post(f"/reviews/{ID_NUMBER}/decisions", {"outcome": "approved"})

    assert numbers_on(request_lines) == [None] * 4


async def test_the_number_of_an_application_that_one_may_see_stands_on_the_line(
    review: ReviewUnderTest, request_lines: Lines
) -> None:
    await review.has()
    site = await review.desk("site")
    request_lines.clear()

    await site.claim()
    await site.sees()
    await site.get(f"/reviews/{NO}/images/00000000-0000-4000-8000-000000000000")
    await site.post(f"/reviews/{NO}/returns")

    assert numbers_on(request_lines) == [NO] * 4
