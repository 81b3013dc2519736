"""Candidates' images, streamed from the bucket to those who hold the application."""

from uuid import uuid4

from shared.storage import Storage
from tests.builders.review import NO, a_submission, an_image
from tests.review.conftest import ReviewUnderTest

BODY = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300


async def test_an_image_comes_as_it_was_handed_in_and_is_kept_nowhere(
    review: ReviewUnderTest, storage: Storage
) -> None:
    image = an_image(content_type="image/png", object_key=f"{NO}/{uuid4()}/review-test")
    await storage.put(image.object_key, BODY, "application/octet-stream")
    await review.has(a_submission(images=(image,)))
    site = await review.desk("site")
    await site.claim()
    shown = (await site.sees())["sections"][1]["items"][0]["images"][0]

    answer = await site.get(shown["url"])

    assert (answer.status_code, answer.content) == (200, BODY)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    await storage.delete(image.object_key)


async def test_without_a_claim_papers_stay_closed(review: ReviewUnderTest) -> None:
    image = an_image()
    await review.has(a_submission(images=(image,)))
    site, site2 = await review.desk("site"), await review.desk("site2")
    await site2.claim()

    answer = await site.get(f"/reviews/{NO}/images/{image.image_id}")

    assert (answer.status_code, answer.json()["code"]) == (409, "not-claimed")


async def test_an_image_that_is_not_there_is_404(review: ReviewUnderTest) -> None:
    gone = an_image(object_key=f"{NO}/{uuid4()}/never-written")
    await review.has(a_submission(images=(gone,)))
    site = await review.desk("site")
    await site.claim()

    answers = [
        await site.get(f"/reviews/{NO}/images/{gone.image_id}"),
        await site.get(f"/reviews/{NO}/images/{uuid4()}"),
    ]
    malformed = await site.get(f"/reviews/{NO}/images/..%2f..%2fetc")

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "image-not-found")}
    assert malformed.status_code in {404, 422}


async def test_another_application_s_image_is_404_even_under_a_claim(review: ReviewUnderTest) -> None:
    other = an_image()
    await review.has(a_submission("15010009", images=(other,)), application_no="15010009")
    await review.has()
    site = await review.desk("site")
    await site.claim()

    answer = await site.get(f"/reviews/{NO}/images/{other.image_id}")

    assert answer.status_code == 404


async def test_the_openapi_document_names_every_path(review: ReviewUnderTest) -> None:
    document = (await review.client.get("/openapi.json")).json()

    assert {
        "/audit", "/audit/seals", "/bulk-passes", "/exports/applications.{form}", "/exports/audit.{form}",
        "/exports/progress.{form}", "/progress", "/publications", "/publications/readiness",
        "/publications/{publication_id}", "/reviews", "/reviews/claims", "/reviews/counts", "/reviews/searches",
        "/reviews/{application_no}", "/reviews/{application_no}/acts/{act_id}", "/reviews/{application_no}/claim",
        "/reviews/{application_no}/decisions", "/reviews/{application_no}/false-material",
        "/reviews/{application_no}/history", "/reviews/{application_no}/id-number",
        "/reviews/{application_no}/images/{image_id}",
        "/reviews/{application_no}/items/{item}/mark", "/reviews/{application_no}/passes",
        "/reviews/{application_no}/registration-photo", "/reviews/{application_no}/returns",
        "/reviews/{application_no}/second-looks", "/reviews/{application_no}/send-backs", "/staff/identity",
        "/staff/login-options", "/staff/members", "/staff/members/{staff_id}", "/staff/oidc/callback",
        "/staff/oidc/login", "/staff/second-factor", "/staff/second-factor/confirmations",
        "/staff/second-factor/recovery-codes", "/staff/session",
    } == set(document["paths"])  # fmt: skip
