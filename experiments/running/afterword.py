"""What the event log is told of runs whose runner was killed: the successor writes down how they ended.

The ledgers know it as soon as what was left on is cleared, also while no log can be written. So whoever comes next with
a log at hand looks for runs that go on by the log, and whose runner does not live.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.errors import NodeUnreachableError
from experiments.ledger import rows
from experiments.running.books import standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from experiments.hands.hands import Hands
    from experiments.ledger.entry import Entry
    from experiments.running.books import Standing
    from supervisor.events import Events

_RUNNING = """
    SELECT run, experiment, seed, plan, targets, safe_mode, runner, epoch_us(started_at) AS began_us
    FROM chaos_experiments WHERE state = 'running' ORDER BY started_at DESC LIMIT 100
"""
_TOLD = "SELECT DISTINCT event, fault_id FROM chaos_experiment_events WHERE run = ?"
_GONE = "its runner was gone; its watchdogs and its successor ended what it had left on"
_FORGOTTEN = "its runner was gone, and its ledger with its host's last boot"
_UNSEEN = "its runner was gone before anybody looked at what came of it"
UNTOLD = "its injector was gone before it told whether it was injected"
_BEGUN = ("arming", "injected")


def tell_of_gone(events: Events, hands: Hands) -> tuple[str, ...]:
    """Write down how runs of dead runners ended; their names.

    Raises:
        SupervisorError: The log does not answer.
    """
    open_runs = {str(row["run"]): row for row in events.query(_RUNNING)}
    if not open_runs:
        return ()
    seen, _ = standing(hands)
    asked = {seen.runs[run].runner[:2] for run in open_runs if run in seen.runs}
    living = {
        (pid, ticks, node.host) for node in hands.introduce(asked, of=hands.nodes()) for pid, ticks in node.runners
    }
    ended: list[str] = []
    for run, row in open_runs.items():
        known = seen.runs.get(run)
        if known is not None and (known.runner in living or known.goes_on):
            continue  # it is told by its runner, or is cleared first
        _tell(events, run, row, entries_of(hands, seen, run))
        ended.append(run)
    return tuple(ended)


def entries_of(hands: Hands, seen: Standing, run: str) -> list[Entry]:
    """What all ledgers have of a run, oldest first."""
    found: list[Entry] = []
    for node_id in seen.places.get(run, ()):
        try:
            found += hands.on(node_id).entries(run)
        except (NodeUnreachableError, OSError):
            continue
    return sorted(found, key=lambda entry: entry.at_us)


def tell_steps(events: Events, run: str, entries: list[Entry]) -> set[tuple[str, str]]:
    """Write down the steps of a run that its runner did not; all that the log has then, as step and fault.

    Raises:
        SupervisorError: The log does not answer.
    """
    told = {(str(each["event"]), str(each["fault_id"] or "")) for each in events.query(_TOLD, [run])}
    for entry in entries:
        if (entry.step, entry.fault) not in told:
            told.add((entry.step, entry.fault))
            events.record(*rows.of_entry(entry))
    return told


def _tell(events: Events, run: str, row: Mapping[str, Any], entries: list[Entry]) -> None:
    told = tell_steps(events, run, entries)
    verdict, reasons, at_us = "aborted", (_GONE if entries else _FORGOTTEN,), int(row["began_us"])
    for entry in entries:
        at_us = max(at_us, entry.at_us)
        if entry.step == "ended":
            verdict = str(entry.data.get("verdict", verdict))
            reasons = (*reasons, str(entry.data.get("why", "")))
    # Also of what was armed only: it may have been on before its runner could say so.
    for fault in sorted({fault for step, fault in told if fault and step in _BEGUN}):
        if not {("recovered", fault), ("lost", fault)} & told:
            why = _UNSEEN if ("injected", fault) in told else UNTOLD
            events.record(*rows.lost(run, fault, why, at_us=at_us))
    for each in rows.ended_without_plan(row, verdict, tuple(dict.fromkeys(reasons)), at_us=at_us):
        events.record(*each)
