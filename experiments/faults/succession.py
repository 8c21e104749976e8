"""What a runner does before it starts one of its own: end the faults that earlier runners left on, and their runs.

Whose runner lives is left alone. Of a run on another host only the verdict can be told from here; its faults are ended
by their watchdogs, and by whoever calls this there.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.process import ProcessIdentity, is_alive, this_process
from experiments.faults.undo import Undo, carry_out, is_undone
from experiments.ledger.entry import Entry
from experiments.ledger.file import Ledger
from experiments.ledger.standing import RunStanding, refusal
from experiments.planning.ground import Ground

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """What was ended.

    Attributes:
        runs: Runs whose runner was gone; each is aborted now.
        faults: What was undone, as `run fault: what was done`.
        left_on: What could not be undone, with the reason.
    """

    runs: tuple[str, ...]
    faults: tuple[str, ...]
    left_on: tuple[str, ...]


def this_host() -> str:
    """This boot of this host: numbers of processes and monotonic times mean something only within it."""
    try:
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        boot = ""
    return f"{socket.gethostname()}/{boot}"


def begin(  # noqa: PLR0913 - each decides, or is written down
    ledger: Ledger,
    *,
    run: str,
    experiment: str,
    ground: Ground,
    limit: int,
    runner: tuple[int, int, str] | None = None,
    family: str = "",
) -> str:
    """Take a run into the ledger, unless others forbid it; why they do, or nothing.

    Args:
        ledger: The host's ledger.
        run: Its name; no other run may have had it.
        experiment: The experiment's name.
        ground: What it touches.
        limit: How many may run at a time.
        runner: Whose run it is; left out, this process's.
        family: What the names of all runs of the same experiment begin with, if it has several.
    Raises:
        LedgerUnwritableError: It could not be written.
    """
    data = {"experiment": experiment, **ground.as_data(), "runner": list(runner or this_runner())}
    entry = Entry(run=run, step="planned", data=data, at_us=SYSTEM_CLOCK.wall_us())
    return ledger.begin(entry, lambda runs: refusal(runs, ground=ground, limit=limit, name=run, family=family))


def this_runner() -> tuple[int, int, str]:
    """This process, as a runner is written down."""
    me = this_process()
    return me.pid, me.started_ticks, this_host()


def clear(ledger: Ledger, *, whose: Callable[[RunStanding], bool] | None = None) -> Cleared:
    """End what was left on.

    Args:
        ledger: The host's ledger.
        whose: Which runs to end; left out: those whose runner is gone. All: `lambda run: True`, as for a halt.
    Raises:
        OSError: The ledger cannot be read.
        LedgerUnwritableError: It cannot be written.
    """
    host = this_host()
    chosen = whose or (lambda run: not _lives(run, host))
    runs: list[str] = []
    faults: list[str] = []
    left_on: list[str] = []
    entries: list[Entry] = []
    for run in ledger.runs().values():
        if not (run.goes_on or run.undoable) or not chosen(run):
            continue
        for fault, data in run.undoable.items():
            where = data.get("host", run.runner[2])
            entries.append(_undo(run.run, fault, data, host if where == host else ""))
            told = faults if entries[-1].step == "undone" else left_on
            told.append(f"{run.run} {fault}: {entries[-1].data.get('did') or entries[-1].data.get('reason')}")
        if run.goes_on:
            runs.append(run.run)
            is_gone = whose is None or (run.runner[2] == host and not _lives(run, host))
            why = "its runner was gone" if is_gone else "it was ended from outside"
            data = {"verdict": "aborted", "why": why}
            entries.append(Entry(run=run.run, step="ended", data=data, at_us=SYSTEM_CLOCK.wall_us()))
    if entries:
        ledger.append(*entries)  # all is undone first: a ledger that cannot be written leaves nothing on
    return Cleared(runs=tuple(runs), faults=tuple(faults), left_on=tuple(left_on))


def _lives(run: RunStanding, host: str) -> bool:
    pid, ticks, where = run.runner
    return where == host and is_alive(ProcessIdentity(pid, ticks))


def _undo(run: str, fault: str, data: dict[str, object], host: str) -> Entry:
    """Undo one fault; the entry that tells of it."""
    at_us = SYSTEM_CLOCK.wall_us()
    if not host:
        # Another host, or an earlier boot of this one: whatever the numbers in it mean here, it is somebody else's.
        told = {"by": "successor", "did": "its host is another one now; nothing of it is here"}
        return Entry(run=run, step="undone", fault=fault, data=told, at_us=at_us)
    try:
        undo = Undo.from_data(data.get("undo"))
        did = carry_out(undo)
        if is_undone(undo):
            told = {"by": "successor", "did": did}
            return Entry(run=run, step="undone", fault=fault, data=told, at_us=at_us)
        reason = f"{did}, and it is on still"
    except (OSError, ValueError, TypeError) as error:
        reason = str(error)
    return Entry(run=run, step="kept_on", fault=fault, data={"reason": reason}, at_us=at_us)
