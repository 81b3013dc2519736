"""Captchas: a right answer counts once, and nobody burns the machine with them."""

import asyncio
import io
import wave
from uuid import UUID, uuid4

import pytest
from PIL import Image
from sqlalchemy import text

from services.upload import captchas, main
from services.upload.api.captchas import SPOKEN_PER_MINUTE
from services.upload.captchas import Captchas
from services.upload.settings import Settings
from tests.upload.conftest import NUMBER, PASSWORD, Upload
from tests.upload.people import a_captcha, another_than, captchas_of


async def _redeems(upload: Upload, captcha: dict[str, str]) -> bool:
    async with upload.service.sessions.begin() as session:
        return await captchas_of(upload).redeem(session, UUID(captcha["captcha_id"]), captcha["answer"])


async def test_a_captcha_can_be_seen_and_heard(upload: Upload) -> None:
    made = (await upload.client.post("/candidate/captchas", json={})).json()

    seen = await upload.client.get(made["image_url"])
    heard = await upload.client.get(made["audio_url"])

    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/png")
    assert Image.open(io.BytesIO(seen.content)).size == (200, 80)
    assert (heard.status_code, heard.headers["content-type"]) == (200, "audio/wav")
    with wave.open(io.BytesIO(heard.content)) as sound:
        assert sound.getnframes() / sound.getframerate() > 3


async def test_a_right_answer_counts_once(upload: Upload) -> None:
    captcha = await a_captcha(upload)

    assert [await _redeems(upload, captcha) for _ in range(2)] == [True, False]


async def test_of_many_right_answers_at_once_one_counts(upload: Upload) -> None:
    captcha = await a_captcha(upload)

    right = await asyncio.gather(*(_redeems(upload, captcha) for _ in range(8)))

    assert right.count(True) == 1


async def test_a_wrong_answer_uses_the_captcha_up(upload: Upload) -> None:
    captcha = await a_captcha(upload)
    wrong = captcha | {"answer": another_than(captcha["answer"])}

    first = await upload.client.post("/candidate/session", json=_login(wrong))
    second = await upload.client.post("/candidate/session", json=_login(captcha))

    assert [(a.status_code, a.json()["code"]) for a in (first, second)] == [(400, "captcha-wrong")] * 2


async def test_an_answer_after_ten_minutes_is_wrong(upload: Upload) -> None:
    captcha = await a_captcha(upload)
    async with upload.service.sessions.begin() as session:
        await session.execute(text("UPDATE captchas SET expires_at = expires_at - interval '10 minutes'"))

    seen = await upload.client.get(f"/candidate/captchas/{captcha['captcha_id']}/image")

    assert seen.status_code == 404
    assert await _redeems(upload, captcha) is False


async def test_digits_may_be_full_width_and_have_spaces(upload: Upload) -> None:
    captcha = await a_captcha(upload)
    wide = " ".join(chr(ord(digit) + 0xFEE0) for digit in captcha["answer"])

    assert await _redeems(upload, captcha | {"answer": wide}) is True


async def test_the_table_tells_no_answer(upload: Upload) -> None:
    captcha = await a_captcha(upload)

    async with upload.service.sessions() as session:
        row = str((await session.execute(text("SELECT captcha_id, drawn, spoken FROM captchas"))).all())

    assert captcha["answer"] not in row.replace(captcha["captcha_id"], "")


async def test_the_test_answer_fits_fresh_captchas_only_and_only_where_it_is_set(upload: Upload) -> None:
    told, untold = Captchas(b"k" * 32, "a-test-answer"), Captchas(b"k" * 32)
    async with upload.service.sessions.begin() as session:
        fresh = [(await told.make(session)).captcha_id for _ in range(2)]

        assert await told.redeem(session, fresh[0], "a-test-answer") is True
        assert await told.redeem(session, fresh[0], "a-test-answer") is False
        assert await told.redeem(session, uuid4(), "a-test-answer") is False
        assert await untold.redeem(session, fresh[1], "a-test-answer") is False


async def test_a_test_answer_is_warned_about_and_not_shown(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []

    class Log:
        def warning(self, event: str, **more: object) -> None:
            warned.append(f"{event} {more}")

    monkeypatch.setattr(main, "log", Log())
    settings = upload.service.settings.model_copy(update={"captcha_test_answer": "a-test-answer"})
    assert isinstance(settings, Settings)

    service = main.build(settings)
    await service.engine.dispose()

    assert [each.split()[0] for each in warned] == ["captcha.test_answer"]
    assert "a-test-answer" not in warned[0] + repr(settings)


async def test_an_empty_answer_is_never_right(upload: Upload) -> None:
    captcha = await a_captcha(upload)

    assert await _redeems(upload, captcha | {"answer": "  "}) is False


async def test_one_captcha_is_drawn_a_few_times_only(upload: Upload) -> None:
    captcha = await a_captcha(upload)
    url = f"/candidate/captchas/{captcha['captcha_id']}/image"
    mine = captchas_of(upload)

    answers = []
    for _ in range(5):
        answers.append((await upload.client.get(url)).status_code)
        mine._cache.clear()

    assert answers == [200, 200, 200, 404, 404]


async def test_what_was_drawn_is_not_drawn_again(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    captcha = await a_captcha(upload)
    url = f"/candidate/captchas/{captcha['captcha_id']}/image"

    first, second = [(await upload.client.get(url)).content for _ in range(2)]

    assert first == second


async def test_too_many_that_wait_are_told_to_come_back(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captchas, "_LONGEST_QUEUE", 0)
    captcha = await a_captcha(upload)

    busy = await upload.client.get(f"/candidate/captchas/{captcha['captcha_id']}/image")

    assert (busy.status_code, busy.json()["code"]) == (503, "captchas-busy")
    assert "retry-after" in busy.headers


async def test_an_address_gets_so_many_captchas_a_minute(upload: Upload) -> None:
    async with upload.service.sessions.begin() as session:
        await session.execute(text("DELETE FROM attempts"))
    most = upload.service.app.state.edge.captchas_per_minute

    answers = [await upload.client.post("/candidate/captchas", json={}) for _ in range(most + 1)]

    assert [answer.status_code for answer in answers] == [201] * most + [429]
    assert answers[-1].json()["code"] == "too-often"


async def test_an_address_hears_so_many_captchas_a_minute(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Captchas, "_speak", lambda _self, _digits: b"RIFF")

    answers = []
    for _ in range(SPOKEN_PER_MINUTE + 1):
        captcha = await a_captcha(upload)
        answers.append((await upload.client.get(f"/candidate/captchas/{captcha['captcha_id']}/audio")).status_code)

    assert answers == [200] * SPOKEN_PER_MINUTE + [429]


def _login(captcha: dict[str, str]) -> dict[str, object]:
    return {"login": NUMBER, "password": PASSWORD, "captcha": captcha}
