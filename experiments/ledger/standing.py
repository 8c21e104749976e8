"""What the ledger comes to: which runs go on, whom they hit, and what may be left on. Pure.

A fault may be on from the moment its undo was about to be armed until it was seen undone. Whatever is in between when
its runner is gone is undone by its successor, injected or not: nobody knows, and undoing twice changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from experiments.planning.ground import Ground

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from experiments.ledger.entry import Entry


@dataclass(slots=True, kw_only=True)
class RunStanding:
    """One run.

    Attributes:
        run: Its name.
        experiment: The experiment's.
        ground: What it touches.
        runner: Its process, as pid, start time and host.
        active: Faults that may be on, with the undo of each as it was written down.
        injected: Faults that were injected.
        proven: Faults that were seen to act.
        kept_on: Faults that could not be undone, with the reason: a stated loss.
        verdict: How it ended; nothing while it goes on.
        ended_us: When, wall-clock microseconds.
    """

    run: str
    experiment: str = ""
    ground: Ground = field(default_factory=Ground)
    runner: tuple[int, int, str] = (0, 0, "")
    active: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    injected: set[str] = field(default_factory=set[str])
    proven: set[str] = field(default_factory=set[str])
    kept_on: dict[str, str] = field(default_factory=dict[str, str])
    verdict: str = ""
    ended_us: int = 0

    @property
    def undoable(self) -> dict[str, dict[str, Any]]:
        """Of what may be on, what can be taken back: all but what was left to end with the cluster."""
        lasting = {fault for fault in self.kept_on if _lasts(self.active.get(fault, {}))}
        return {fault: data for fault, data in self.active.items() if fault not in lasting}

    @property
    def lasting(self) -> tuple[str, ...]:
        """What goes on until the cluster ends."""
        return tuple(fault for fault in self.active if fault not in self.undoable)

    @property
    def goes_on(self) -> bool:
        """Whether it has not ended."""
        return not self.verdict


def _lasts(data: Mapping[str, Any]) -> bool:
    undo: Any = data.get("undo")
    return isinstance(undo, dict) and undo.get("kind") == "outlast"


def fold(entries: Iterable[Entry]) -> dict[str, RunStanding]:
    """Each run as its entries leave it, oldest first."""
    runs: dict[str, RunStanding] = {}
    for entry in entries:
        _apply(runs.setdefault(entry.run, RunStanding(run=entry.run)), entry)
    return runs


def what_is_on(entries: Iterable[Entry]) -> list[Entry]:
    """Of these the ones that say which runs go on, and what may be on."""
    known = list(entries)
    runs = {name: run for name, run in fold(known).items() if run.goes_on or run.active}
    return [each for each in known if each.run in runs and (not each.fault or each.fault in runs[each.run].active)]


def _apply(run: RunStanding, entry: Entry) -> None:
    match entry.step:
        case "planned":
            run.experiment = str(entry.data.get("experiment", ""))
            run.ground = Ground.from_data(entry.data)
            pid, ticks, host = entry.data.get("runner", (0, 0, ""))
            run.runner = (int(pid), int(ticks), str(host))
        case "arming":
            run.active[entry.fault] = dict(entry.data)
        case "injected":
            run.injected.add(entry.fault)
        case "proven":
            run.proven.add(entry.fault)
        case "undone":
            run.active.pop(entry.fault, None)
            run.kept_on.pop(entry.fault, None)
        case "kept_on":
            if entry.fault in run.active:  # else its watchdog was there first, and undid it
                run.kept_on[entry.fault] = str(entry.data.get("reason", ""))
        case "ended":
            run.verdict = str(entry.data.get("verdict", "aborted"))
            run.ended_us = entry.at_us
        case "armed" | "observing":
            pass  # nothing more may be on than before


def refusal(runs: Iterable[RunStanding], *, ground: Ground, limit: int, name: str = "", family: str = "") -> str:
    """Why another run, of that name, may not start beside these; nothing: it may.

    Those whose names begin with `family` are of the same experiment: all together are one.
    """
    known = list(runs)
    if any(run.run == name for run in known):
        return f"there was a run named {name!r} already; give each a name of its own"
    going = [run for run in known if run.goes_on]
    for run in going:
        shared = ground.shared_with(run.ground)
        if shared:
            return f"{', '.join(shared)} are hit by {run.run} already"
    others = [run.run for run in going if not (family and run.run.startswith(family))]
    return over_limit(limit, others)


def over_limit(limit: int, others: Collection[str]) -> str:
    """Why another run may not start beside so many; nothing: it may."""
    return f"{limit} experiments may run at a time, and these do: {', '.join(others)}" if len(others) >= limit else ""


def left_on(runs: Iterable[RunStanding]) -> dict[tuple[str, str], dict[str, Any]]:
    """Every fault that may be on, by run and fault, also those of runs that ended without undoing them."""
    return {(run.run, fault): dict(data) for run in runs for fault, data in run.active.items()}


def touched_by_others(runs: Iterable[RunStanding], run: str, *, since_us: int) -> frozenset[str]:
    """Whom other runs touched since a moment of the wall clock, microseconds."""
    return frozenset(
        name
        for other in runs
        if other.run != run and (other.goes_on or other.ended_us >= since_us)
        for name in other.ground.names
    )
