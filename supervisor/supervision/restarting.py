"""Whether and when a member of a group is restarted, and whom that concerns. Pure.

Source: Erlang/OTP `supervisor`; the pauses are those of Pekko's backoff supervisor.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, assert_never

from actors.recovery.backoff import restart_delay_s
from supervisor.supervision.intensity import record_restart
from supervisor.tree import OWN_BACKOFFS, ExitClass, Group, Life, Restart

if TYPE_CHECKING:
    from random import Random

UNCOUNTED: tuple[ExitClass, ...] = ("task_limit", "preempted")
"""Ends that somebody wanted: they count neither against a group's intensity nor in its backoff."""

ASKED_FOR: tuple[ExitClass, ...] = ("normal", "shutdown")
"""Ends in order: of a transient child they are followed by none, and of a subtree they are the end of all below it."""


def is_restarted(restart: Restart, exit_class: ExitClass) -> bool:
    """Whether an end is followed by another life."""
    match restart:
        case "permanent":
            return True
        case "transient":
            return exit_class not in ASKED_FOR
        case "temporary":
            return False
        case _:
            assert_never(restart)


def count_restart(group: Group, exit_class: ExitClass, life: Life | None, now: float) -> bool:
    """Count a restart against the group's intensity; whether the allowance still holds.

    The members that one node or one shared process took with it are one restart: it was lost once.
    """
    if exit_class in UNCOUNTED:
        return True
    plan = group.plan
    took_it = _node_of(life) if exit_class == "node_lost" else life.fell_with if life is not None else None
    if took_it:
        lost = {other: at for other, at in group.lost.items() if now - at <= plan.period_s}
        group.lost = {**lost, took_it: now}
        if took_it in lost:
            return True
    group.restarted_at, allowed = record_restart(
        group.restarted_at, now=now, intensity=plan.allowance, period_s=plan.period_s
    )
    return allowed


def _node_of(life: Life | None) -> str | None:
    if life is None:
        return None
    return life.node_id if life.location is None else life.location.node_id


def pause_s(
    group: Group, in_a_row: dict[ExitClass, int], exit_class: ExitClass, *, healthy_s: float, rng: Random
) -> float:
    """How long the restart waits, seconds; counts it among those in a row.

    Args:
        group: Whose backoff it is.
        in_a_row: The member's restarts since it was last healthy, by kind.
        exit_class: How it ended.
        healthy_s: How long it had run, seconds.
        rng: The source of chance.
    """
    if exit_class in UNCOUNTED and exit_class != "preempted":
        return 0.0
    backoff = OWN_BACKOFFS.get(exit_class, group.plan.backoff)
    kind: ExitClass = exit_class if exit_class in OWN_BACKOFFS else "crash"
    if healthy_s >= backoff.reset_after_s:
        in_a_row.clear()
    restarts = in_a_row.get(kind, 0)
    in_a_row[kind] = restarts + 1
    return restart_delay_s(restarts=restarts, min_s=backoff.min_s, max_s=backoff.max_s, jitter=backoff.jitter, rng=rng)


def explain(in_a_row: dict[ExitClass, int], exit_class: ExitClass) -> None:
    """A restart that was counted as one after a crash was after an end of another kind."""
    if exit_class in OWN_BACKOFFS and in_a_row.get("crash"):
        in_a_row["crash"] -= 1
        in_a_row[exit_class] = in_a_row.get(exit_class, 0) + 1


def concerned(group: Group, member: str) -> list[str]:
    """The members that a restart of `member` concerns, itself included, in the order of their start."""
    match group.plan.strategy:
        case "one_for_one":
            return [member]
        case "one_for_all":
            return list(group.members)
        case "rest_for_one":
            later = takewhile(lambda other: other != member, reversed(group.members))
            return [member, *reversed(list(later))]
        case _:
            assert_never(group.plan.strategy)
