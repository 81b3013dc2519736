"""The whole ID number: under one's own claim, and on record."""

from uuid import uuid4

from tests.builders.review import NO, PERSON, a_pack, a_registration, a_submission
from tests.review.conftest import ReviewUnderTest

REVEAL = f"/reviews/{NO}/id-number"


async def test_who_holds_the_application_sees_the_number_and_that_is_on_record(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    await site.claim()

    answer = await site.post(REVEAL)

    assert answer.status_code == 201, answer.text
    assert answer.json() == {"id_number": PERSON.id_number, "phone": PERSON.phone}
    assert answer.headers["cache-control"] == "private, no-store"
    (line,) = await review.rows("SELECT * FROM audit WHERE act = 'id_number_seen'")
    assert (line["staff_id"], line["application_no"], line["site"]) == (site.staff_id, NO, "1501")
    assert PERSON.id_number not in str(line)
    assert PERSON.phone not in str(line)


async def test_without_a_claim_it_stays_hidden_and_nothing_is_noted(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")

    answer = await site.post(REVEAL)

    assert answer.status_code == 409
    assert answer.json()["code"] == "not-claimed"
    assert PERSON.id_number not in answer.text
    assert await review.rows("SELECT 1 FROM audit WHERE act = 'id_number_seen'") == []


async def test_another_s_claim_is_not_enough(review: ReviewUnderTest) -> None:
    await review.has()
    await (await review.desk("site")).claim()

    answer = await (await review.desk("site2")).post(REVEAL)

    assert answer.status_code == 409


async def test_asking_twice_is_noted_twice_and_kept_nowhere(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    await site.claim()
    key = str(uuid4())

    answers = [await site.post(REVEAL, key=key) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert len(await review.rows("SELECT 1 FROM audit WHERE act = 'id_number_seen'")) == 2
    assert PERSON.id_number not in str(await review.rows("SELECT * FROM idempotency_keys"))


async def test_what_was_never_heard_of_a_candidate_is_not_there(review: ReviewUnderTest) -> None:
    await review.hears(a_pack(), a_submission())
    site = await review.desk("site")
    await site.claim()

    answer = await site.post(REVEAL)

    assert answer.status_code == 404
    assert answer.json()["code"] == "person-not-kept"


async def test_a_damaged_row_is_not_there_and_breaks_nothing(review: ReviewUnderTest) -> None:
    await review.hears(a_pack(), a_registration(review.key_ring), a_submission())
    await review.execute("UPDATE applications SET sealed = jsonb_set(sealed, '{nonce}', '\"AAAAAAAAAAAAAAAA\"')")
    site = await review.desk("site")
    await site.claim()

    answer = await site.post(REVEAL)

    assert answer.status_code == 404


async def test_a_body_with_something_in_it_is_refused(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    await site.claim()

    answer = await site.post(REVEAL, {"all": True})

    assert answer.status_code == 422
