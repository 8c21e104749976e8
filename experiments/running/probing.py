"""The values of the probes that experiment files name, read from a supervised cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError

from actors.runtime.clock import SYSTEM_CLOCK
from experiments.model.functions import BreakerState, Burn, Health, Measured, Query, Running
from experiments.planning.selecting import is_meant
from experiments.running.survey import survey
from experiments.running.vitals import burned, checks_of, vitals
from supervisor.election import actor_by_name

if TYPE_CHECKING:
    from actors.runtime.settings import Settings
    from experiments.running.load import RunningLoad
    from experiments.running.survey import Survey
    from supervisor import Supervisor

ANSWER_S = 2.0
_US = 1_000_000

_BURN = """
    SELECT count(*) AS ended, count(*) FILTER (state <> 'done') AS failed FROM tasks
    WHERE state IN ('done', 'failed', 'cancelled') AND submitted_at >= make_timestamptz(?::BIGINT)
"""
_LOGGED = """
    SELECT count(DISTINCT key) AS number FROM tasks
    WHERE starts_with(key, ?) AND state IN ('done', 'failed', 'cancelled')
"""
_UNRECOVERED = """
    SELECT count(*) AS number FROM (
        SELECT child, max(to_incarnation) AS life FROM restarts
        WHERE at_time >= make_timestamptz(?::BIGINT) GROUP BY child
    ) wanted WHERE NOT EXISTS (
        SELECT 1 FROM children WHERE children.child = wanted.child AND children.incarnation >= wanted.life
        AND children.event IN ('ready', 'promoted', 'adopted', 'deleted')
    )
"""
"""Children whose latest restart since the run began led to no ready life so far."""


class Probes:
    """What a run looks at.

    Args:
        sup: The supervisor.
        load: The run's load.
        began_us: When the run began, wall-clock microseconds.
    """

    def __init__(self, sup: Supervisor, load: RunningLoad, *, began_us: int) -> None:
        self._sup = sup
        self._load = load
        self._began_us = began_us

    def value(self, function: str, arguments: Settings) -> Any:
        """The value of a probe; None: nothing tells of it.

        Raises:
            SupervisorError: The cluster does not say.
        """
        found: Any
        match arguments:
            case Query():
                found = self._sup.events.query(arguments.sql, list(arguments.parameters))
            case Health():
                found = self._health(arguments.component)
            case Burn():
                found = self._burn(arguments)
            case Measured(measure="unlogged"):
                found = self._unlogged()
            case Measured(measure="forgotten"):
                found = None if self._load.durable is None else float(len(self._load.durable.forgotten()))
            case Measured():
                found = self._load.measured(arguments.measure)
            case Running():
                found = running(survey(self._sup), arguments)
            case BreakerState():
                found = self._breaker(arguments.name)
            case _:
                found = int(self._sup.events.query(_UNRECOVERED, [self._began_us])[0]["number"])
        return found

    def score(self) -> float | None:
        """The system's health; None: no monitor tells."""
        return self._health("*")

    def _health(self, component: str) -> float | None:
        seen = vitals(self._sup)
        return None if seen is None else seen.of(component)

    def _burn(self, asked: Burn) -> float | None:
        if asked.component != "*":
            return burned(checks_of(self._sup, asked.component, window_s=asked.window_s), asked.objective)
        rows = self._sup.events.query(_BURN, [SYSTEM_CLOCK.wall_us() - int(asked.window_s * _US)])
        ended, failed = int(rows[0]["ended"]), int(rows[0]["failed"])
        return failed / ended / (1 - asked.objective) if ended else None

    def _unlogged(self) -> float:
        """Tasks of the load that have ended, and of whose end the log has no row."""
        ended = self._load.ended_keys()
        if not ended:
            return 0.0
        return float(max(0, len(ended) - int(self._sup.events.query(_LOGGED, [self._load.prefix])[0]["number"])))

    def _breaker(self, name: str) -> str | None:
        state = self._sup.breaker_states().get(name)
        if state is not None:
            return state
        found = self._sup.breakers()
        return found[name].state if name in found.names else None


def running(seen: Survey, asked: Running) -> int:
    """How many of those that are meant run and answer; who has no process of its own answers for nothing."""
    meant = [seen.spots[target.name] for target in seen.targets if target.running and is_meant(asked.target, target)]
    asked_of = {
        handle.describe.remote(): spot.name
        for spot in meant
        if spot.actor and (handle := actor_by_name(spot.actor)) is not None
    }
    answered, _ = ray.wait(list(asked_of), num_returns=len(asked_of), timeout=ANSWER_S) if asked_of else ([], [])
    return sum(_is_good(ref) for ref in answered) + sum(not spot.actor for spot in meant)


def _is_good(ref: Any) -> bool:
    try:
        ray.get(ref)
    except RayError:
        return False
    return True
