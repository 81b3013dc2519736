"""Who may do what, route by route: the operator reads and acts on nothing, an auditor opens no application."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.builders.review import NO, a_registration, a_submission
from tests.review.conftest import Desk, ReviewUnderTest

ELSEWHERE = "43012021000001"
_ACTS: list[tuple[str, str, Any]] = [
    ("PUT", f"/reviews/{NO}/claim", None),
    ("DELETE", f"/reviews/{NO}/claim", None),
    ("POST", "/reviews/claims", {}),
    ("PUT", f"/reviews/{NO}/items/diploma/mark", {"mark": "accept"}),
    ("DELETE", f"/reviews/{NO}/items/diploma/mark?revision=1", None),
    ("POST", f"/reviews/{NO}/returns", {}),
    ("POST", f"/reviews/{NO}/passes", {}),
    ("POST", f"/reviews/{NO}/send-backs", {"words": "请再看"}),
    ("POST", f"/reviews/{NO}/decisions", {"outcome": "approved"}),
    ("POST", "/publications", {"region": "15", "year": 2021}),
    ("POST", "/staff/members", {"login": "x", "display_name": "x", "role": "auditor", "password": "long-enough"}),
    ("PUT", "/staff/members/00000000-0000-4000-8000-000000000001", {"active": False}),
]
_IDS = [f"{method} {path.replace(NO, 'NO')[:32]}" for method, path, _ in _ACTS]
# Neither of these needs to be logged in.
_OPEN = {"/staff/login-options", "/staff/session", "/staff/oidc/login", "/staff/oidc/callback"}


async def national(review: ReviewUnderTest, role: str) -> Desk:
    """The desk of one of the nation's own staff."""
    await review.execute("UPDATE staff SET role = :role, region = NULL WHERE login = 'otherregion'", role=role)
    return await review.desk("otherregion")


async def ask(desk: Desk, method: str, path: str, body: Any) -> httpx.Response:
    headers = {"X-CSRF-Token": desk.csrf, "Idempotency-Key": str(uuid4())}
    return await desk.client.request(method, path, json=body, headers=headers)


@pytest.mark.parametrize(("method", "path", "body"), _ACTS, ids=_IDS)
@pytest.mark.parametrize("role", ["national_operator", "auditor"])
async def test_those_who_only_read_are_refused_every_act(
    review: ReviewUnderTest, role: str, method: str, path: str, body: Any
) -> None:
    await review.passed()
    desk = await national(review, role)
    held = "SELECT state, claimed_by, revision, opinion FROM reviews"
    before = await review.rows(held)

    answer = await ask(desk, method, path, body)

    assert answer.status_code == 403, answer.text
    assert await review.rows(held) == before


async def test_the_operator_reads_every_region_and_names_stay_masked(review: ReviewUnderTest) -> None:
    await review.has()
    await review.has(a_submission(ELSEWHERE, region="43", site="4301"), application_no=ELSEWHERE)
    await review.hears(a_registration(review.key_ring, ELSEWHERE, region="43", site="4301", revision=2))
    operator = await national(review, "national_operator")

    details = [await operator.sees(number) for number in (NO, ELSEWHERE)]

    assert {detail["candidate"]["name"] for detail in details} == {"王**"}
    assert {detail["candidate"]["id_number_masked"] for detail in details} == {"999***********1234"}


async def test_the_operator_opens_no_image(review: ReviewUnderTest) -> None:
    submission = a_submission()
    await review.has(submission)
    operator = await national(review, "national_operator")

    image = await operator.get(f"/reviews/{NO}/images/{submission.images[0].image_id}")
    photo = await operator.get(f"/reviews/{NO}/registration-photo")

    assert {image.status_code, photo.status_code} <= {403, 404, 409}


async def test_for_an_auditor_there_are_no_applications(review: ReviewUnderTest) -> None:
    await review.has()
    auditor = await national(review, "auditor")

    detail, queue = await auditor.get(f"/reviews/{NO}"), await auditor.get("/reviews")

    assert (detail.status_code, detail.json()["code"]) == (404, "application-not-found")
    assert queue.status_code == 403


async def test_a_region_s_auditor_sees_none_of_the_region_s_applications_either(review: ReviewUnderTest) -> None:
    await review.has()
    await review.execute("UPDATE staff SET role = 'auditor' WHERE login = 'region'")
    auditor = await review.desk("region")

    assert (await auditor.get(f"/reviews/{NO}")).status_code == 404
    assert (await auditor.get("/reviews")).status_code == 403
    assert (await auditor.claim()).status_code == 403


async def test_a_saved_answer_is_not_for_those_whose_role_is_gone(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    key = str(uuid4())
    first = await site.post("/reviews/claims", {}, key=key)

    await review.execute("UPDATE staff SET role = 'auditor', site = NULL WHERE login = 'site'")
    again = await site.post("/reviews/claims", {}, key=key)

    assert (first.status_code, again.status_code) == (201, 403)


async def test_no_route_answers_who_is_not_logged_in(review: ReviewUnderTest) -> None:
    paths = review.service.app.openapi()["paths"]
    asked = [(method, path) for path, methods in paths.items() for method in methods if path not in _OPEN]

    for method, path in asked:
        address = path.format_map(_Anything())
        answer = await review.client.request(
            method.upper(), address, json={}, headers={"Idempotency-Key": str(uuid4())}
        )

        # A body that is not as it should be is refused before anybody is asked who they are; it tells nothing.
        assert answer.status_code in {401, 422}, (method, path, answer.text)
    assert len(asked) > 20


class _Anything(dict[str, str]):
    """Something for every part of a path."""

    def __missing__(self, name: str) -> str:
        return NO if name == "application_no" else "diploma" if name == "item" else str(uuid4())


async def test_the_ways_in_are_named_before_anybody_is_logged_in(review: ReviewUnderTest) -> None:
    answer = await review.client.get("/staff/login-options")

    assert answer.json() == {"local": True, "oidc": None}


async def test_a_site_s_code_that_another_region_has_too_opens_nothing_of_it(review: ReviewUnderTest) -> None:
    await review.has()
    await review.execute("UPDATE staff SET region = '43' WHERE login = 'othersite'")
    await review.execute("UPDATE staff SET site = '1501' WHERE login = 'othersite'")
    desk = await review.desk("othersite")

    listed = await desk.queue()
    answer = await desk.post("/reviews/claims")

    assert (listed, answer.status_code, answer.json()["code"]) == ([], 404, "queue-empty")


@pytest.mark.parametrize("act", ["returns", "send-backs", "decisions", "second-looks", "passes"])
async def test_a_revision_that_no_application_can_have_is_422(review: ReviewUnderTest, act: str) -> None:
    await review.passed()
    desk = await review.desk("site" if act == "passes" else "region")
    await desk.claim()
    more = {"send-backs": {"words": "x"}, "decisions": {"outcome": "approved"}, "second-looks": {"agree": True}}

    answer = await desk.post(f"/reviews/{NO}/{act}", {"revision": 2**31, **more.get(act, {})})

    assert answer.status_code == 422
