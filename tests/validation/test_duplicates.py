"""The same picture twice: under one candidate a finding, under two candidates advice for staff alone."""

import pytest

from services.validation.quality.similar import distance, is_near
from shared.contracts.validation import MaterialChecked, MaterialRead
from tests.builders.papers import a_paper
from tests.validation.conftest import Validation, a_removal

OTHER = "2021110002"


async def test_the_same_bytes_in_another_slot_are_shown_to_staff_and_may_stay(validation: Validation) -> None:
    first = await validation.is_given(a_paper(), "diploma")
    second = await validation.is_given(a_paper(), "degree")

    await validation.hears(first)
    await validation.hears(second)

    told = await validation.told()
    assert told[first.image_id].verdict == "accept"
    [finding] = told[second.image_id].findings
    assert (told[second.image_id].verdict, finding.code, finding.other_item) == ("review", "duplicate", "diploma")


async def test_the_same_paper_saved_anew_is_near_to_it(validation: Validation) -> None:
    first = await validation.is_given(a_paper(quality=92), "diploma")
    second = await validation.is_given(a_paper(quality=70), "degree")

    await validation.hears(first, second)

    told = await validation.told()
    [finding] = told[second.image_id].findings
    assert (finding.code, finding.severity, finding.other_item) == ("near_duplicate", "review", "diploma")
    assert finding.measured is not None
    assert finding.limit is not None
    assert finding.measured <= finding.limit


async def test_different_papers_of_one_candidate_are_no_duplicates(validation: Validation) -> None:
    given = [await validation.is_given(a_paper(number)) for number in range(1, 7)]

    await validation.hears(*given)

    assert {each.verdict for each in (await validation.told()).values()} == {"accept"}


async def test_a_removed_image_is_compared_with_no_longer(validation: Validation) -> None:
    first = await validation.is_given(a_paper())
    await validation.hears(first)
    await validation.hears(a_removal(first))

    again = await validation.is_given(a_paper())
    await validation.hears(again)

    assert (await validation.told())[again.image_id].findings == ()


async def test_a_further_look_at_an_image_does_not_find_itself(validation: Validation) -> None:
    upload = await validation.is_given(a_paper())
    await validation.hears(upload)

    await validation.hears(upload.model_copy(update={"event_id": upload.image_id}))

    first, second = await validation.tells(MaterialChecked)
    assert (first.check_no, second.check_no) == (1, 2)
    assert second.findings == ()


async def test_a_look_alike_of_another_candidate_is_nobodys_duplicate(validation: Validation) -> None:
    await validation.hears(await validation.is_given(a_paper(quality=92)))
    other = await validation.is_given(a_paper(quality=70), application_no=OTHER)

    await validation.hears(other)

    assert (await validation.told())[other.image_id].verdict == "accept"
    assert await validation.tells(MaterialRead) == []


async def test_the_same_bytes_under_another_candidate_are_told_to_staff_of_both_and_to_no_candidate(
    validation: Validation,
) -> None:
    mine = await validation.is_given(a_paper(), "diploma", region="15")
    theirs = await validation.is_given(a_paper(), "degree", application_no=OTHER, region="43")

    await validation.hears(mine)
    await validation.hears(theirs)

    checked = await validation.told()
    assert {each.verdict for each in checked.values()} == {"accept"}
    assert {finding.code for each in checked.values() for finding in each.findings} == set()
    told = {each.image_id: each for each in await validation.tells(MaterialRead)}
    assert told.keys() == {mine.image_id, theirs.image_id}
    assert {each.about for each in told.values()} == {"copies"}
    [of_mine], [of_theirs] = told[mine.image_id].copies, told[theirs.image_id].copies
    assert (of_mine.application_no, of_mine.region, of_mine.item) == (OTHER, "43", "degree")
    assert (of_theirs.application_no, of_theirs.region, of_theirs.item) == ("2021110001", "15", "diploma")


async def test_each_further_copy_is_told_with_a_higher_number(validation: Validation) -> None:
    numbers = ("2021110001", OTHER, "2021110003")
    given = [await validation.is_given(a_paper(), application_no=number) for number in numbers]
    for each in given:
        await validation.hears(each)

    told = [each for each in await validation.tells(MaterialRead) if each.image_id == given[0].image_id]

    assert [each.read_no for each in told] == [1, 2]
    assert {copy.application_no for copy in told[-1].copies} == {OTHER, "2021110003"}


async def test_of_bytes_that_many_hand_in_the_newest_is_told_of_twenty_and_the_first_no_longer(
    validation: Validation,
) -> None:
    numbers = [f"20211200{number:02d}" for number in range(26)]
    given = [await validation.is_given(a_paper(), application_no=number) for number in numbers]
    for each in given:
        await validation.hears(each)

    told = await validation.tells(MaterialRead)

    last = [each for each in told if each.image_id == given[-1].image_id]
    assert [len(each.copies) for each in last] == [20]
    first = [each for each in told if each.image_id == given[0].image_id]
    assert [each.read_no for each in first] == list(range(1, 21))
    assert len(first[-1].copies) == 20


async def test_copies_in_one_batch_are_told_once(validation: Validation) -> None:
    given = [await validation.is_given(a_paper(), application_no=number) for number in ("2021110001", OTHER)]

    await validation.hears(*given)
    await validation.hears(*given)

    told = await validation.tells(MaterialRead)
    assert sorted((each.image_id, each.read_no) for each in told) == sorted((each.image_id, 1) for each in given)


@pytest.mark.parametrize(("bits", "near"), [(0, True), (7, True), (8, False), (128, False)])
def test_fingerprints_are_near_up_to_three_bits_in_a_hundred(bits: int, near: bool) -> None:
    one = bytes(32)
    other = int.to_bytes((1 << bits) - 1, 32)

    assert distance(one, other) == bits / 256
    assert (is_near(one, other) is not None) is near


def test_what_was_not_seen_is_near_to_nothing() -> None:
    assert is_near(None, bytes(32)) is None
    assert is_near(bytes(32), None) is None
