"""What subscribers and the degradation are told of what the machine commands. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.health import messages as m
from actors.health.published import HealthChange

if TYPE_CHECKING:
    from collections.abc import Collection

    from actors.health.published import HealthStanding

SYSTEM, COMPONENT = SCORES = ("system_score", "component_score")
"""What it measures, as the degradation's rules name it."""

Signals = dict[tuple[str, str], float | None]
"""By what is measured and of whom."""


def change_of(command: m.Command, at_us: int) -> HealthChange | None:
    """The change that a command tells of, or None."""
    match command:
        case m.TellChange():
            return HealthChange(
                kind="state",
                component=command.component,
                before=command.before,
                after=command.after,
                flapping=command.flapping,
                caused_by=command.caused_by,
                detail=command.detail,
                silent_s=command.silent_s,
                at_us=at_us,
            )
        case m.AlarmBlindness():
            return HealthChange(kind="blind", detail=command.detail, silent_s=command.gap_s, at_us=at_us)
        case m.NoteSight():
            return HealthChange(kind="seeing", detail=command.detail, at_us=at_us)
        case _:
            return None


def signals_of(standing: HealthStanding, told: Signals, of: Collection[str]) -> Signals:
    """What the degradation is told: the scores; None takes back what was told of a component that is no more.

    Args:
        standing: How things stand.
        told: What it was told last.
        of: The components that it wants to hear of; "" is the system.
    """
    scores = standing.scores
    signals: Signals = {(COMPONENT, name): scores[name] for name in of if name in scores}
    if "" in of:
        signals[SYSTEM, ""] = standing.score
    return dict.fromkeys(told, None) | signals
