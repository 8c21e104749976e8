"""How healthy the cluster is, as the monitor tells now: what a dead monitor has left on the board is not believed."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.health.published import STANDING
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import SupervisorError
from actors.service.node_board import posted_on
from actors.service.posting import state_name
from supervisor.services.keys import HEALTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from actors.health.published import HealthStanding
    from actors.health.report import Check, SystemHealth
    from supervisor import Supervisor

STALE_SAMPLES = 3
"""What lies on the board for longer than so many samples of the monitor is old."""

ASK_S = 1.0
_UNTOLD = ("unreachable",)
"""Ends of a check that say nothing of who was to be checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """Scores from 0 to 100: the system's, None while nothing is known, and those of components."""

    score: float | None
    scores: Mapping[str, float]

    def of(self, component: str) -> float | None:
        """One of them; `*` is the system's."""
        return self.score if component == "*" else self.scores.get(component)


def vitals(sup: Supervisor) -> Vitals | None:
    """The scores now; None: no monitor tells.

    What is fresh on this node's board is taken from there. What is old is either unchanged or nobody's any more, for a
    monitor lays only what has changed: then the monitor itself is asked.
    """
    posted = posted_on(sup.name, state_name(HEALTH, STANDING), SYSTEM_CLOCK.now_ns())
    if posted is None:
        return None
    if posted.age_s <= STALE_SAMPLES * sup.config.health.sample_s:
        standing: HealthStanding = pickle.loads(posted.replica.payload)  # noqa: S301 - our own monitor made it
        return Vitals(score=standing.score, scores=standing.scores)
    try:
        told: SystemHealth = sup.service(HEALTH).ask("report", timeout_s=ASK_S, start=False)
    except SupervisorError:
        return None
    known = {name: each.score for name, each in told.components.items() if each.score is not None}
    return Vitals(score=told.score, scores=known)


def checks_of(sup: Supervisor, component: str, *, window_s: float) -> tuple[Check, ...]:
    """A component's checks of the last `window_s` seconds, as far as the monitor remembers them.

    Raises:
        SupervisorError: Nobody has registered it, or no monitor answers.
    """
    return sup.service(HEALTH).ask("history", component, window_s, timeout_s=ASK_S, start=False)


def burned(checks: Iterable[Check], objective: float) -> float | None:
    """How fast the error budget burns by these checks; None: none of them says anything.

    Only those count that the monitor counted, and whose place could be reached. The log is no measure of this: of
    checks that pass it has one a minute, and of bad ones each.
    """
    told = [check.outcome != "passed" for check in checks if check.counted and check.outcome not in _UNTOLD]
    return sum(told) / len(told) / (1 - objective) if told else None
