"""No fault is left at its lease's end + 1 s, whatever happens to its injector, and at which step."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from actors.runtime.process import ProcessIdentity, identify, is_alive
from experiments.errors import WatchdogError
from experiments.faults.succession import clear
from experiments.faults.undo import Undo
from experiments.faults.watchdog import Order, Watchdog, undo_surely, watch
from experiments.ledger.file import Ledger
from experiments.ledger.halt import Halted, HaltFlag
from tests.unit.faults import injector
from tests.unit.faults.scene import is_stopped, sleeper, until

LEASE_S = 4.0


def order(target: ProcessIdentity, lease_s: float = LEASE_S, **changed: str) -> Order:
    ends_ns = time.monotonic_ns() + int(lease_s * 1e9)
    return Order(run="r", fault="f", undo=Undo.resume(target), ends_ns=ends_ns, **changed)


@pytest.mark.parametrize("last", injector.STEPS)
def test_the_injector_is_killed_at_every_step(tmp_path: Path, last: str) -> None:
    """Its watchdog, or else its successor, ends what is on; the verdict is aborted unless it had ended."""
    ledger = Ledger(tmp_path / "ledger")
    with sleeper() as target:
        begun = time.monotonic()
        arguments = [ledger.path, tmp_path / "s-1.board", target.pid, target.started_ticks, LEASE_S, last]
        runner = subprocess.Popen(
            [sys.executable, injector.__file__, *map(str, arguments)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert runner.stdout is not None
        said: list[str] = []
        while not said or said[-1] != last:
            said.append(runner.stdout.readline().decode().strip())
        runner.kill()
        runner.wait()
        runner.stdout.close()
        until(lambda: not is_stopped(target))
        assert time.monotonic() < begun + LEASE_S + 1 + 10, "10 s of it are for starting Python"
        cleared = clear(ledger)
        assert not is_stopped(target)
        assert cleared.left_on == ()
        run = ledger.runs()["r1"]
        assert (run.active, run.verdict) == ({}, "held" if last == "ended" else "aborted")
        assert clear(ledger).runs == (), "a second successor finds nothing to do"
        assert is_alive(target)


def test_a_lease_ends_while_its_injector_lives_and_says_nothing(tmp_path: Path) -> None:
    """Also when that is stopped itself: the lease is the watchdog's own."""
    with sleeper() as target:
        asked = order(target, 1.0, ledger=str(tmp_path / "ledger"))
        watchdog = Watchdog(asked)
        os.kill(target.pid, signal.SIGSTOP)
        until(lambda: is_stopped(target))
        until(lambda: not is_stopped(target))
        assert time.monotonic_ns() >= asked.ends_ns, "not before"
        assert time.monotonic_ns() <= asked.ends_ns + 1_000_000_000
        until(lambda: not is_alive(identify(watchdog.pid)))
        (entry,) = Ledger(tmp_path / "ledger").entries()[0]
        assert (entry.step, entry.data) == ("undone", {"by": "watchdog", "cause": "lease over", "did": "resumed"})
        watchdog.release()


def test_the_halt_flag_ends_a_fault_long_before_its_lease(tmp_path: Path) -> None:
    with sleeper() as target:
        board = tmp_path / "s-1.board"
        flag = HaltFlag(board)
        watchdog = Watchdog(order(target, 600, board=str(board)))
        os.kill(target.pid, signal.SIGSTOP)
        until(lambda: is_stopped(target))
        halted_at = time.monotonic()
        flag.put_up(Halted(who="ann", why="enough"))
        until(lambda: not is_stopped(target))
        assert time.monotonic() - halted_at <= 2.0
        until(lambda: not is_alive(identify(watchdog.pid)))
        watchdog.release()


def test_a_released_watchdog_goes_and_touches_nothing() -> None:
    with sleeper() as target:
        watchdog = Watchdog(order(target, 600))
        mine = identify(watchdog.pid)
        assert os.getsid(watchdog.pid) not in (os.getsid(0), 0)
        assert os.getpgid(watchdog.pid) != os.getpgid(0)
        os.kill(target.pid, signal.SIGSTOP)
        until(lambda: is_stopped(target))
        watchdog.release()
        watchdog.release()
        until(lambda: not is_alive(mine))
        assert is_stopped(target)


def test_what_cannot_be_armed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.faults.watchdog.sys.executable", "/bin/false")
    with sleeper() as target, pytest.raises(WatchdogError, match="exit code 1; the fault was not injected"):
        Watchdog(order(target))


def test_what_is_armed_too_late_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o700)
    monkeypatch.setattr("experiments.faults.watchdog.sys.executable", str(slow))
    monkeypatch.setattr("experiments.faults.watchdog.ARM_TIMEOUT_S", 0.05)
    with sleeper() as target, pytest.raises(WatchdogError, match=r"did not come up within 0.05 s; the fault was not"):
        Watchdog(order(target))


def test_an_order_travels_whole() -> None:
    asked = order(ProcessIdentity(3, 4), ledger="/l", board="/b")
    assert Order.from_line(asked.as_line()) == asked
    with pytest.raises(ValueError, match="not a kind"):
        Order.from_line(asked.as_line().replace(b"resume", b"resme"))


def test_what_ends_the_wait() -> None:
    for said, cause in ((b"r", "released"), (b"", "injector gone")):
        reading, writing = os.pipe()
        os.write(writing, said)
        os.close(writing)
        assert watch(order(ProcessIdentity(0, 0)), reading) == cause
        os.close(reading)


def test_what_is_not_undone_is_tried_again(tmp_path: Path) -> None:
    """A folder in the place of the ballast cannot be unlinked; a file can."""
    ballast = tmp_path / "chaos-ballast"
    ballast.mkdir()
    asked = Order(run="r", fault="f", undo=Undo("remove", path=str(ballast)), ends_ns=time.monotonic_ns())
    tries = 0

    def other_file(_: float) -> None:
        nonlocal tries
        tries += 1
        if tries == 3:
            ballast.rmdir()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("experiments.faults.watchdog.sleep", other_file)
        assert undo_surely(asked, "lease over")
    assert tries == 3
