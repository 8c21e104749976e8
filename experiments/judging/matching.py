"""Which event of the log tells that a fault was seen, and which that its target is whole again. Pure.

Each fault is matched to its recovery, or to a stated loss: what is neither is not left open. A crash that hits one life
after the other has a recovery of its own for each: one that followed the first tells nothing of the last.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.model.lasting import LASTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from experiments.judging.facts import FaultFact, LogFact, StrikeFact
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
    return _match_strikes(fault, about) if len(fault.strikes) > 1 else _matched(fault, about, injected_at_s)


def _match_strikes(fault: FaultFact, about: list[LogFact]) -> FaultFact:
    """Each strike with what followed before the next one; the fault has recovered if it has from all of them."""
    matched: list[StrikeFact] = []
    for number, strike in enumerate(fault.strikes):
        following = fault.strikes[number + 1] if number + 1 < len(fault.strikes) else None
        own = [event for event in about if _follows(event, strike) and not (following and _is_of(event, following))]
        one = _matched(replace(fault, injected_at_s=strike.at_s, strikes=()), own, strike.at_s)
        matched.append(
            replace(
                strike,
                detected_at_s=one.detected_at_s,
                recovered_at_s=one.recovered_at_s,
                recovered_by=one.recovered_by,
                loss=one.loss,
            )
        )
        if number == 0:
            fault = replace(fault, detected_at_s=one.detected_at_s, detected_by=one.detected_by)
    fault, last = replace(fault, strikes=tuple(matched)), matched[-1]
    for number, strike in enumerate(matched, start=1):
        if strike.loss:
            return replace(fault, loss=f"hit {number} of {len(matched)}: {strike.loss}")
    return replace(fault, recovered_at_s=last.recovered_at_s, recovered_by=last.recovered_by)


def _follows(event: LogFact, strike: StrikeFact) -> bool:
    """Whether it may tell of a strike: of the life that was hit its end, of later ones whatever they do."""
    if not event.incarnation or not strike.life:
        return event.at_s >= strike.at_s
    return event.incarnation > strike.life or (event.incarnation == strike.life and event.event not in _WHOLE)


def _is_of(event: LogFact, following: StrikeFact) -> bool:
    """Whether it tells of the next strike already; that the life which is hit then came up, tells of the one before."""
    if not event.incarnation or not following.life:
        return event.at_s >= following.at_s
    return _follows(event, following)


def _matched(fault: FaultFact, about: list[LogFact], injected_at_s: float) -> FaultFact:
    """By the events that may tell of it, in their order."""
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
