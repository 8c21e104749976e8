"""Which event of the log tells that a fault was seen, and which that its target is whole again. Pure.

Each fault is matched to its recovery, or to a stated loss: what is neither is not left open.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.model.lasting import LASTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from experiments.judging.facts import FaultFact, LogFact
    from experiments.model.faults import FaultKind

_ENDS = frozenset(("died", "killed", "fenced", "hung", "stopped", "node_lost", "explained"))
_TROUBLE = frozenset(("opened", "failed", "unreachable", "degraded", "suspected", "unhealthy", "takeover_failed"))

DETECTS: Mapping[FaultKind, frozenset[str]] = {
    "crash": _ENDS,
    "hang": _ENDS | {"suspected", "unhealthy", "failed"},
    "latency": _TROUBLE,
    "error": _TROUBLE | {"died"},
    "unavailable": _TROUBLE | _ENDS,
    "exhaustion": _TROUBLE | _ENDS,
}
"""What tells that the cluster saw it."""

_WHOLE = frozenset(("ready", "promoted", "adopted", "closed", "recovered", "passed"))
_FOR_GOOD = frozenset(("given_up", "deleted"))


def match(
    faults: Iterable[FaultFact], events: Sequence[LogFact], *, watched_by: Mapping[str, Collection[str]] | None = None
) -> tuple[FaultFact, ...]:
    """The faults with their detection and recovery.

    Args:
        faults: As they were injected and undone.
        events: Of the log, in any order.
        watched_by: Whose events tell of a target, too, as those of a breaker of the dependency behind it.
    """
    ordered = sorted(events, key=lambda event: (event.at_s, event.event_id))
    others = watched_by or {}
    return tuple(_match_one(fault, ordered, {fault.target, *others.get(fault.target, ())}) for fault in faults)


def _match_one(fault: FaultFact, events: list[LogFact], subjects: Collection[str]) -> FaultFact:
    injected_at_s = fault.injected_at_s
    if injected_at_s is None:
        return replace(fault, loss="it was not injected")
    about = [event for event in events if event.subject in subjects and event.at_s >= injected_at_s]
    seen = next((event for event in about if event.event in DETECTS[fault.fault]), None)
    if seen is not None:
        fault = replace(fault, detected_at_s=seen.at_s, detected_by=seen.event_id)
    if fault.lasts:
        return replace(fault, loss=LASTS)
    later = [event for event in about if seen is None or event.at_s >= seen.at_s]
    well = [event for event in later if event.event in _WHOLE and _is_later_life(event, seen)]
    well_at_s = max((event.at_s for event in well), default=injected_at_s)
    over = next((event for event in later if event.event in _FOR_GOOD and event.at_s >= well_at_s), None)
    if over is not None:
        return replace(fault, loss=f"{over.subject} was {over.event} ({over.event_id})")
    if well:
        return replace(fault, recovered_at_s=well[0].at_s, recovered_by=well[0].event_id)
    if seen is None and fault.undone_at_s is not None and not _ends_somebody(fault):
        # Nobody had to mend anything: it was over with the fault itself.
        return replace(fault, recovered_at_s=fault.undone_at_s, recovered_by=f"undone/{fault.fault_id}")
    told = f"{seen.event} ({seen.event_id})" if seen is not None else "nothing in the log tells of it"
    return replace(fault, loss=f"{told}, and {fault.target} was not seen whole again")


def _ends_somebody(fault: FaultFact) -> bool:
    """Whether somebody died of it, whom no undo brings back; a node is nobody: who lived there is."""
    return fault.fault == "crash" and not fault.target.startswith("node/")


def _is_later_life(event: LogFact, seen: LogFact | None) -> bool:
    return seen is None or not event.incarnation or not seen.incarnation or event.incarnation > seen.incarnation
