"""Searches: by number, whole name or ID number, within one's scope; nothing of what was typed is kept."""

import json

import pytest

from services.review.queries import search
from services.review.use_cases import lookups
from tests.builders.review import NO, PERSON, a_pack, a_registration, a_submission
from tests.review.conftest import Desk, ReviewUnderTest
from tests.review.lists import pages_found

OTHER = "15012021000002"
OTHER_SITES = "15022021000003"
OTHER_REGIONS = "43012021000004"
ELSE = PERSON.model_copy(update={"name": "阿依古丽·买买提", "id_number": "99999919910202123X"})


@pytest.fixture
async def known(review: ReviewUnderTest) -> ReviewUnderTest:
    """Four candidates: two of one site, one of another, and one of another region with the same name as the first."""
    await review.hears(
        a_pack(),
        a_registration(review.key_ring),
        a_registration(review.key_ring, OTHER, person=ELSE),
        a_registration(review.key_ring, OTHER_SITES, person=PERSON, site="1502"),
        a_registration(review.key_ring, OTHER_REGIONS, person=PERSON, region="43", site="4301"),
        a_submission(),
        a_submission(OTHER),
        a_submission(OTHER_SITES, site="1502"),
        a_submission(OTHER_REGIONS, region="43", site="4301"),
    )
    return review


async def found(desk: Desk, q: str) -> list[str]:
    answer = await desk.post("/reviews/searches", {"q": q})
    assert answer.status_code == 200, answer.text
    assert answer.json()["next"] is None
    return [row["application_no"] for row in answer.json()["items"]]


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        (NO, [NO]),
        (f" {NO} ", [NO]),
        ("150120", [NO, OTHER]),
        ("15012", []),
        ("999999199001011234", [NO, OTHER_SITES]),
        ("99999919910202123x", [OTHER]),
        ("999999199", []),
        ("王小明", [NO, OTHER_SITES]),
        ("王 小明", [NO, OTHER_SITES]),
        ("王小", []),
        ("阿依古丽•买买提", [OTHER]),
        ("13800005678", []),
        ("' OR 1=1 --", []),
        ("%%", []),
    ],
)
async def test_a_region_finds_by_number_or_its_beginning_whole_name_or_id_number(
    known: ReviewUnderTest, q: str, expected: list[str]
) -> None:
    region = await known.desk("region")

    assert await found(region, q) == expected


async def test_full_width_digits_are_the_same_digits(known: ReviewUnderTest) -> None:
    wide = PERSON.id_number.translate({ord("0") + n: ord("０") + n for n in range(10)})

    assert await found(await known.desk("region"), wide) == [NO, OTHER_SITES]


async def test_nothing_beyond_one_s_scope_is_found(known: ReviewUnderTest) -> None:
    site, other = await known.desk("site"), await known.desk("otherregion")

    assert await found(site, "王小明") == [NO]
    assert await found(site, OTHER_SITES) == []
    assert await found(other, "王小明") == [OTHER_REGIONS]
    assert await found(other, NO) == []


async def test_what_is_found_is_masked(known: ReviewUnderTest) -> None:
    site = await known.desk("site")

    answer = await site.post("/reviews/searches", {"q": PERSON.id_number})

    assert answer.json()["items"][0]["candidate_masked"] == {"name": "王**", "id_number": "999***********1234"}
    assert PERSON.name not in answer.text
    assert PERSON.id_number not in answer.text


async def test_a_search_is_written_down_by_its_kind_only(known: ReviewUnderTest) -> None:
    site = await known.desk("site")

    for q in (PERSON.id_number, PERSON.name, NO):
        await found(site, q)

    lines = await known.rows("SELECT * FROM audit WHERE act = 'searched' ORDER BY line_id")
    assert [(line["detail"], line["staff_id"]) for line in lines] == [
        ({"kind": kind}, known.people["site"]) for kind in ("id_number", "name", "number")
    ]
    kept = json.dumps([await known.rows(f"SELECT * FROM {table}") for table in ("audit", "idempotency_keys")],
                      default=str, ensure_ascii=False)  # fmt: skip
    assert PERSON.name not in kept
    assert PERSON.id_number not in kept


async def test_an_auditor_may_not_search(known: ReviewUnderTest) -> None:
    await known.execute("UPDATE staff SET role = 'auditor' WHERE login = 'region'")
    auditor = await known.desk("region")

    answer = await auditor.post("/reviews/searches", {"q": PERSON.name})

    assert answer.status_code == 403
    assert await known.rows("SELECT 1 FROM audit WHERE act = 'searched'") == []


