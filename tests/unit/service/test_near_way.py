"""What is said to an actor near is heard; one that is not there, or gone, costs nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest

from actors.service.near import NearServer
from actors.service.near_way import NearWay


class Ear:
    """An actor that hears."""

    def __init__(self, address: bytes) -> None:
        self.heard: list[bytes] = []
        self.told = threading.Semaphore(0)
        self.server = NearServer(address, self._hear)

    def _hear(self, frame: bytes) -> bytes:
        self.heard.append(frame)
        self.told.release()
        return b""


@pytest.fixture
def prefix() -> str:
    return uuid4().hex


@pytest.fixture
def way(prefix: str) -> Iterator[NearWay]:
    made = NearWay(lambda actor: f"\0{prefix}/{actor}".encode())
    yield made
    made.close()


def test_it_is_heard_in_order_and_nobody_waits(way: NearWay, prefix: str) -> None:
    ear = Ear(f"\0{prefix}/one".encode())
    assert [way.say("one", word) for word in (b"a", b"b")] == [True, True]
    assert ear.told.acquire(timeout=10)
    assert ear.told.acquire(timeout=10)
    assert ear.heard == [b"a", b"b"]
    ear.server.close()


def test_who_is_not_here_is_not_told_and_the_next_life_is(way: NearWay, prefix: str) -> None:
    assert not way.say("far", b"a")
    ear = Ear(f"\0{prefix}/next".encode())
    assert way.say("next", b"b")
    assert ear.told.acquire(timeout=10)
    ear.server.close()
    assert not way.say("far", b"c")
