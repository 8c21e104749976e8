"""A stopped process is ended with its lease, with its lessor, and never when it runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from actors.runtime.process import ProcessIdentity, evidence, is_alive, send
from experiments.demo.lease import HangLease, guard

pytestmark = pytest.mark.timeout(30)


def identity(pid: int) -> ProcessIdentity:
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        return ProcessIdentity(pid, int(stat.read().rpartition(")")[2].split()[19]))


def wait_for(condition, timeout_s: float = 10.0) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def sleeper():
    process = subprocess.Popen(["sleep", "60"])
    yield identity(process.pid)
    process.kill()
    process.wait()


def stop(target: ProcessIdentity) -> None:
    assert send(target, signal.SIGSTOP)
    wait_for(lambda: evidence(target, now=0.0).state == "T")


def test_the_end_of_the_lease_ends_what_is_still_stopped(sleeper):
    lease = HangLease(sleeper, 60.0)
    stop(sleeper)
    lease.end()
    lease.end()
    wait_for(lambda: not is_alive(sleeper))


def test_a_lease_that_runs_out_ends_what_is_still_stopped(sleeper):
    lease = HangLease(sleeper, 0.2)
    stop(sleeper)
    wait_for(lambda: not is_alive(sleeper))
    lease.end()


def test_the_lessor_s_death_ends_what_is_still_stopped(sleeper):
    lessor = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from actors.runtime.process import ProcessIdentity;"
            "from experiments.demo.lease import HangLease;"
            f"lease = HangLease(ProcessIdentity({sleeper.pid}, {sleeper.started_ticks}), 60.0);"
            "print('armed', flush=True); sys.stdin.read()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert lessor.stdout is not None
    assert lessor.stdin is not None
    assert lessor.stdout.readline() == b"armed\n"
    stop(sleeper)
    lessor.kill()
    lessor.wait()
    wait_for(lambda: not is_alive(sleeper))
    lessor.stdin.close()
    lessor.stdout.close()


def test_what_runs_is_left_alone(sleeper):
    lease = HangLease(sleeper, 60.0)
    lease.end()
    assert is_alive(sleeper)


def test_another_life_of_the_pid_is_left_alone(sleeper):
    stop(sleeper)
    read, write = os.pipe()
    os.close(write)
    with os.fdopen(read, "rb") as stdin:
        assert not guard(ProcessIdentity(sleeper.pid, sleeper.started_ticks + 1), 5.0, stdin)
        assert is_alive(sleeper)
        assert guard(sleeper, 5.0, stdin)