@pytest.mark.parametrize(
    "body",
    [
        {"q": "1"}, {"q": " 1 "}, {"q": "x" * 61}, {}, {"q": "ab\x00"}, {"q": "王小明", "region": "43"},
        {"q": "王小明", "cursor": "x" * 201}, {"q": "王小明", "cursor": "不是"}, {"q": "王小明", "cursor": "JScg"},
    ],
)  # fmt: skip
async def test_a_search_asked_for_wrongly_is_422(review: ReviewUnderTest, body: dict[str, str]) -> None:
    answer = await (await review.desk("site")).post("/reviews/searches", body)

    assert answer.status_code == 422


async def numbered(review: ReviewUnderTest, count: int) -> list[str]:
    """So many applications of one site; their numbers."""
    await review.execute(
        """
        INSERT INTO reviews (application_no, region, site, year, pack_id, pack_version, route, facts, round, revision,
                             submitted_at, changed_items, state, tier)
        SELECT '150120' || n, '15', '1501', 2021, 'p', 1, 'online', '{}', 1, 1, now(), '{}', 'at_site', 'site'
        FROM generate_series(1000, 999 + CAST(:count AS int)) AS n
        """,
        count=count,
    )
    return [f"150120{1000 + n}" for n in range(count)]


async def test_what_is_found_comes_fifty_at_a_time_to_its_end(review: ReviewUnderTest) -> None:
    numbers = await numbered(review, 120)

    found = await pages_found(await review.desk("site"), "150120")

    assert found == [numbers[:50], numbers[50:100], numbers[100:]]


async def test_a_page_that_is_just_full_leads_nowhere(review: ReviewUnderTest) -> None:
    numbers = await numbered(review, 50)

    assert await pages_found(await review.desk("site"), "150120") == [numbers]


@pytest.mark.parametrize("q", [PERSON.name, PERSON.id_number, "15012"])
async def test_one_s_own_candidate_is_found_behind_more_of_others_than_are_looked_at_at_once(
    review: ReviewUnderTest, monkeypatch: pytest.MonkeyPatch, q: str
) -> None:
    monkeypatch.setattr(search, "LOOKED", 3)
    others = [f"1501202100000{n}" for n in range(7)]
    last = "15012021000009"
    await review.hears(
        a_pack(),
        # Two have registered, and handed in nothing.
        *(a_registration(review.key_ring, number, region="43", site="4301") for number in others),
        *(a_submission(number, region="43", site="4301") for number in others[2:]),
        a_registration(review.key_ring, last),
        a_submission(last),
    )
    desk = await review.desk("site")

    found = await pages_found(desk, q if q != "15012" else "150120")

    assert [number for page in found for number in page] == [last]
    assert len(found) > 1


async def test_each_page_of_a_search_is_on_record_and_a_further_one_as_such(review: ReviewUnderTest) -> None:
    await numbered(review, 120)
    site = await review.desk("site")

    await pages_found(site, "150120")

    lines = await review.rows("SELECT detail FROM audit WHERE act = 'searched' ORDER BY line_id")
    assert [line["detail"] for line in lines] == [
        {"kind": "number"}, {"kind": "number", "further": True}, {"kind": "number", "further": True},
    ]  # fmt: skip


async def test_hashes_follow_a_newer_registration(known: ReviewUnderTest) -> None:
    await known.hears(a_registration(known.key_ring, revision=2, person=ELSE))
    site = await known.desk("site")

    assert await found(site, "王小明") == []
    assert await found(site, ELSE.name) == [NO, OTHER]


async def test_registrations_from_before_there_were_hashes_are_filled_in_by_and_by(
    known: ReviewUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "BATCH", 2)
    await known.execute("UPDATE applications SET id_number_hash = NULL, name_hash = NULL")
    await known.execute("UPDATE applications SET sealed = jsonb_set(sealed, '{nonce}', '\"AAAAAAAAAAAAAAAA\"') "
                        "WHERE application_no = :no", no=OTHER)  # fmt: skip
    await known.hears(a_registration(None, OTHER_SITES, revision=2))
    site = await known.desk("site")
    before = await found(site, "王小明")

    await lookups.fill_in(known.service.sessions, known.service.app.state.edge.lookup)

    assert (before, await found(site, "王小明")) == ([], [NO])
    # What can't be opened is not looked at for ever.
    left = await known.rows("SELECT 1 FROM applications WHERE id_number_hash IS NULL")
    assert left == []


async def test_hashes_are_keyed_and_hide_what_they_are_of(known: ReviewUnderTest) -> None:
    rows = await known.rows("SELECT id_number_hash, name_hash FROM applications WHERE application_no = :no", no=NO)

    hashes = [bytes(value) for value in rows[0].values()]
    assert [len(value) for value in hashes] == [32, 32]
    assert hashes[0] != hashes[1]
