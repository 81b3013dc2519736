"""The state machine: every move that the table allows, and none besides."""

from datetime import timedelta
from uuid import uuid4

import pytest

from services.review.domain import MOVES, QUEUE, Heard, Mark, Review, Staff, State
from shared.errors import Conflict, Invalid
from shared.security.masking import mask_id_number, mask_name, mask_phone
from tests.builders.review import START, a_reopening, a_submission

LEASE = timedelta(minutes=15)
SITE = Staff(uuid4(), "site", "考点", "site_reviewer", "15", "1501")
REGION = Staff(uuid4(), "region", "考区", "region_reviewer", "15", None)


def a_review(state: State = State.AT_SITE) -> Review:
    review = Review.begun_by(a_submission())
    review.state = state
    review.tier = "region" if state in {State.AT_REGION, State.DECIDED} else "site"
    review.opinion = "approved" if state is State.DECIDED else None
    return review


def test_every_state_has_its_moves() -> None:
    assert set(MOVES) == set(State)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize(
    ("target", "move"),
    [
        (State.RETURNED, lambda review: review.return_items(SITE, [Mark("diploma", "return", "missing", "缺")], START)),
        (State.AT_REGION, lambda review: review.pass_on(SITE, [], START)),
        (State.AT_SITE, lambda review: review.send_back(START)),
        (State.DECIDED, lambda review: review.decide("approved", "", [], START)),
    ],
)
def test_a_move_that_the_table_does_not_name_is_refused_and_changes_nothing(state, target, move) -> None:
    review = a_review(state)

    if target in MOVES[state]:
        move(review)
        assert review.state is target
    else:
        with pytest.raises(Conflict):
            move(review)
        assert review.state is state


def test_a_move_returns_its_event_and_ends_the_claim() -> None:
    review = a_review()
    review.claim(SITE, START, LEASE)

    told = review.pass_on(SITE, [], START)

    assert (told.outcome, told.tier, told.round, told.revision) == ("passed_site", "site", 1, 1)
    assert (review.state, review.tier, review.claimed_by) == (State.AT_REGION, "region", None)


@pytest.mark.parametrize(
    ("state", "comes_back_to"), [(State.AT_SITE, State.AT_SITE), (State.AT_REGION, State.AT_REGION)]
)
def test_a_resubmission_goes_to_the_tier_that_returned_it(state: State, comes_back_to: State) -> None:
    review = a_review(state)
    staff = SITE if state is State.AT_SITE else REGION
    review.return_items(staff, [Mark("diploma", "return", "missing", "缺")], START)

    heard = review.resubmit(a_submission(round_no=2))
    review.let_in()

    assert heard is Heard.NEW
    assert review.state is comes_back_to


def test_an_opinion_is_void_when_a_higher_revision_comes_but_not_once_it_is_published() -> None:
    unpublished, published = a_review(State.DECIDED), a_review(State.DECIDED)
    published.publication_id, published.published_at = uuid4(), START

    heard = unpublished.reopen(a_reopening()), published.reopen(a_reopening())

    assert heard == (Heard.NEW, Heard.LATE)
    assert (unpublished.state, unpublished.opinion) == (State.RETURNED, None)
    assert (published.state, published.opinion, published.revision) == (State.DECIDED, "approved", 1)


def test_more_items_than_one_feedback_takes_are_refused() -> None:
    marks = [Mark(f"item_{'x' * number}", "return", "missing", "缺") for number in range(61)]

    with pytest.raises(Invalid):
        a_review().return_items(SITE, marks, START)


@pytest.mark.parametrize("state", [state for state in State if state not in QUEUE.values()])
def test_what_waits_at_no_tier_can_not_be_claimed_and_the_refusal_says_why(state: State) -> None:
    for staff in (SITE, REGION):
        with pytest.raises(Conflict) as caught:
            a_review(state).claim(staff, START, LEASE)

        assert caught.value.code == "not-in-your-queue"
        assert caught.value.extra == {"state": state.value}


def test_masks_leave_enough_to_tell_two_people_apart_and_no_more() -> None:
    assert [mask_name(name) for name in ("王小明", "王", "")] == ["王**", "王*", "*"]
    assert mask_id_number("999999199001011234") == "999***********1234"
    assert mask_id_number("E12345678") == "E******78"
    assert [mask_phone(phone) for phone in ("13800005678", "110")] == ["138****5678", "***"]
