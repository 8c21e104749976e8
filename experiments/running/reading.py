"""What the event log tells of a run, and what was set while it ran."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from actors.runtime.errors import SupervisorError
from experiments.judging import log_rows
from experiments.judging.facts import LogFact
from experiments.judging.invariants import BreakerStep, Intensity, Restart
from experiments.running.survey import ROOT
from supervisor.tree import ChildPlan, GroupPlan

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from experiments.hands.orders import Spot
    from experiments.recommend import Settings
    from supervisor import Supervisor
    from supervisor.events import Events

_US = 1_000_000

_LEADERS = """
    SELECT leader, min(ingest_id) AS ingest_id, epoch_us(min(at_time)) AS at_us FROM children
    WHERE leader > ? AND at_time BETWEEN make_timestamptz(?::BIGINT) AND make_timestamptz(?::BIGINT)
    GROUP BY leader ORDER BY leader
"""
"""The first word of each leader that took over meanwhile."""

_EXCUSED = ("task_limit", "out_of_memory")
"""Ends that the plan brings about without hitting anybody: what a task may cost, and what a node has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSight:
    """The log's rows of a run as facts; empty, and not seen, where it could not be read."""

    seen: bool = False
    events: tuple[LogFact, ...] = ()
    steps: tuple[BreakerStep, ...] = ()
    restarts: tuple[Restart, ...] = ()
    failures: dict[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    taken: dict[str, str] = field(default_factory=dict[str, str])

    def excused(self) -> frozenset[str]:
        """Whose lives ended with their group, by what tasks may cost, or for want of memory."""
        return frozenset(
            event.subject
            for event in self.events
            if event.event == "given_up" or (event.event == "died" and event.detail.startswith(_EXCUSED))
        )

    def given_up(self, group_of: Mapping[str, str]) -> dict[str, list[float]]:
        """When each group was given up, by path."""
        found: dict[str, list[float]] = {}
        for event in self.events:
            if event.event == "given_up" and event.subject in group_of:
                found.setdefault(group_of[event.subject].partition("/")[2], []).append(event.at_s)
        return found


def read_log(events: Events, run: str, *, began_us: int, until_us: int, leader: int) -> LogSight:
    """Read what the log has of a run.

    Args:
        events: The log.
        run: Its name.
        began_us: When the run began, wall-clock microseconds.
        until_us: Up to when.
        leader: Who led when it began.
    """
    span = [began_us, until_us]
    try:
        breakers = events.query(log_rows.BREAKERS, span)
        return LogSight(
            seen=True,
            events=(
                *log_rows.children(events.query(log_rows.CHILDREN, span), began_us=began_us),
                *log_rows.breakers(breakers, began_us=began_us),
                *_successions(events.query(_LEADERS, [leader, *span]), began_us),
            ),
            steps=log_rows.breaker_steps(breakers),
            restarts=log_rows.restarts(events.query(log_rows.RESTARTS, span), began_us=began_us),
            failures=log_rows.failures(events.query(log_rows.TASKS, span)),
            taken=log_rows.steps(events.query(log_rows.STEPS, [run])),
        )
    except SupervisorError:
        return LogSight()


def _successions(rows: Iterable[Mapping[str, Any]], began_us: int) -> list[LogFact]:
    """A new leader's first word tells that the former one was missed, and that there is one again."""
    found: list[LogFact] = []
    for row in rows:
        at_s, event_id = (int(row["at_us"]) - began_us) / _US, f"children/{row['ingest_id']}"
        life = int(row["leader"])
        detail = f"incarnation {life} leads"
        found += [
            LogFact(event_id=event_id, at_s=at_s, subject=ROOT, event="died", incarnation=life - 1, detail=detail),
            LogFact(event_id=event_id, at_s=at_s, subject=ROOT, event="promoted", incarnation=life, detail=detail),
        ]
    return found


def watched_by(sup: Supervisor, spots: Collection[Spot]) -> dict[str, Collection[str]]:
    """Whose events tell of a target, too: those of breakers of a dependency, those of who lived there of a node.

    Args:
        sup: The supervisor.
        spots: Who was there when the run began.
    """
    breakers = {f"breaker/{name}" for name in sup.breaker_states()}
    found: dict[str, Collection[str]] = {}
    for spot in spots:
        if spot.kind == "dependency":
            found[spot.name] = breakers
        elif spot.kind == "node":
            found[spot.name] = {each.name for each in spots if each.node_id == spot.node_id and each.incarnation}
    return found


def intensities(sup: Supervisor) -> dict[str, Intensity]:
    """What each group allows, by path."""
    view = sup.view_now()
    groups = {} if view is None else view.groups
    return {path: Intensity(restarts=group.intensity, period_s=group.period_s) for path, group in groups.items()}


def group_of(sup: Supervisor) -> dict[str, str]:
    """The group of each child and the pool of each worker, as recommendations name them."""
    found: dict[str, str] = {}
    for child in sup.status().tree:
        pool = child.group.removeprefix("pool:")
        found[child.key] = f"pool/{pool}" if pool != child.group else f"group/{child.group}"
    return found


def settings_now(sup: Supervisor) -> Settings:
    """What is set, by subject and field."""
    policy = sup.config.policy
    found: Settings = {
        "policy": {
            "timeout_s": policy.timeout_s,
            "attempts": policy.retry.attempts,
            "unknown": policy.retry.unknown,
        }
    }
    for name, pool in sup.config.pools.items():
        kept = {"standbys": pool.standbys, "hang_timeout_s": pool.hang_timeout_s, "intensity": pool.intensity}
        found[f"pool/{name}"] = kept
    try:
        plans = sup.tree_client.plans()
        breakers = list(sup.breakers()) if sup.breaker_states() else []
    except SupervisorError:
        return found
    for key, plan in plans.items():
        match plan:
            case ChildPlan():
                found[key] = {"standbys": plan.standbys, "hang_timeout_s": plan.hang_timeout_s}
            case GroupPlan():
                found[f"group/{key}"] = {"intensity": plan.allowance, "period_s": plan.period_s}
    for each in breakers:
        if each.view is not None and each.view.settings.failure_rate is not None:
            found[f"breaker/{each.name}"] = {"failure_rate": each.view.settings.failure_rate}
    return found


def collateral(sup: Supervisor, hits: Iterable[str]) -> frozenset[str]:
    """Who is restarted with these by the strategy of a group: that is no hit, it is what the group is for."""
    view = sup.view_now()
    if view is None:
        return frozenset()
    found: set[str] = set()
    for name in hits:
        path = next((child.group for child in view.children if child.key == name), None)
        while path is not None and (group := view.groups.get(path)) is not None:
            if group.strategy != "one_for_one":
                found |= {
                    child.key for child in view.children if child.group == path or child.group.startswith(f"{path}.")
                }
            path = group.parent
    return frozenset(found)
