"""The audit trail: who saw and did what, from where; what was refused; and who may read it."""

import logging
from typing import Any
from uuid import uuid4

import pytest

from services.review.domain import Review, Role, Staff
from services.review.use_cases import audit
from services.review.use_cases.rows import line_of, write_history
from tests.builders.review import NO, PERSON, a_submission, an_image
from tests.review.conftest import ReviewUnderTest, Time

OTHER = "15012021000002"


async def lines_of(review: ReviewUnderTest, *acts: str) -> list[dict[str, Any]]:
    found = await review.rows("SELECT * FROM audit ORDER BY line_id")
    return [line for line in found if not acts or line["act"] in acts]


async def refusals(review: ReviewUnderTest) -> list[dict[str, Any]]:
    return [line for line in await lines_of(review) if line["outcome"] == "refused"]


def a_member(
    review: ReviewUnderTest, login: str = "admin", role: Role = "region_admin", region: str | None = None
) -> Staff:
    return Staff(review.people[login], login, login, role, region, None)


async def test_an_act_is_on_record_with_who_and_from_where(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    site.client.headers["User-Agent"] = "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36"

    await site.claim()

    (line,) = await lines_of(review, "claimed")
    assert (line["staff_id"], line["role"], line["outcome"]) == (site.staff_id, "site_reviewer", "done")
    assert (line["application_no"], line["region"], line["site"]) == (NO, "15", "1501")
    assert (line["address"], line["device"]) == ("127.0.0.1", "Chrome · Windows")
    assert (line["seq"], line["detail"]) == (None, {"round": 1, "revision": 1})


async def test_what_the_candidate_or_the_system_did_is_history_and_no_line(review: ReviewUnderTest) -> None:
    await review.has()

    assert len(await review.rows("SELECT 1 FROM history WHERE act = 'submitted'")) == 1
    assert await lines_of(review, "submitted") == []


async def test_what_a_reviewer_wrote_is_in_the_history_and_not_in_the_trail(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    await site.claim()

    await site.mark_returned(words="王小明的毕业证书看不清")

    (line,) = await lines_of(review, "marked")
    assert line["detail"] | {"round": 1} == {
        "item": "diploma", "mark": "return", "reason_code": "unreadable", "round": 1, "revision": 1,
    }  # fmt: skip
    assert "王小明" in str(await review.rows("SELECT detail FROM history WHERE act = 'marked'"))


async def test_an_act_that_is_rolled_back_leaves_no_line(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")

    answer = await site.mark_returned()

    assert answer.status_code == 409
    assert await lines_of(review, "marked") == []
    assert await refusals(review) == []


async def test_a_publication_is_one_act_and_names_no_application_in_the_trail(review: ReviewUnderTest) -> None:
    await review.has()
    async with review.service.sessions.begin() as session:
        found = await session.get(Review, NO)
        assert found is not None
        await write_history(session, line_of(found, "published", a_member(review)))

    assert await lines_of(review, "published") == []
    assert len(await review.rows("SELECT 1 FROM history WHERE act = 'published'")) == 1


async def test_opening_an_application_is_on_record_once_for_each_look(review: ReviewUnderTest, time: Time) -> None:
    await review.has()
    site = await review.desk("site")

    await site.sees()
    await site.sees()
    await site.claim()
    await site.sees()
    time.passes(minutes=2)
    await site.sees()

    opened = await lines_of(review, "opened")
    assert [line["detail"] for line in opened] == [{"claimed": False}, {"claimed": True}, {"claimed": True}]
    assert {line["staff_id"] for line in opened} == {site.staff_id}


async def test_two_people_who_look_are_two_lines(review: ReviewUnderTest) -> None:
    await review.has()

    for login in ("site", "region"):
        await (await review.desk(login)).sees()

    assert [line["role"] for line in await lines_of(review, "opened")] == ["site_reviewer", "region_reviewer"]


async def test_an_image_that_was_seen_is_on_record_once_an_hour(review: ReviewUnderTest, time: Time) -> None:
    image = an_image()
    await review.has(a_submission(images=(image,)))
    await review.service.app.state.edge.storage.put(image.object_key, b"picture", "image/jpeg")
    site = await review.desk("site")
    await site.claim()
    path = f"/reviews/{NO}/images/{image.image_id}"

    answers = [await site.get(path) for _ in range(2)]
    time.passes(minutes=61)
    late = await site.get(path)

    assert [answer.status_code for answer in answers] == [200, 200]
    assert late.status_code in {401, 409}
    (line,) = await lines_of(review, "image_seen")
    assert line["detail"] == {"image_id": str(image.image_id)}


async def test_a_refused_region_act_of_a_site_reviewer_is_on_record(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    await site.claim()

    answer = await site.post(f"/reviews/{NO}/decisions", {"outcome": "approved", "words": PERSON.name})

    assert answer.status_code == 403
    (line,) = await refusals(review)
    assert (line["act"], line["staff_id"], line["application_no"]) == ("decide", site.staff_id, NO)
    assert line["detail"] == {"asked": "POST /reviews/{application_no}/decisions", "code": "region-act"}
    assert (line["region"], line["site"], line["address"]) == ("15", "1501", "127.0.0.1")
    assert PERSON.name not in str(line)


@pytest.mark.parametrize("path", ["", "/images/00000000-0000-4000-8000-000000000000", "/registration-photo"])
async def test_another_region_s_application_does_not_exist_and_the_look_is_on_record(
    review: ReviewUnderTest, path: str
) -> None:
    await review.has()
    stranger = await review.desk("otherregion")

    answer = await stranger.get(f"/reviews/{NO}{path}")

    assert answer.status_code == 404
    assert answer.json()["code"] == "application-not-found"
    (line,) = await refusals(review)
    assert (line["staff_id"], line["application_no"], line["region"]) == (stranger.staff_id, NO, "15")
    assert line["detail"]["code"] == "application-not-found"


async def test_a_number_that_nobody_has_leaves_no_line(review: ReviewUnderTest) -> None:
    site = await review.desk("site")

    for number in ("15012021999999", "no-number", "<script>"):
        assert (await site.get(f"/reviews/{number}")).status_code == 404

    assert await refusals(review) == []


async def test_an_image_that_is_not_there_is_no_refusal_on_record(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    await site.claim()

    answer = await site.get(f"/reviews/{NO}/images/{uuid4()}")

    assert answer.status_code == 404
    assert await refusals(review) == []


async def test_who_hammers_is_written_down_once_a_minute(review: ReviewUnderTest, time: Time) -> None:
    await review.has()
    await review.has(application_no=OTHER)
    stranger = await review.desk("otherregion")

    for _ in range(5):
        await stranger.get(f"/reviews/{NO}")
    await stranger.get(f"/reviews/{OTHER}")
    time.passes(seconds=61)
    await stranger.get(f"/reviews/{NO}")

    assert [line["application_no"] for line in await refusals(review)] == [NO, OTHER, NO]


async def test_a_write_without_the_token_is_on_record(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    site.csrf = "wrong"

    answer = await site.claim()

    assert answer.status_code == 403
    (line,) = await refusals(review)
    assert (line["detail"]["code"], line["application_no"]) == ("csrf-token-wrong", NO)


async def test_a_closed_account_is_on_record_by_its_id(review: ReviewUnderTest) -> None:
    site = await review.desk("site")
    await review.execute("UPDATE staff SET active = false WHERE login = 'site'")

    answer = await site.get("/reviews")

    assert answer.status_code == 403
    (line,) = await refusals(review)
    assert (line["staff_id"], line["detail"]["code"]) == (site.staff_id, "account-closed")


async def test_where_the_line_can_t_be_written_the_answer_is_still_the_refusal(
    review: ReviewUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    await review.has()
    stranger = await review.desk("otherregion")
    said: list[str] = []

    async def broken(*_: object) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(audit, "refused", broken)
    monkeypatch.setattr("services.review.api.edge.log.error", lambda event, **_: said.append(event), raising=False)
    answer = await stranger.get(f"/reviews/{NO}")

    assert answer.status_code == 404
    assert said == ["audit.unwritten"]


async def test_no_personal_data_comes_into_the_trail(review: ReviewUnderTest, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await review.decided(words=f"{PERSON.name} {PERSON.id_number}")

    kept = str(await lines_of(review))

    assert PERSON.name not in kept
    assert PERSON.id_number not in kept
    assert PERSON.id_number not in caplog.text
