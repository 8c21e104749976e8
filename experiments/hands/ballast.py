"""A process of ours that uses something up: processors, or memory. It does nothing until it is told to begin.

It ends when it is killed, which is its undo, or with the pipe of the hand that started it. It is a process of its own:
ending it gives all back, whatever state it is in.

    python -m experiments.hands.ballast cpu 0.9 4          share of each core, cores
    python -m experiments.hands.ballast memory 1024        MiB
"""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import IO, cast

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.process import ProcessIdentity, identify

_SLICE_S = 0.05
_MIB = 1 << 20
_PIECE_MB = 256
_POPULATE_WRITE = 23
"""`MADV_POPULATE_WRITE` of madvise(2), since Linux 5.14: it gives a mapping its pages, and locks out no other."""

_READY = b"ready\n"
END_TIMEOUT_S = 5.0


class Ballast:
    """A ballast process, as who started it sees it.

    Args:
        arguments: See the module.

    Attributes:
        identity: The process.
        holder: The process, and how much memory it is to hold, MiB; None: memory is not what it uses up.

    Raises:
        OSError: It did not come up.
    """

    def __init__(self, *arguments: str) -> None:
        # -P: a user's own folder `experiments` must not be found first.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "experiments.hands.ballast", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
        )
        said = cast("IO[bytes]", self._process.stdout).readline()
        if said != _READY:
            self.end()
            raise OSError(f"the process that was to use up {arguments[0]} did not come up")
        self.identity: ProcessIdentity = identify(self._process.pid)
        what, amount, *_ = arguments
        self.holder = (self.identity, float(amount)) if what == "memory" else None

    def begin(self) -> None:
        """Use it up from now on.

        Raises:
            OSError: It is gone.
        """
        pipe = cast("IO[bytes]", self._process.stdin)
        pipe.write(b"begin\n")
        pipe.flush()

    def end(self) -> None:
        """Give it all back, and leave no zombie; a second call does nothing."""
        self._process.kill()
        self._process.wait(END_TIMEOUT_S)
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                cast("IO[bytes]", pipe).close()


def main(arguments: list[str]) -> None:
    """Wait for the word, then use it up until killed, or until whoever started this is gone."""
    what, amount = arguments[0], float(arguments[1])
    sys.stdout.buffer.write(_READY)
    sys.stdout.buffer.flush()
    if not sys.stdin.buffer.readline():
        return
    if what == "cpu":
        _burn(amount, int(arguments[2]))
    else:
        _hold_memory(int(amount))


def _burn(share: float, cores: int) -> None:
    """A child for each core but one; they end with this process, whose end closes their pipe."""
    reading, writing = os.pipe()
    for _ in range(cores - 1):
        if os.fork() == 0:
            os.close(writing)
            os.dup2(reading, sys.stdin.fileno())
            break
    os.set_blocking(sys.stdin.fileno(), False)
    while not _is_over():
        until = SYSTEM_CLOCK.now() + _SLICE_S * share
        while SYSTEM_CLOCK.now() < until:
            pass
        sleep(_SLICE_S * (1 - share))


def _is_over() -> bool:
    try:
        return os.read(sys.stdin.fileno(), 1) == b""
    except BlockingIOError:
        return False


def _hold_memory(mebibytes: int) -> None:
    """In pieces, each with its pages: a page that nobody has touched takes no memory. A thread for each core fills."""
    sizes = [min(_PIECE_MB, mebibytes - begin) * _MIB for begin in range(0, mebibytes, _PIECE_MB)]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        held = list(pool.map(_filled, sizes))
        sys.stdin.buffer.readline()
    del held


def _filled(size: int) -> mmap.mmap:
    piece = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    try:
        piece.madvise(mmap.MADV_HUGEPAGE)
        piece.madvise(_POPULATE_WRITE)
    except OSError:  # an older kernel
        for place in range(0, size, mmap.PAGESIZE):
            piece[place] = 1
    return piece


if __name__ == "__main__":
    main(sys.argv[1:])
