"""One application on one screen: what it says besides the items, in how few statements, and what it refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import event

from shared.contracts.rules import RulesPublished, Text, Window, Windows
from tests.builders.review import (
    NO,
    a_pack,
    a_reading,
    a_registration,
    a_submission,
    an_image,
    read,
    seen_under,
    some_copies,
)
from tests.review.conftest import Desk, ReviewUnderTest

# A version of its own: a process keeps every version that it has read.
FULL = 23
ORDERED = 24


def full_rules() -> RulesPublished:
    """Rules that use what a pack may have for the screen."""
    more: dict[str, Any] = {
        "watermark": True,
        "windows": Windows(review=Window(opens=datetime(2021, 3, 1), closes=datetime(2021, 4, 20, 17))),  # noqa: DTZ001
        "reasons": {
            "missing": Text(
                zh="{region}{site}：缺少“{item}”，请于{deadline}前补充。",
                en="{site}, {region}: “{item}” is missing. Add it before {deadline}.",
            ),
            "incomplete": Text(zh="“{item}”请补拍第 {page} 页。", en="Add page {page} of “{item}”."),
        },
    }
    return RulesPublished(pack=a_pack(FULL).pack.model_copy(update=more))


async def under_full_rules(review: ReviewUnderTest) -> Desk:
    await review.hears(full_rules(), a_registration(review.key_ring))
    await review.hears(a_submission(pack_version=FULL))
    site = await review.desk("site")
    await site.claim()
    return site


@contextmanager
def counted(review: ReviewUnderTest) -> Iterator[list[str]]:
    """The statements that were sent meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    engine = review.service.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_reasons_come_with_region_site_and_deadline_filled_in_and_the_item_left_to_the_page(
    review: ReviewUnderTest,
) -> None:
    site = await under_full_rules(review)

    reasons = {reason["code"]: reason["words"] for reason in (await site.sees())["reasons"]}

    assert reasons["missing"] == {
        "zh": "内蒙古考区呼和浩特考点：缺少“{item}”，请于2021-04-20 17:00前补充。",
        "en": "呼和浩特考点, 内蒙古考区: “{item}” is missing. Add it before 2021-04-20 17:00.",
    }
    assert reasons["incomplete"]["zh"] == "“{item}”请补拍第 {page} 页。"


async def test_reasons_stand_in_the_order_of_the_pack(review: ReviewUnderTest) -> None:
    wrong = Text(zh="不符合要求", en="not as required")
    order = ["unreadable", "missing", "incomplete", "bare", "expired"]
    pack = a_pack(ORDERED).pack.model_copy(update={"reasons": dict.fromkeys(order, wrong)})
    await review.hears(RulesPublished(pack=pack), a_registration(review.key_ring))
    await review.hears(a_submission(pack_version=ORDERED))
    site = await review.desk("site")

    reasons = (await site.sees())["reasons"]

    assert [reason["code"] for reason in reasons] == order


async def test_words_with_an_open_place_are_not_told_to_a_candidate(review: ReviewUnderTest) -> None:
    site = await under_full_rules(review)

    refused = await site.mark_returned(reason_code="missing", words="缺少“{item}”，请补充。")
    filled = await site.mark_returned(reason_code="missing", words="缺少“毕业证书”{见说明}，请补充。")

    assert (refused.status_code, refused.json()["code"]) == (422, "words-unfinished")
    assert filled.status_code == 200


async def test_a_return_whose_blanks_are_not_filled_in_is_refused_and_says_which(review: ReviewUnderTest) -> None:
    site = await under_full_rules(review)
    words = "“毕业证书”请补拍第 {page} 页的{what}，共 {page} 页。"

    refused = await site.mark_returned(reason_code="incomplete", words=words)
    half = await site.mark_returned(reason_code="incomplete", words=words.replace("{page}", "2"))
    nothing = await site.post(f"/reviews/{NO}/returns")
    filled = await site.mark_returned(reason_code="incomplete", words="“毕业证书”请补拍第 2 页。")

    assert (refused.status_code, refused.json()["code"]) == (422, "words-unfinished")
    assert refused.json()["places"] == ["{page}", "{what}"]
    assert "{page}、{what}" in refused.json()["detail"]
    assert "Type over each" in refused.json()["detail_en"]
    assert (half.status_code, half.json()["places"]) == (422, ["{what}"])
    assert (nothing.status_code, nothing.json()["code"]) == (422, "nothing-marked")
    assert (filled.status_code, filled.json()["words"]) == (200, "“毕业证书”请补拍第 2 页。")


async def test_the_watermark_is_the_viewer_s_where_the_pack_asks_for_it(review: ReviewUnderTest) -> None:
    site = await under_full_rules(review)
    await review.has(application_no="15010002")

    shown = [await site.sees(), await (await review.desk("region")).sees(), await site.sees("15010002")]

    assert [each["watermark"] for each in shown] == ["审核员 site site", "审核员 region region", None]


async def test_a_screen_costs_the_same_few_statements_with_many_images_and_lines(review: ReviewUnderTest) -> None:
    images = tuple(an_image("diploma") for _ in range(20))
    await review.has(a_submission(images=images))
    site = await review.desk("site")
    await site.claim()
    await review.hears(
        *(a_reading(review.key_ring, image, read("name", "王小明")) for image in images),
        *(some_copies(image, seen_under("15019999")) for image in images),
    )
    for _ in range(5):
        await site.mark_returned()

    with counted(review) as sent:
        shown = await site.sees()

    assert len(shown["sections"][1]["items"][0]["images"]) == 20
    assert len(shown["history"]) == 7
    # The session, who it is, the application, its images, all beside them, whose copies they are, the audit's line.
    assert len([each for each in sent if "reviews" in each or "history" in each or "images" in each]) <= 5
    assert len(sent) <= 8, "\n".join(sent)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("decisions", {"outcome": "rejected", "words": "不"}),
        ("returns", {}),
        ("send-backs", {"words": "再看看"}),
        ("second-looks", {"agree": True, "words": ""}),
        ("false-material", {"words": "不符"}),
    ],
)
async def test_nothing_is_done_any_more_with_what_is_published(
    review: ReviewUnderTest, path: str, body: dict[str, Any]
) -> None:
    await review.decided()
    published = await (await review.desk("admin")).post("/publications", {"region": "15", "year": 2021})
    region = await review.desk("region")

    answer = await region.post(f"/reviews/{NO}/{path}", body)
    claim = await region.claim()

    assert published.status_code == 201
    assert {(each.status_code, each.json()["code"]) for each in (answer, claim)} == {(409, "published-already")}


async def test_who_only_reads_acts_on_nothing(review: ReviewUnderTest) -> None:
    await review.has()
    await review.execute("UPDATE staff SET role = 'national_operator', region = NULL WHERE login = 'admin'")
    operator = await review.desk("admin")

    answers = [
        await operator.claim(),
        await operator.mark_returned(),
        await operator.post(f"/reviews/{NO}/returns"),
        await operator.post(f"/reviews/{NO}/false-material", {"words": "不符"}),
        await operator.post("/bulk-passes", {"applications": [{"application_no": NO, "revision": 1}]}),
    ]

    assert (await operator.sees())["state"] == "at_site"
    assert [answer.status_code for answer in answers] == [403] * 5
    assert {answer.json()["code"] for answer in answers} == {"review-act"}
