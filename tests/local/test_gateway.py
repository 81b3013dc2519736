"""The gateway's routes, limits and headers, on a real Caddy in front of services that only echo."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from deploy.local.caddyfile import Pages, Patience
from deploy.local.parts.caddy import gateway
from deploy.local.ports import free_ports
from deploy.local.supervisor import Supervisor

# A tenth of the usual, so that waiting for it is quick.
PATIENCE = Patience(read_header=1, read_body=3, idle=6)


class Echo:
    """Answers every request with what it saw of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.answer: Callable[[str], bytes | None] = lambda _: None

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            method, path, _ = head[0].split()
            if special := self.answer(path):
                writer.write(special)
                await writer.drain()
                return
            size = await _read_body(reader, headers)
            seen = {"service": self.name, "method": method, "path": path, "headers": headers, "size": size}
            body = json.dumps(seen).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nServer: echo\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> int:
    if headers.get("transfer-encoding") == "chunked":
        total = 0
        while size := int(await reader.readline(), 16):
            total += len(await reader.readexactly(size))
            await reader.readline()
        return total
    return len(await reader.readexactly(int(headers.get("content-length", 0))))


class Gateway:
    """A running gateway, a client for it and the services behind it."""

    def __init__(self, port: int, echoes: dict[str, Echo], supervisor: Supervisor) -> None:
        self.port = port
        self.echoes = echoes
        self.supervisor = supervisor
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=45, trust_env=False)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Gateway]:
    free = free_ports()
    ports = {f"{name}_PORT": next(free) for name in ("GATEWAY", "UPLOAD", "REVIEW", "NOTIFY")}
    pages = Pages(candidate=folder / "candidate", staff=folder / "staff")
    for page, name in ((pages.candidate, "candidate"), (pages.staff, "staff")):
        (page / "assets").mkdir(parents=True)
        (page / "index.html").write_text(f"<h1>{name}</h1>", encoding="utf-8")
        (page / "assets" / "app-1.js").write_text("1", encoding="utf-8")
    supervisor = Supervisor(folder, [gateway(folder, ports, pages, patience=PATIENCE)])
    async with AsyncExitStack() as stack:
        echoes = {}
        for name in ("upload", "review", "notify"):
            echoes[name] = Echo(name)
            server = await asyncio.start_server(echoes[name], "127.0.0.1", ports[f"{name.upper()}_PORT"])
            stack.callback(server.close)
        await supervisor.start()
        stack.push_async_callback(supervisor.stop)
        gate = Gateway(ports["GATEWAY_PORT"], echoes, supervisor)
        await stack.enter_async_context(gate.client)
        yield gate


@pytest_asyncio.fixture(scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running(tmp_path_factory.mktemp("gateway")) as gate:
        yield gate


@pytest.fixture(autouse=True)
def plain_answers(gate: Gateway) -> None:
    for echo in gate.echoes.values():
        echo.answer = lambda _: None
    gate.echoes["upload"].answer = identity


def identity(path: str) -> bytes | None:
    if path.startswith("/candidate/identity"):
        return b"HTTP/1.1 204 No Content\r\nX-Baoshen-Identity: signed-by-upload\r\n\r\n"
    return None


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/applications", "upload"),
        ("/applications/A1/items/diploma/images/1", "upload"),
        ("/applications/A1/photo-checks/1", "upload"),
        ("/applications/A1/registration-photo", "upload"),
        ("/candidate/session", "upload"),
        ("/reviews/queue", "review"),
        ("/publications", "review"),
        ("/bulk-passes", "review"),
        ("/progress", "review"),
        ("/exports/applications.csv", "review"),
        ("/audit", "review"),
        ("/audit/seals", "review"),
        ("/staff/session", "review"),
        ("/inbox/notices", "notify"),
    ],
)
async def test_each_path_leads_to_its_service(gate: Gateway, path: str, service: str) -> None:
    answer = await gate.client.get(path)

    assert answer.json()["service"] == service
    assert answer.json()["path"] == path


async def test_each_service_shows_its_openapi_under_its_own_name(gate: Gateway) -> None:
    for name in ("upload", "review", "notify"):
        answer = await gate.client.get(f"/openapi/{name}.json")

        assert (answer.json()["service"], answer.json()["path"]) == (name, "/openapi.json")


@pytest.mark.parametrize("path", ["/applications/A1", "/reviews/A1"])
async def test_an_identity_that_the_client_claims_is_dropped(gate: Gateway, path: str) -> None:
    answer = await gate.client.get(path, headers={"X-Baoshen-Identity": "forged"})

    assert "x-baoshen-identity" not in answer.json()["headers"]


async def test_the_inbox_gets_the_identity_that_upload_signed_and_no_other(gate: Gateway) -> None:
    answer = await gate.client.post("/inbox/read", content=b"x" * 100, headers={"X-Baoshen-Identity": "forged"})

    assert answer.json()["headers"]["x-baoshen-identity"] == "signed-by-upload"
    assert answer.json()["size"] == 100


async def test_the_inbox_stays_closed_when_upload_knows_nobody(gate: Gateway) -> None:
    gate.echoes["upload"].answer = lambda _: b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nwho"

    answer = await gate.client.get("/inbox/notices")

    assert (answer.status_code, answer.text) == (401, "who")


