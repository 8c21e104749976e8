from __future__ import annotations

import threading
from typing import Any

from actors.runtime.recording import Recorder


class Log:
    """An emitter whose commits a test lets through."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, tuple[Any, ...]]] = []
        self.gate = threading.Event()
        self.flushes = 0

    def emit(self, table: str, row: tuple[Any, ...]) -> bool:
        self.rows.append((table, row))
        return True

    def flush(self, timeout_s: float) -> bool:
        self.flushes += 1
        return self.gate.wait(timeout_s / 20)


def test_nothing_is_confirmed_before_it_is_on_the_disk():
    log, confirmed = Log(), threading.Event()
    recorder = Recorder(log, name="r")
    recorder.record([("t", (1,)), ("t", (2,))], confirmed.set)
    assert not confirmed.wait(0.2)
    log.gate.set()
    assert confirmed.wait(30)
    assert log.rows == [("t", (1,)), ("t", (2,))]
    recorder.stop()


def test_what_comes_meanwhile_is_committed_together():
    log = Log()
    done: list[int] = []
    last = threading.Event()
    recorder = Recorder(log, name="r")
    for number in range(50):
        recorder.record([("t", (number,))], lambda number=number: done.append(number))
    recorder.record([], last.set)
    log.gate.set()
    assert last.wait(30)
    assert done == list(range(50))
    assert [row[0] for _, row in log.rows] == list(range(50))
    assert log.flushes < 50
    recorder.stop()


def test_rows_that_nobody_waits_for_are_handed_on():
    log = Log()
    recorder = Recorder(log, name="r")
    recorder.record([("t", (1,))])
    recorder.stop()
    assert log.rows == [("t", (1,))]
    assert log.flushes == 0
