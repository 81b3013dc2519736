"""The registration photo: kept with the application, streamed to those who hold it."""

from datetime import timedelta
from uuid import uuid4

from shared.storage import Storage
from tests.builders.review import NO, START, a_photo, a_submission
from tests.review.conftest import ReviewUnderTest

BODY = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 100
URL = f"/reviews/{NO}/registration-photo"


async def test_the_photo_comes_as_it_was_handed_in_and_is_kept_nowhere(
    review: ReviewUnderTest, storage: Storage
) -> None:
    photo = a_photo(f"{NO}/{uuid4()}/review-test")
    await storage.put(photo.object_key, BODY, "application/octet-stream")
    await review.has(a_submission(registration_photo=photo))
    site = await review.desk("site")
    await site.claim()
    shown = (await site.sees())["registration_photo"]

    answer = await site.get(shown["url"])

    assert shown == {"url": URL, "accepted_at": "2021-03-01T01:00:00Z"}
    assert (answer.status_code, answer.content) == (200, BODY)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    await storage.delete(photo.object_key)


async def test_without_a_claim_the_photo_stays_closed(review: ReviewUnderTest) -> None:
    await review.has(a_submission(registration_photo=a_photo()))
    site, site2, elsewhere = [await review.desk(login) for login in ("site", "site2", "othersite")]
    await site2.claim()

    answer, hidden = await site.get(URL), await elsewhere.get(URL)

    assert (answer.status_code, answer.json()["code"]) == (409, "not-claimed")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "application-not-found")


async def test_an_application_without_a_photo_shows_none(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    await site.claim()

    answer = await site.get(URL)

    assert (await site.sees())["registration_photo"] is None
    assert (answer.status_code, answer.json()["code"]) == (404, "photo-not-found")


async def test_a_photo_that_was_not_kept_is_404(review: ReviewUnderTest) -> None:
    await review.has(a_submission(registration_photo=a_photo(f"{NO}/{uuid4()}/never-written")))
    site = await review.desk("site")
    await site.claim()

    answer = await site.get(URL)

    assert (answer.status_code, answer.json()["code"]) == (404, "photo-not-found")


async def test_the_photo_is_that_of_the_last_submission(review: ReviewUnderTest) -> None:
    later = START + timedelta(days=3)
    await review.has(a_submission(registration_photo=a_photo()))
    site = await review.desk("site")

    await review.hears(a_submission(round_no=2, registration_photo=a_photo("another/key", at=later)))
    replaced = (await site.sees())["registration_photo"]
    await review.hears(a_submission(round_no=1, registration_photo=a_photo()))
    overtaken = (await site.sees())["registration_photo"]
    await review.hears(a_submission(round_no=3))

    assert replaced["accepted_at"] == "2021-03-04T01:00:00Z"
    assert overtaken == replaced
    assert (await site.sees())["registration_photo"] is None
