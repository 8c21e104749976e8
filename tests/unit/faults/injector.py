"""A real injector: it takes the steps of a hang, tells each, and waits at one of them to be killed.

python injector.py LEDGER BOARD PID STARTED_TICKS LEASE_S STEP
"""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.process import ProcessIdentity, send
from experiments.faults.succession import begin
from experiments.faults.undo import Undo, carry_out
from experiments.faults.watchdog import Order, Watchdog
from experiments.ledger.entry import Entry, Step
from experiments.ledger.file import Ledger
from experiments.planning.ground import Ground

STEPS = ("planned", "arming", "armed", "injecting", "injected", "undoing", "undone", "ended")


def run(path: str, board: str, target: ProcessIdentity, lease_s: float, last: str) -> None:
    ledger = Ledger(Path(path))
    undo = Undo.resume(target)

    def write(step: Step, **data: object) -> None:
        ledger.append(Entry(run="r1", step=step, fault="0.0.t", data=dict(data)))

    def reached(step: str) -> None:
        print(step, flush=True)  # noqa: T201 - this is how the test is told
        if step == last:
            time.sleep(600)

    refused = begin(ledger, run="r1", experiment="hang", ground=Ground(names=("t",)), limit=1)
    assert not refused
    reached("planned")
    ends_ns = SYSTEM_CLOCK.now_ns() + int(lease_s * 1e9)
    write("arming", undo=undo.as_data(), target="t")
    reached("arming")
    watchdog = Watchdog(Order(run="r1", fault="0.0.t", undo=undo, ends_ns=ends_ns, ledger=path, board=board))
    write("armed", watchdog=watchdog.pid)
    reached("armed")
    send(target, signal.SIGSTOP)
    reached("injecting")
    write("injected")
    reached("injected")
    carry_out(undo)
    reached("undoing")
    write("undone", by="runner")
    watchdog.release()
    reached("undone")
    write("ended", verdict="held")
    reached("ended")


if __name__ == "__main__":
    run(
        sys.argv[1],
        sys.argv[2],
        ProcessIdentity(int(sys.argv[3]), int(sys.argv[4])),
        float(sys.argv[5]),
        sys.argv[6],
    )
