"""The watchdog of one fault: a process that outlives its injector and undoes the fault when its time has come.

    armed --released: its injector undid the fault--> gone
      +-- lease over | halt flag up | injector gone --> undoing --undone--> written down --> gone
                                                          ^  |
                                                          +--+ not undone: again, until it is

It is no child of whoever started it: it is forked twice and leads a session of its own, because an actor's children die
with it, and `ray.kill` finds those that only left its session. Its order is data: an undo, and the lease's end on this
host's monotonic clock. It learns of its injector's death from a pipe that ends with it, so no number of a process can
mislead it; a stopped injector cannot hold it up, because the lease ends all the same.

    python -m experiments.faults.watchdog          (reads its order from stdin)
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, cast

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from experiments.errors import LedgerUnwritableError, WatchdogError
from experiments.faults.undo import Undo, carry_out, is_undone
from experiments.ledger.entry import Entry
from experiments.ledger.file import Ledger
from experiments.ledger.halt import HaltFlag

ARM_TIMEOUT_S = 10.0
_LAST_WORDS_S = 0.5
"""How long a process that closed its pipe may take to end, seconds."""

LOOK_EVERY_S = 0.1
"""How often it looks for the halt flag, and tries again what failed."""

GIVE_UP_S = 3_600.0
"""So long after the lease's end it stops trying: the target belongs to somebody else by then."""

_RELEASED = b"r"
_NS = 1_000_000_000

Cause = Literal["released", "lease over", "halted", "injector gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a watchdog is told.

    Attributes:
        run: The run.
        fault: The fault's name in it.
        undo: What it does.
        ends_ns: When, monotonic nanoseconds of this host.
        ledger: Where it writes down that it did; nothing: nowhere.
        board: The file of the board whose halt flag ends it; nothing: none does.
    """

    run: str
    fault: str
    undo: Undo
    ends_ns: int
    ledger: str = ""
    board: str = ""

    def as_line(self) -> bytes:
        """The order as it travels."""
        fields = {name: getattr(self, name) for name in ("run", "fault", "ends_ns", "ledger", "board")}
        return json.dumps({**fields, "undo": self.undo.as_data()}).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Order:
        """The order that travelled.

        Raises:
            ValueError, TypeError, KeyError: It is none.
        """
        fields: Any = json.loads(line)
        return cls(
            run=str(fields["run"]),
            fault=str(fields["fault"]),
            undo=Undo.from_data(fields["undo"]),
            ends_ns=int(fields["ends_ns"]),
            ledger=str(fields["ledger"]),
            board=str(fields["board"]),
        )


class Watchdog:
    """The injector's end of an armed watchdog.

    Args:
        order: What it does.
    Raises:
        WatchdogError: It did not come up; inject nothing.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        # -P: a user's own folder `experiments` must not be found first.
        self._starter = subprocess.Popen(
            [sys.executable, "-P", "-m", "experiments.faults.watchdog"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
        )
        self._line = cast("IO[bytes]", self._starter.stdin)
        told = cast("IO[bytes]", self._starter.stdout)
        try:
            self._line.write(order.as_line())
            self._line.flush()
            said = _first_line(told, ARM_TIMEOUT_S)
        except OSError:
            said = b""  # it is gone, and reads no order
        finally:
            told.close()
        if said is None or not said.startswith(b"armed "):
            late = said is None
            code = self._abandon()
            reason = f"did not come up within {ARM_TIMEOUT_S:g} s" if late else f"ended before, with exit code {code}"
            raise WatchdogError(order.fault, reason=f"its process {reason}")
        self.pid = int(said.split()[1])
        self._starter.wait(ARM_TIMEOUT_S)

    def release(self) -> None:
        """Let it go: the fault is undone. A second call does nothing."""
        if not self._line.closed:
            with suppress(OSError):
                self._line.write(_RELEASED)
                self._line.flush()
            with suppress(OSError):
                self._line.close()

    def _abandon(self) -> int:
        """End it, if it has not ended; its exit code."""
        with suppress(OSError):
            self._line.close()
        with suppress(subprocess.TimeoutExpired):
            return self._starter.wait(_LAST_WORDS_S)
        self._starter.kill()
        return self._starter.wait()


def _first_line(pipe: IO[bytes], timeout_s: float) -> bytes | None:
    """What it says; nothing: it has ended. None: it says nothing within that time."""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        return pipe.readline() if selector.select(timeout_s) else None


# -- the other end --------------------------------------------------------------------------------------------------


def watch(order: Order, line: int) -> Cause:
    """Wait for what ends the fault.

    Args:
        order: What was told.
        line: A descriptor that ends with the injector, and on which it releases.
    """
    halt = HaltFlag(Path(order.board)) if order.board else None
    with selectors.DefaultSelector() as selector:
        selector.register(line, selectors.EVENT_READ)
        while True:
            left_s = (order.ends_ns - SYSTEM_CLOCK.now_ns()) / _NS
            if left_s <= 0:
                return "lease over"
            if halt is not None and halt.is_up():
                return "halted"
            if selector.select(min(left_s, LOOK_EVERY_S)):
                return "released" if os.read(line, 1) == _RELEASED else "injector gone"


def undo_surely(order: Order, cause: Cause) -> bool:
    """Undo the fault, again and again until nothing is left of it; False when it was given up."""
    give_up_ns = max(order.ends_ns, SYSTEM_CLOCK.now_ns()) + int(GIVE_UP_S * _NS)
    while SYSTEM_CLOCK.now_ns() < give_up_ns:
        with suppress(OSError):
            did = carry_out(order.undo)
            if is_undone(order.undo):
                _write_down(order, cause, did)
                return True
        sleep(LOOK_EVERY_S)
    return False


def _write_down(order: Order, cause: Cause, did: str) -> None:
    """The ledger knows of it where it can be written; where it cannot, a successor undoes it again."""
    if not order.ledger:
        return
    data = {"by": "watchdog", "cause": cause, "did": did}
    entry = Entry(run=order.run, step="undone", fault=order.fault, data=data, at_us=SYSTEM_CLOCK.wall_us())
    with suppress(LedgerUnwritableError):
        Ledger(Path(order.ledger)).append(entry)


def _detach() -> None:
    """Become nobody's child, in a session of its own."""
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)


def main() -> None:
    """Read the order, detach, tell that it is armed, and wait."""
    order = Order.from_line(_read_line(sys.stdin.fileno()))
    _detach()
    os.write(sys.stdout.fileno(), b"armed %d\n" % os.getpid())
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    cause = watch(order, sys.stdin.fileno())
    if cause != "released":
        undo_surely(order, cause)
    os._exit(0)


def _read_line(descriptor: int) -> bytes:
    """One line, and not a byte of what follows: that is the injector's release."""
    found = bytearray()
    while not found.endswith(b"\n"):
        byte = os.read(descriptor, 1)
        if not byte:
            raise EOFError("the order ended before its line did")
        found += byte
    return bytes(found)


if __name__ == "__main__":
    main()
