"""How bad what is seen is, as the numbers that rules compare. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.breaker.published import Published
    from actors.degradation.settings import BudgetSettings

HALF_OPEN = 0.5


def openness_of(published: Published) -> float:
    """0 for a breaker that lets everything through, 1 for one that lets nothing through."""
    match published.state:
        case "open" | "forced_open":
            return 1.0
        case "half_open":
            return HALF_OPEN
        case "ramping":
            return 1.0 - published.share
        case _:
            return 0.0


def burn_of(tasks: int, failed: int, settings: BudgetSettings) -> float | None:
    """How many times as fast as the objective allows failures come; None while of too few tasks some have failed."""
    if failed == 0:
        return 0.0
    if tasks < settings.tasks_min:
        return None
    return (failed / tasks) / (1.0 - settings.objective)
