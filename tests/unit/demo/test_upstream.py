"""The upstream's HTTP, driven in this process: what it answers, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from experiments.demo.upstream import BODY_BYTES_MAX, HEADERS_MAX, main, serve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class Client:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> tuple[int, dict[str, Any]]:
        """The status and the body of the answer to raw bytes."""
        self.writer.write(data)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
        return int(head.split(" ")[1]), json.loads(await self.reader.readexactly(length))

    async def charge(self, key: str, amount: int = 5) -> tuple[int, dict[str, Any]]:
        return await self.send(request(body=json.dumps({"amount": amount}), headers=[f"Idempotency-Key: {key}"]))

    async def get(self, path: str) -> tuple[int, dict[str, Any]]:
        return await self.send(request("GET", path))

    async def is_closed(self) -> bool:
        return await self.reader.read() == b""


def request(method: str = "POST", path: str = "/charge", *, body: str = "", headers: list[str] | None = None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: upstream", f"Content-Length: {len(body)}", *(headers or [])]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


@asynccontextmanager
async def running() -> AsyncGenerator[tuple[str, int]]:
    where: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
    stopped = asyncio.Event()
    server = asyncio.create_task(
        serve(
            seed=11,  # the one that `key_of` searches
            host="127.0.0.1",
            port=0,
            stopped=stopped,
            announce=lambda host, port: where.set_result((host, port)),
        )
    )
    yield await where
    stopped.set()
    await server


@asynccontextmanager
async def connected() -> AsyncGenerator[Client]:
    async with running() as (host, port):
        client = Client(*await asyncio.open_connection(host, port))
        yield client
        client.writer.close()


async def test_health():
    async with connected() as client:
        assert await client.get("/health") == (200, {"status": "up"})


async def test_one_connection_carries_many_requests(key_of):
    key = key_of("ok", "unavailable", "ok")
    async with connected() as client:
        answers = [await client.charge(key) for _ in range(3)]
        assert [status for status, _ in answers] == [200, 503, 200]
        assert answers[0] == answers[2]
        _, report = await client.get("/report")
    assert report["keys"][key] == {"outcomes": ["ok", "unavailable", "ok"], "effects": 1, "receipt": "receipt-000001"}
    assert (report["requests"], report["suppressed_duplicates"], report["unavailable"]) == (3, 1, 1)


@pytest.mark.parametrize("applies", [True, False])
async def test_a_drop_closes_without_a_word(applies, key_of):
    key = key_of("drop", applies=applies)
    async with running() as address:
        client = Client(*await asyncio.open_connection(*address))
        client.writer.write(request(body='{"amount": 5}', headers=[f"Idempotency-Key: {key}"]))
        assert await client.is_closed()
        _, report = await Client(*await asyncio.open_connection(*address)).get("/report")
    assert report["dropped"] == 1
    assert report["keys"][key]["effects"] == int(applies)


async def test_the_same_key_at_the_same_time_has_one_effect(key_of):
    """Both wait in the slow path together; the second finds the first one's receipt."""
    key = key_of("slow", "slow")
    async with running() as address:
        clients = [Client(*await asyncio.open_connection(*address)) for _ in range(2)]
        answers = await asyncio.gather(*(client.charge(key) for client in clients))
        _, report = await clients[0].get("/report")
    assert answers[0] == answers[1]
    assert (report["effects"], report["suppressed_duplicates"], report["slow"]) == (1, 1, 2)


async def test_a_client_that_gives_up_does_not_undo_its_charge(key_of):
    key = key_of("slow", "ok")
    async with running() as address:
        client = Client(*await asyncio.open_connection(*address))
        client.writer.write(request(body='{"amount": 5}', headers=[f"Idempotency-Key: {key}"]))
        await client.writer.drain()
        other = Client(*await asyncio.open_connection(*address))
        while key not in (await other.get("/report"))[1]["keys"]:
            await asyncio.sleep(0.001)
        client.writer.close()
        while (await other.get("/report"))[1]["keys"][key]["effects"] == 0:
            await asyncio.sleep(0.005)
        await other.charge(key)
        _, report = await other.get("/report")
    assert (report["effects"], report["suppressed_duplicates"]) == (1, 1)


async def test_connection_close_is_honoured():
    async with connected() as client:
        status, _ = await client.send(request("GET", "/health", headers=["Connection: close"]))
        assert status == 200
        assert await client.is_closed()


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/charge", 405), ("POST", "/report", 405), ("GET", "/nowhere", 404)]
)
async def test_wrong_addresses_are_refused(method, path, status):
    async with connected() as client:
        assert (await client.send(request(method, path)))[0] == status


@pytest.mark.parametrize(
    ("body", "headers", "why"),
    [
        ('{"amount": 5}', [], "Idempotency-Key is missing"),
        ("not json", ["Idempotency-Key: k"], "not JSON"),
        ("[]", ["Idempotency-Key: k"], "integer"),
        ('{"amount": true}', ["Idempotency-Key: k"], "integer"),
        ('{"amount": "5"}', ["Idempotency-Key: k"], "integer"),
    ],
)
async def test_a_wrong_charge_is_refused_and_not_counted(body, headers, why):
    async with connected() as client:
        status, answer = await client.send(request(body=body, headers=headers))
        assert status == 400
        assert why in answer["reason"]
        assert (await client.get("/report"))[1]["requests"] == 0


async def test_another_amount_under_the_same_key_is_a_conflict(key_of):
    key = key_of("ok", "ok")
    async with connected() as client:
        await client.charge(key, 5)
        status, answer = await client.charge(key, 6)
    assert status == 409
    assert "use a new key" in answer["reason"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"nonsense\r\n\r\n", "first line"),
        (b"GET / SPDY/3\r\n\r\n", "first line"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * HEADERS_MAX + b"\r\n", "headers"),
        (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", "too long"),
        (b"POST /charge HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "Content-Length"),
        (b"POST /charge HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding"),
        (b"POST /charge HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (BODY_BYTES_MAX + 1), "longer than"),
    ],
)
async def test_nonsense_is_answered_and_ends_the_connection(data, why):
    async with connected() as client:
        status, answer = await client.send(data)
        assert status == 400
        assert why in answer["reason"]
        assert await client.is_closed()


async def test_a_request_that_breaks_off_hurts_nobody():
    async with running() as address:
        client = Client(*await asyncio.open_connection(*address))
        client.writer.write(b"POST /charge HTTP/1.1\r\nContent-")
        client.writer.close()
        other = Client(*await asyncio.open_connection(*address))
        assert (await other.get("/health"))[0] == 200


def test_a_taken_port_is_named_with_the_remedy():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=rf"cannot listen on 127.0.0.1:{port}.*--port 0"):
            main(["--port", str(port)])


def test_it_says_where_it_listens_and_ends_with_its_stdin(monkeypatch, capsys):
    monkeypatch.setattr("experiments.demo.upstream.os.read", lambda *_: b"")
    main(["--seed", "7", "--port", "0"])
    where = json.loads(capsys.readouterr().out)
    assert where["host"] == "127.0.0.1"
    assert where["port"] > 0
