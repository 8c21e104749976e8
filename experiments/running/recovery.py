"""How the targets of faults fared by the log: looked at until each is whole again, or its loss is known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from experiments.judging.matching import match
from experiments.running.reading import read_log, watched_by
from experiments.running.survey import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from experiments.judging.facts import FaultFact
    from experiments.running.reading import LogSight
    from experiments.running.survey import Survey
    from supervisor import Supervisor

PATIENCE_S = 5.0
"""How long the log may still bring a recovery that no limit is given for, seconds."""

LOOK_EVERY_S = 0.3
_US = 1_000_000


def look_at_log(
    sup: Supervisor, before: Survey, run: str, faults: Collection[FaultFact], *, began_us: int, until_us: int
) -> tuple[LogSight, tuple[FaultFact, ...]]:
    """What the log has of a run, and its faults with their detection and recovery.

    Args:
        sup: The supervisor.
        before: Who was there when it began.
        run: Its name.
        faults: As they were injected and undone.
        began_us: When it began, wall-clock microseconds.
        until_us: Up to when.
    """
    log = read_log(sup.events, run, began_us=began_us, until_us=until_us, leader=before.spots[ROOT].incarnation)
    matched = match(faults, log.events, watched_by=watched_by(sup, tuple(before.spots.values())))
    return log, tuple(
        replace(each, recovered_by=log.taken.get(each.recovered_by, each.recovered_by)) for each in matched
    )


def may_recover(faults: Collection[FaultFact]) -> bool:
    """Whether a recovery is still missing that nothing has ruled out."""
    return any("was not seen whole again" in fault.loss for fault in faults)


def recovered(
    sup: Supervisor, before: Survey, run: str, look: Callable[[], Collection[FaultFact]], *, began_us: int
) -> tuple[FaultFact, ...]:
    """The faults that `look` gives, matched; up to `PATIENCE_S` are waited for those whose target may be whole yet."""
    until = SYSTEM_CLOCK.now() + PATIENCE_S
    while True:
        until_us = SYSTEM_CLOCK.wall_us() + _US
        _, found = look_at_log(sup, before, run, look(), began_us=began_us, until_us=until_us)
        if not may_recover(found) or SYSTEM_CLOCK.now() >= until:
            return found
        sleep(LOOK_EVERY_S)
