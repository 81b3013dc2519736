"""The development SMS gateway keeps each message once and shows what it was sent."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from deploy.local.ports import free_ports
from deploy.local.sms_gateway import FILE_NAME, make_gateway


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=make_gateway(tmp_path / "home" / FILE_NAME))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


def a_message(reference: str = "r-1", to: str = "13800138000", text: str = "【样本】你好") -> dict[str, str]:
    return {"reference": reference, "to": to, "text": text}


async def test_a_message_is_accepted_and_kept(client: httpx.AsyncClient) -> None:
    answer = await client.post("/messages", json=a_message())

    kept = (await client.get("/messages")).json()["messages"]
    assert answer.status_code == 201
    assert answer.json() == {"id": kept[0]["id"], "status": "accepted"}
    assert {name: kept[0][name] for name in ("reference", "to", "text", "asked")} == a_message() | {"asked": 1}


async def test_a_reference_that_comes_again_is_the_same_message(client: httpx.AsyncClient) -> None:
    first = await client.post("/messages", json=a_message())
    again = await client.post("/messages", json=a_message(text="another text"))

    kept = (await client.get("/messages")).json()["messages"]
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert [(message["text"], message["asked"]) for message in kept] == [("【样本】你好", 2)]


async def test_a_reference_that_comes_twenty_times_at_once_is_kept_once(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(client.post("/messages", json=a_message()) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_messages_are_newest_first_by_number_and_bounded(client: httpx.AsyncClient) -> None:
    for n in range(5):
        await client.post("/messages", json=a_message(f"r-{n}", to=f"1380013800{n % 2}"))

    of_one = (await client.get("/messages", params={"to": "13800138000"})).json()["messages"]
    limited = (await client.get("/messages", params={"limit": 2})).json()["messages"]

    assert [message["reference"] for message in of_one] == ["r-4", "r-2", "r-0"]
    assert [message["reference"] for message in limited] == ["r-4", "r-3"]
    assert (await client.get("/messages", params={"limit": 501})).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {"reference": "r", "to": "13800138000"},
        a_message(to="nobody"),
        a_message(text=""),
        a_message(text="长" * 1001),
        a_message(reference=""),
        a_message() | {"more": "x"},
    ],
)
async def test_what_is_no_message_is_refused(client: httpx.AsyncClient, body: dict[str, str]) -> None:
    answer = await client.post("/messages", json=body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await client.get("/messages")).json() == {"messages": []}


async def test_the_page_shows_what_was_sent_escaped_and_loads_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    await client.post("/messages", json=a_message(text="<script>alert(1)</script>"))

    answer = await client.get("/", params={"to": '"><b>'})
    all_of_them = await client.get("/")

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in all_of_them.text
    assert "<script>alert" not in all_of_them.text
    assert '"><b>' not in answer.text
    assert '<html lang="zh-CN">' in all_of_them.text
    assert 'name="viewport"' in all_of_them.text
    for address in re.findall(r'(?:src|href|action)="([^"]*)"', all_of_them.text):
        assert address.startswith("/")
        assert not address.startswith("//")
    assert "default-src 'none'" in all_of_them.headers["content-security-policy"]


async def test_the_page_says_so_when_there_is_nothing_yet(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")

    assert "还没有短信" in answer.text
    assert [(await client.get(path)).status_code for path in ("/page.css", "/page.js", "/live")] == [200, 200, 200]


async def test_messages_survive_a_kill(tmp_path: Path) -> None:
    port = next(free_ports())

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        first = a_process(port, tmp_path)
        await until_live(client)
        accepted = await client.post("/messages", json=a_message())
        first.send_signal(signal.SIGKILL)
        first.wait(10)
        second = a_process(port, tmp_path)
        try:
            await until_live(client)
            kept = (await client.get("/messages")).json()["messages"]
        finally:
            second.terminate()
            second.wait(10)

    assert [message["id"] for message in kept] == [accepted.json()["id"]]


def a_process(port: int, home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.local.sms_gateway"],
        env=os.environ | {"SMS_GATEWAY_PORT": str(port), "BAOSHEN_HOME": str(home)},
        stdout=subprocess.DEVNULL,
    )


async def until_live(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await client.get("/live")
                return
            except httpx.TransportError:
                await asyncio.sleep(0.1)