@pytest.mark.parametrize("path", ["/metrics", "/live", "/ready", "/applications/../metrics", "/openapi.json", "/docs"])
async def test_operators_addresses_are_not_public(gate: Gateway, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gate.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{gate.port}\r\nConnection: close\r\n\r\n".encode())

    status = await reader.readline()

    assert b" 404 " in status
    await _close(writer)


async def test_a_body_that_says_it_is_too_large_is_refused(gate: Gateway) -> None:
    answer = await gate.client.put("/applications/A1/x", content=b"x" * 11_600_000)

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 413


async def test_a_portrait_of_ten_megabytes_passes(gate: Gateway) -> None:
    answer = await gate.client.put("/applications/A1/photo-checks/1", content=b"x" * (10 * 1024 * 1024 + 1))

    assert (answer.status_code, answer.json()["size"]) == (200, 10 * 1024 * 1024 + 1)


async def test_an_endless_body_is_cut_off(gate: Gateway) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(400):
            yield b"x" * 100_000

    try:
        answer = await gate.client.put("/applications/A1/x", content=endless())
    except (httpx.WriteError, httpx.ReadError):
        return

    assert answer.status_code == 413


async def test_large_headers_are_refused(gate: Gateway) -> None:
    async with gate.client.stream("GET", "/applications", headers={"X-Long": "x" * 40_000}) as answer:
        status = answer.status_code

    assert status == 431


async def test_a_body_that_only_trickles_in_is_cut_off(gate: Gateway) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gate.port)
    head = f"PUT /applications/A1/x HTTP/1.1\r\nHost: 127.0.0.1:{gate.port}\r\nContent-Length: 1000\r\n\r\n"
    writer.write(head.encode())
    await writer.drain()

    async with asyncio.timeout(5):
        rest = await reader.read()

    assert b"200 OK" not in rest
    await _close(writer)


async def test_a_service_that_is_away_is_a_problem_document_with_a_time_to_try_again(tmp_path: Path) -> None:
    async with running(tmp_path) as gate:
        gate.echoes["review"].answer = lambda _: b"\r\n"

        answer = await gate.client.get("/reviews/A1")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["status"] == 503


async def test_every_answer_carries_the_security_headers(gate: Gateway) -> None:
    for path in ("/", "/console/", "/applications/A1", "/metrics"):
        answer = await gate.client.get(path)

        assert "default-src 'self'" in answer.headers["content-security-policy"], path
        assert "unsafe-inline" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "server" not in answer.headers


async def test_pages_are_found_by_their_own_addresses_and_missing_files_are_missing(gate: Gateway) -> None:
    html = {"Accept": "text/html"}

    assert (await gate.client.get("/", headers=html)).text == "<h1>candidate</h1>"
    assert (await gate.client.get("/feedback/3", headers=html)).text == "<h1>candidate</h1>"
    assert (await gate.client.get("/console/", headers=html)).text == "<h1>staff</h1>"
    assert (await gate.client.get("/console/queue", headers=html)).text == "<h1>staff</h1>"
    assert (await gate.client.get("/console")).headers["location"] == "/console/"
    assert (await gate.client.get("/console/assets/app-1.js")).headers["cache-control"].endswith("immutable")
    assert (await gate.client.get("/missing.js", headers=html)).status_code == 404
    assert (await gate.client.get("/missing")).status_code == 404


async def test_the_origin_has_one_name_only(gate: Gateway) -> None:
    local = await gate.client.get("/reviews", headers={"Host": f"localhost:{gate.port}"})
    other = await gate.client.get("/reviews", headers={"Host": f"evil.example:{gate.port}"})

    assert local.headers["location"] == f"http://127.0.0.1:{gate.port}/reviews"
    assert other.status_code == 421


async def test_half_a_header_is_not_waited_for_long(gate: Gateway) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gate.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: 127")
    await writer.drain()

    async with asyncio.timeout(3):
        rest = await reader.read()

    assert b"200 OK" not in rest
    await _close(writer)


async def test_a_live_page_stays_open_longer_than_a_body_may_take(gate: Gateway) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for second in range(5):
            line = f"data: {second}\n\n".encode()
            writer.write(b"%x\r\n%s\r\n" % (len(line), line))
            await writer.drain()
            await asyncio.sleep(1)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        await _close(writer)

    upload = gate.echoes["upload"]
    original = Echo.__call__
    Echo.__call__ = lambda self, reader, writer: (
        slow(reader, writer) if self is upload else original(self, reader, writer)
    )  # type: ignore[method-assign]
    try:
        async with gate.client.stream("GET", "/applications/A1/events") as answer:
            lines = [line async for line in answer.aiter_lines() if line]
    finally:
        Echo.__call__ = original  # type: ignore[method-assign]

    assert len(lines) == 5


async def test_a_live_page_gets_each_line_at_once_and_its_end_is_heard(gate: Gateway) -> None:
    more, gone = asyncio.Event(), asyncio.Event()

    async def live(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for line in (b"data: 0\n\n", b"data: 1\n\n"):
            writer.write(b"%x\r\n%s\r\n" % (len(line), line))
            await writer.drain()
            await more.wait()
        await reader.read()  # until the gateway hangs up
        gone.set()
        await _close(writer)

    upload = gate.echoes["upload"]
    original = Echo.__call__
    Echo.__call__ = lambda self, reader, writer: (
        live(reader, writer) if self is upload else original(self, reader, writer)
    )  # type: ignore[method-assign]
    try:
        async with gate.client.stream(
            "GET", "/applications/A1/events", headers={"Accept-Encoding": "gzip, zstd"}
        ) as answer:
            lines = answer.aiter_lines()
            async with asyncio.timeout(2):
                first = await anext(lines)
            more.set()
        async with asyncio.timeout(2):
            await gone.wait()
    finally:
        Echo.__call__ = original  # type: ignore[method-assign]

    assert first == "data: 0"
    assert "content-encoding" not in answer.headers
