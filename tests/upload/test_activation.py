"""The first login links the account; until then a right password gets no further."""

import pytest
from sqlalchemy import text

from services.upload.accounts import CandidateAccount, import_candidates
from shared.security.passwords import hash_now
from tests.builders.events import PERSON, a_registration
from tests.upload.conftest import NUMBER, PASSWORD, Upload
from tests.upload.people import a_captcha, another_than

NEW = "2021110002"
NEW_PERSON = PERSON.model_copy(update={"id_number": "110101199003070011"})


@pytest.fixture
async def newcomer(upload: Upload) -> Upload:
    """Upload with a second candidate, who never logged in; nobody is logged in."""
    await upload.hears(a_registration(upload.keys, NEW, person=NEW_PERSON))
    async with upload.service.sessions.begin() as session:
        await import_candidates(session, [CandidateAccount(NEW, hash_now(PASSWORD))])
    upload.client.cookies.clear()
    return upload


async def _activates(upload: Upload, login: str = NEW, password: str = PASSWORD, **captcha: str) -> object:
    answered = captcha or await a_captcha(upload)
    body = {"login": login, "password": password, "captcha": answered}
    return await upload.client.post("/candidate/activation", json=body)


async def test_the_first_login_needs_an_activation(newcomer: Upload) -> None:
    before = await newcomer.log_in(NEW)
    activated = await _activates(newcomer)
    page = await newcomer.client.get(f"/applications/{NEW}")
    newcomer.client.cookies.clear()
    later = await newcomer.log_in(NEW)

    assert (before.status_code, before.json()["code"]) == (403, "activation-needed")
    assert "set-cookie" not in before.headers
    assert (activated.status_code, activated.json()["application_no"]) == (201, NEW)
    assert page.status_code == 200
    assert later.status_code == 201


async def test_an_id_number_activates_as_well(newcomer: Upload) -> None:
    activated = await _activates(newcomer, NEW_PERSON.id_number)

    assert (activated.status_code, activated.json()["application_no"]) == (201, NEW)


async def test_activating_again_is_a_login(newcomer: Upload) -> None:
    first = await _activates(newcomer)
    again = await _activates(newcomer)

    assert (first.status_code, again.status_code) == (201, 201)
    async with newcomer.service.sessions() as session:
        rows = await session.scalar(text("SELECT count(*) FROM activations WHERE application_no = :no"), {"no": NEW})
    assert rows == 1


async def test_without_a_captcha_nothing_is_activated(newcomer: Upload) -> None:
    none = await newcomer.client.post("/candidate/activation", json={"login": NEW, "password": PASSWORD})
    captcha = await a_captcha(newcomer)
    wrong = await _activates(newcomer, **captcha | {"answer": another_than(captcha["answer"])})

    assert (none.status_code, none.json()["code"]) == (422, "invalid-request")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "captcha-wrong")
    assert (await newcomer.log_in(NEW)).status_code == 403


async def test_a_wrong_password_says_the_same_of_every_account(newcomer: Upload) -> None:
    of_new, of_known, of_nobody = [await newcomer.log_in(login, "not it") for login in (NEW, NUMBER, "2021999999")]
    by_activation = await _activates(newcomer, password="not it")

    assert of_new.status_code == of_known.status_code == of_nobody.status_code == 401
    assert of_new.json() == of_known.json() == of_nobody.json()
    assert by_activation.json()["code"] == "login-failed"


async def test_another_site_can_activate_nothing(newcomer: Upload) -> None:
    answer = await newcomer.client.post(
        "/candidate/activation",
        json={"login": NEW, "password": PASSWORD, "captcha": await a_captcha(newcomer)},
        headers={"Origin": "https://evil.example"},
    )

    assert (answer.status_code, answer.json()["code"]) == (403, "foreign-origin")


async def test_importing_an_account_again_takes_no_activation_away(newcomer: Upload) -> None:
    await _activates(newcomer)

    async with newcomer.service.sessions.begin() as session:
        await import_candidates(session, [CandidateAccount(NEW, hash_now("another password"))])

    assert (await newcomer.log_in(NEW, "another password")).status_code == 201
