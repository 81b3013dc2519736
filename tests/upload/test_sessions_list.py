"""Where one is logged in, and logging out there or everywhere."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from starlette.requests import Request

from shared.security.sessions import device_of
from tests.builders.events import PERSON
from tests.upload.conftest import NUMBER, PASSWORD, Upload
from tests.upload.people import somewhere_else

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
PHONE = f"Mozilla/5.0 (Linux; Android 14; V2301A) {_WEBKIT} Chrome/120.0 Mobile Safari/537.36"
PC = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/130.0 Safari/537.36 Edg/130.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile/15E148"


async def _logs_in(client: httpx.AsyncClient, agent: str) -> dict[str, str]:
    answer = await client.post(
        "/candidate/session", json={"login": NUMBER, "password": PASSWORD}, headers={"User-Agent": agent}
    )
    assert answer.status_code == 201
    return {"X-CSRF-Token": answer.json()["csrf_token"]}


async def _items(client: httpx.AsyncClient) -> list[dict]:
    return (await client.get("/candidate/sessions")).json()["items"]


async def test_the_list_names_devices_and_shows_no_secret(upload: Upload) -> None:
    async with somewhere_else(upload, "203.0.113.7") as phone:
        await _logs_in(phone, PHONE)

        answer = await phone.get("/candidate/sessions")

        items = answer.json()["items"]
        token = phone.cookies["baoshen_candidate"]
    assert [item["device"] for item in items if item["current"]] == ["Chrome · Android"]
    assert len(items) == 2
    assert items[0].keys() == {"session_id", "device", "created_at", "last_seen_at", "current"}
    assert token not in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_one_session_is_ended_from_another(upload: Upload) -> None:
    async with somewhere_else(upload, "203.0.113.7") as phone:
        await _logs_in(phone, PHONE)
        lost = next(item["session_id"] for item in await _items(phone) if item["current"])

        ended = await upload.client.delete(f"/candidate/sessions/{lost}", headers=upload.writes())
        again = await upload.client.delete(f"/candidate/sessions/{lost}", headers=upload.writes())

        assert (ended.status_code, again.status_code) == (204, 204)
        assert (await phone.get("/candidate/session")).status_code == 401
    assert (await upload.client.get("/candidate/session")).status_code == 200


async def test_logging_out_everywhere_ends_this_one_too(upload: Upload) -> None:
    async with somewhere_else(upload, "203.0.113.7") as phone:
        await _logs_in(phone, PHONE)

        answer = await upload.client.delete("/candidate/sessions", headers=upload.writes())

        assert answer.status_code == 204
        assert "Max-Age=0" in answer.headers["set-cookie"]
        assert (await phone.get("/candidate/session")).status_code == 401
        assert (await upload.client.get("/candidate/session")).status_code == 401


async def test_another_candidate_s_session_can_neither_be_seen_nor_ended(upload: Upload) -> None:
    other = PERSON.model_copy(update={"id_number": "110101199003070011"})
    await upload.has_candidate("2021110002", other)
    mine = (await _items(upload.client))[0]["session_id"]
    async with somewhere_else(upload, "203.0.113.7") as stranger:
        answer = await stranger.post("/candidate/session", json={"login": "2021110002", "password": PASSWORD})
        writes = {"X-CSRF-Token": answer.json()["csrf_token"]}

        ended = await stranger.delete(f"/candidate/sessions/{mine}", headers=writes)

        assert ended.status_code == 204
        assert [item["session_id"] for item in await _items(stranger)] != [mine]
    assert (await upload.client.get("/candidate/session")).status_code == 200


async def test_ending_needs_the_csrf_token(upload: Upload) -> None:
    one = await upload.client.delete(f"/candidate/sessions/{uuid4()}")
    everywhere = await upload.client.delete("/candidate/sessions")

    assert (one.status_code, everywhere.status_code) == (403, 403)


async def test_sessions_that_have_ended_are_not_listed(upload: Upload) -> None:
    async with somewhere_else(upload, "203.0.113.7") as phone:
        await _logs_in(phone, PHONE)
        async with upload.service.sessions.begin() as session:
            await session.execute(
                text("UPDATE sessions SET last_seen_at = last_seen_at - CAST(:idle AS interval) WHERE device <> ''"),
                {"idle": timedelta(hours=3)},
            )

        assert len(await _items(upload.client)) == 1


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (PHONE, "Chrome · Android"),
        (PC, "Edge · Windows"),
        (f"{IPHONE} Safari/604.1", "Safari · iPhone"),
        (f"{IPHONE} MicroMessenger/8.0", "WeChat · iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox · Linux"),
        ("curl/8.5 \x1b[31m<script>", ""),
        ("", ""),
    ],
)
def test_a_device_is_a_browser_family_and_a_system(agent: str, device: str) -> None:
    request = Request({"type": "http", "headers": [(b"user-agent", agent.encode("latin-1"))]})

    assert device_of(request) == device
