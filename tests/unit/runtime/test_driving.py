from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.driving import Driver


@dataclass(frozen=True)
class Said:
    word: str


class Echo:
    """Says each word twice, and a last one when its time has come."""

    def __init__(self) -> None:
        self.due: float | None = None
        self.heard: list[str] = []

    def handle(self, event: Said, now: float) -> list[str]:
        self.heard.append(event.word)
        if event.word == "time":
            self.due = None
            return ["late"]
        if event.word == "set":
            self.due = now + 0.05
            return []
        return [event.word, event.word]

    def next_timer(self) -> float | None:
        return self.due


class Room:
    def __init__(self) -> None:
        self.machine = Echo()
        self.done: list[str] = []
        self.told = threading.Condition()
        self.driver = Driver(self.machine, self.do, time_passed=Said("time"), clock=SYSTEM_CLOCK, name="echo")

    def do(self, command: str) -> None:
        if command == "bad":
            raise RuntimeError("no")
        with self.told:
            self.done.append(command)
            self.told.notify_all()


@pytest.fixture
def room():
    room = Room()
    room.driver.start()
    yield room
    room.driver.stop()


def test_commands_are_carried_out_in_order(room: Room):
    room.driver.tell(Said("a"), Said("b"))
    room.driver.tell(Said("c"))
    assert room.done == ["a", "a", "b", "b", "c", "c"]
    assert room.driver.ask(lambda: room.machine.heard) == ["a", "b", "c"]


def test_time_passes_by_itself(room: Room):
    room.driver.tell(Said("set"))
    with room.told:
        assert room.told.wait_for(lambda: room.done == ["late"], 30)


def test_what_cannot_be_carried_out_holds_nothing_up(room: Room):
    room.driver.tell(Said("bad"), Said("good"))
    assert room.done == ["good", "good"]


def test_threads_that_tell_at_once_get_an_order(room: Room):
    threads = [threading.Thread(target=room.driver.tell, args=(Said(str(number)),)) for number in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    heard = room.driver.ask(lambda: room.machine.heard)
    assert room.done == [word for each in heard for word in (each, each)]


def test_a_machine_that_fails_as_time_passes_is_told_of_later_times_all_the_same(room: Room):
    handle, failed = room.machine.handle, threading.Event()

    def fails_once(event: Said, now: float) -> list[str]:
        if event.word == "time" and not failed.is_set():
            failed.set()
            raise RuntimeError("a defect")
        return handle(event, now)

    room.machine.handle = fails_once
    room.driver.tell(Said("set"))
    with room.told:
        assert room.told.wait_for(lambda: room.done == ["late"], 30)
    assert failed.is_set()
