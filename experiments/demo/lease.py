"""The lease of a SIGSTOP: a stopped process cannot notice that its cluster ended, so somebody else must end it.

A guard, in a process and session of its own, is armed before the signal is sent. It SIGKILLs the target when the lease
runs out, or when its stdin reaches EOF because whoever armed it is gone, unless the target ended or runs by then:

    python -m experiments.demo.lease PID STARTED_TICKS SECONDS
"""

from __future__ import annotations

import selectors
import subprocess
import sys
from typing import IO, cast

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.process import ProcessIdentity, evidence, kill

ARM_TIMEOUT_S = 10.0
END_TIMEOUT_S = 5.0

_ARMED = b"armed\n"
_STOPPED = ("T", "t")


class HangLease:
    """An armed guard over a process that is about to be stopped.

    Args:
        target: The process.
        seconds: How long it may stay stopped.
    Raises:
        RuntimeError: The guard did not come up; stop nothing.
    """

    def __init__(self, target: ProcessIdentity, seconds: float) -> None:
        arguments = [str(target.pid), str(target.started_ticks), str(seconds)]
        self._guard = subprocess.Popen(
            [sys.executable, "-P", "-m", "experiments.demo.lease", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._stdin = cast("IO[bytes]", self._guard.stdin)
        self._stdout = cast("IO[bytes]", self._guard.stdout)
        if not _says_armed(self._stdout):
            self.end()
            message = f"no guard for process {target.pid} within {ARM_TIMEOUT_S:g} s, so it is not stopped; try again"
            raise RuntimeError(message)

    def end(self) -> None:
        """End the lease now: a target that is still stopped is killed. A second call does nothing."""
        self._stdin.close()
        try:
            self._guard.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        self._stdout.close()


def _says_armed(pipe: IO[bytes]) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        return bool(selector.select(ARM_TIMEOUT_S)) and pipe.readline() == _ARMED


def guard(target: ProcessIdentity, seconds: float, stdin: IO[bytes]) -> bool:
    """Wait for the lease's end or for EOF, then end the target if it is stopped; True when it had to be killed."""
    with selectors.DefaultSelector() as selector:
        selector.register(stdin, selectors.EVENT_READ)
        selector.select(seconds)
    return evidence(target, SYSTEM_CLOCK.now()).state in _STOPPED and kill(target)


if __name__ == "__main__":
    sys.stdout.buffer.write(_ARMED)
    sys.stdout.buffer.flush()
    guard(ProcessIdentity(int(sys.argv[1]), int(sys.argv[2])), float(sys.argv[3]), sys.stdin.buffer)
