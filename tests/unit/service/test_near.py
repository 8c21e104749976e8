"""Calls between processes of one node, over real sockets."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from actors.service import near
from actors.service.near import Answered, NearCalls, NearLine, NearServer, near_address

WAIT_S = 30.0


@pytest.fixture
def address(tmp_path: Path) -> bytes:
    return near_address(tmp_path / "node.board", "s/breaker/payments#1")


@pytest.fixture
def calls() -> Iterator[NearCalls]:
    made = NearCalls()
    yield made
    made.close()


@pytest.fixture
def serve(address: bytes) -> Iterator[Callable[[Callable[[bytes], bytes]], NearServer]]:
    servers: list[NearServer] = []

    def make(answer: Callable[[bytes], bytes]) -> NearServer:
        servers.append(NearServer(address, answer))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


class Slow:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.begun, self.goes_on = threading.Event(), threading.Event()

    def __call__(self, data: bytes) -> bytes:
        self.begun.set()
        assert self.goes_on.wait(WAIT_S)
        return data


def connected(calls: NearCalls, address: bytes) -> NearLine:
    line = calls.connect(address)
    assert line is not None
    return line


def asked(line: NearLine, data: bytes) -> Future[bytes]:
    answer: Future[bytes] = Future()

    def take(found: bytes | ConnectionError) -> None:
        if isinstance(found, bytes):
            answer.set_result(found)
        else:
            answer.set_exception(found)

    assert line.ask(data, take)
    return answer


def test_answers_come_in_the_order_of_the_calls(calls: NearCalls, address: bytes, serve: Callable[..., NearServer]):
    serve(lambda data: data[::-1])
    line = connected(calls, address)
    answers = [asked(line, b"call %d" % number) for number in range(1000)]
    assert [each.result(WAIT_S) for each in answers] == [(b"call %d" % n)[::-1] for n in range(1000)]


def test_what_is_large_comes_whole_and_what_is_empty_too(
    calls: NearCalls, address: bytes, serve: Callable[..., NearServer]
):
    serve(lambda data: data)
    line = connected(calls, address)
    for data in (b"", bytes(3_000_000), b"x"):
        assert asked(line, data).result(WAIT_S) == data


def test_several_callers_share_a_server(calls: NearCalls, address: bytes, serve: Callable[..., NearServer]):
    heard: list[bytes] = []
    serve(lambda data: heard.append(data) or data)
    lines = [connected(calls, address) for _ in range(8)]
    answers = [asked(line, b"%d of %d" % (n, at)) for n in range(50) for at, line in enumerate(lines)]
    assert len({each.result(WAIT_S) for each in answers}) == 400
    for at in range(8):
        assert [data for data in heard if data.endswith(b" %d" % at)] == [b"%d of %d" % (n, at) for n in range(50)]


def test_where_nobody_serves_there_is_no_line(calls: NearCalls, address: bytes):
    assert calls.connect(address) is None


def test_another_node_or_life_has_another_address(tmp_path: Path, address: bytes):
    others = {
        near_address(tmp_path / "node.board", "s/breaker/payments#2"),
        near_address(tmp_path / "other.board", "s/breaker/payments#1"),
    }
    assert len(others | {address}) == 3


def test_who_waits_is_told_when_the_server_ends(calls: NearCalls, address: bytes, serve: Callable[..., NearServer]):
    slow = Slow()
    server = serve(slow)
    line = connected(calls, address)
    waiting = asked(line, b"unanswered")
    assert slow.begun.wait(WAIT_S)
    later = asked(line, b"never heard")
    server._stopped = True
    slow.goes_on.set()
    server.close()
    assert waiting.result(WAIT_S) == b"unanswered"
    with pytest.raises(ConnectionError):
        later.result(WAIT_S)
    assert not line.ask(b"after the end", lambda _: None)


def test_a_caller_whose_call_fails_loses_its_line_and_the_others_keep_theirs(
    calls: NearCalls, address: bytes, serve: Callable[..., NearServer]
):
    def answer(data: bytes) -> bytes:
        if data == b"bad":
            raise KeyError(data)
        return data

    serve(answer)
    bad, good = connected(calls, address), connected(calls, address)
    with pytest.raises(ConnectionError):
        asked(bad, b"bad").result(WAIT_S)
    assert asked(good, b"good").result(WAIT_S) == b"good"


def test_a_server_that_does_not_read_is_given_up(
    calls: NearCalls, address: bytes, serve: Callable[..., NearServer], monkeypatch: pytest.MonkeyPatch
):
    slow = Slow()
    serve(slow)
    monkeypatch.setattr(near, "SEND_PATIENCE_S", 0.05)
    line = connected(calls, address)
    first = asked(line, b"x")
    second = asked(line, bytes(8_000_000))
    with pytest.raises(ConnectionError):
        first.result(WAIT_S)
    with pytest.raises(ConnectionError):
        second.result(WAIT_S)
    slow.goes_on.set()


def test_another_users_process_is_not_served(
    calls: NearCalls, address: bytes, serve: Callable[..., NearServer], monkeypatch: pytest.MonkeyPatch
):
    serve(lambda data: data)
    monkeypatch.setattr(near.os, "geteuid", lambda: os.getuid() + 1)
    assert calls.connect(address) is None


def test_a_frame_that_claims_to_be_endless_ends_the_line(
    calls: NearCalls, address: bytes, serve: Callable[..., NearServer]
):
    serve(lambda data: data)
    line = connected(calls, address)
    lost: Future[bytes | ConnectionError] = Future()
    answered: Answered = lost.set_result
    line._waiting.append(answered)
    line.frames.socket.sendall(b"\xff\xff\xff\xff")
    assert isinstance(lost.result(WAIT_S), ConnectionError)


SERVER = """
import sys, time
from actors.service.near import NearServer
server = NearServer(bytes.fromhex(sys.argv[1]), lambda data: data)
print("ready", flush=True)
time.sleep(60)
"""


def test_a_killed_process_ends_its_lines_and_leaves_its_address(calls: NearCalls, address: bytes):
    command = [sys.executable, "-c", SERVER, address.hex()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        line = connected(calls, address)
        assert asked(line, b"alive").result(WAIT_S) == b"alive"
        process.kill()
    over: Future[bytes | ConnectionError] = Future()
    if line.ask(b"dead", over.set_result):
        assert isinstance(over.result(WAIT_S), ConnectionError)
    successor = NearServer(address, lambda data: data)
    try:
        assert asked(connected(calls, address), b"again").result(WAIT_S) == b"again"
    finally:
        successor.close()
