"""What a signal raises waits until what it would break into has ended and was written down."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.report.run import INTERRUPTED, TERMINATED
from experiments.running.interrupting import see_through, told
from supervisor.link import wait_until


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def _main_thread_sleeps() -> bool:
    main = threading.main_thread()
    state = Path(f"/proc/self/task/{main.native_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    return state == "S" and sys._current_frames()[main.ident or 0].f_code.co_name == "wait"


def _ended_by(asked: threading.Event, whys: list[str]) -> tuple[Callable[[], str], Callable[[str], None]]:
    """Work that interrupts its program, and goes on until it is stopped."""

    def work() -> str:
        _interrupt()
        assert asked.wait(30)
        return "written down"

    def stop(why: str) -> None:
        whys.append(why)
        asked.set()

    return work, stop


def test_what_is_done_is_stopped_and_its_result_is_there() -> None:
    whys: list[str] = []
    seen = see_through(*_ended_by(threading.Event(), whys))
    assert (seen.result, whys) == ("written down", [INTERRUPTED])
    assert isinstance(seen.leaving, KeyboardInterrupt)


def test_a_signal_that_the_kernel_gives_to_another_thread_is_heeded() -> None:
    """Seen: it wakes nobody, Python only notes it, and the run went on till its end."""
    asked, whys = threading.Event(), list[str]()

    def work() -> str:
        assert wait_until(_main_thread_sleeps, 30)
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        assert asked.wait(30)
        return "written down"

    def stop(why: str) -> None:
        whys.append(why)
        asked.set()

    assert see_through(work, stop).result == "written down"
    assert whys == [INTERRUPTED]


def test_who_interrupts_again_does_not_break_into_it_either() -> None:
    whys: list[str] = []
    twice = threading.Event()

    def work() -> str:
        _interrupt()
        assert twice.wait(30)
        return "written down"

    def stop(why: str) -> None:
        whys.append(why)
        if len(whys) == 1:
            _interrupt()
        else:
            twice.set()

    assert see_through(work, stop).result == "written down"
    assert whys == [INTERRUPTED] * 2


def test_nothing_is_raised_where_nobody_interrupts() -> None:
    seen = see_through(lambda: 3, lambda _: None)
    assert (seen.result, seen.leaving) == (3, None)


def test_what_the_work_raises_is_raised() -> None:
    def fail() -> None:
        raise ZeroDivisionError("nobody thought of it")

    with pytest.raises(ZeroDivisionError, match="nobody thought of it"):
        see_through(fail, lambda _: None)


def test_of_two_what_the_signal_has_raised_goes_on() -> None:
    asked = threading.Event()

    def fail() -> None:
        _interrupt()
        assert asked.wait(30)
        raise ZeroDivisionError

    with pytest.raises(KeyboardInterrupt) as raised:
        see_through(fail, lambda _: asked.set())
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


def test_why_a_run_ends_is_said_as_it_was() -> None:
    raised = (KeyboardInterrupt(), KeyboardInterrupt(TERMINATED), SystemExit(15))
    assert [told(error) for error in raised] == [INTERRUPTED, TERMINATED, "its program ends: SystemExit"]
