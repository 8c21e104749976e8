"""The functions that a file may name in `experiments.driver`, with their arguments. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from actors.runtime.settings import Settings
from experiments.model.selector import Selector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from experiments.model.tolerances import Yields

Measure = Literal[
    "lost",
    "doubled",
    "unexpected",
    "forgotten",
    "asked_again",
    "unlogged",
    "attempted",
    "failed",
    "error_share",
    "p50_s",
    "p99_s",
]


class Query(Settings):
    """Rows of the event log, as mappings of column to value."""

    sql: str = Field(min_length=1, max_length=100_000, description="One SELECT.")
    parameters: tuple[Any, ...] = Field(default=(), max_length=100, description="Its parameters.")


class Health(Settings):
    """A health score from 0 to 100."""

    component: str = Field(default="*", min_length=1, max_length=256, description="Of one component; *: of the system.")


class Burn(Settings):
    """How fast the error budget of a component burns; 1 spends it just as fast as it is given."""

    component: str = Field(default="*", min_length=1, max_length=256, description="Of one component; *: of the tasks.")
    objective: float = Field(default=0.999, gt=0, lt=1, description="The share of calls that is to succeed.")
    window_s: float = Field(default=60.0, gt=0, le=86_400, description="Of the last so many seconds.")


class Measured(Settings):
    """One number about the load that runs meanwhile."""

    measure: Measure = Field(description="Which.")


class Running(Settings):
    """How many targets run and answer."""

    target: Selector = Field(description="Of which targets.")


class BreakerState(Settings):
    """A breaker's state, as a text."""

    name: str = Field(min_length=1, max_length=256, description="Which breaker.")


class Recovered(Settings):
    """How many restarts are not yet followed by a ready life; 0 once all has recovered."""


class Nothing(Settings):
    """No arguments."""


PROBES: Mapping[str, tuple[type[Settings], Yields]] = {
    "query": (Query, "rows"),
    "health_score": (Health, "number"),
    "slo_burn": (Burn, "number"),
    "measured": (Measured, "number"),
    "running": (Running, "number"),
    "breaker_state": (BreakerState, "text"),
    "unrecovered": (Recovered, "number"),
}
"""Those that look, with what they take and what they give."""

ACTIONS = ("inject", "clear")
"""Those that change something; what `inject` takes is a fault."""
