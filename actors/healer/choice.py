"""Which strategies are tried for an incident, in which order, and why. Pure; the dry run is the same function.

The most specific plan counts: a component's own before a pattern, a failure's own before a pattern, a higher severity
before a lower one, the later before the earlier. Of its strategies those are left out that have nothing to work on.
What worked before goes first, within bounds: it was tried often enough, it worked more often than not and more often
than what would go first. Nothing is left out for having failed, and telling people is never moved before mending.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from actors.recovery.retry import Fallback, Retry
from actors.recovery.strategies import SEVERITIES, Escalate, title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actors.healer.incident import Incident
    from actors.healer.learning import Lesson
    from actors.healer.settings import PlanRule
    from actors.recovery.strategies import Severity, Strategy

_EVEN = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What would be tried.

    Attributes:
        strategies: In this order.
        why: A line for each decision.
        labels: Those of the nodes whose healers take the steps.
    """

    strategies: tuple[Strategy, ...]
    why: tuple[str, ...]
    labels: tuple[tuple[str, str], ...] = ()


def choose(plans: Sequence[PlanRule], incident: Incident, *, lessons: Mapping[str, Lesson], learn_least: int) -> Choice:
    """What is tried for such an incident.

    Args:
        plans: All of them, a component's own among them.
        incident: Its component, failure class and severity count, and whether a call waits that can be made again.
        lessons: What was tried before, by strategy.
        learn_least: What was tried fewer times has taught nothing.
    """
    matching = [
        (rule.component == incident.component, rule.failure == incident.failure, _rank(rule.severity), number)
        for number, rule in enumerate(plans)
        if fnmatchcase(incident.component, rule.component)
        and fnmatchcase(incident.failure, rule.failure)
        and _rank(rule.severity) <= _rank(incident.severity)
    ]
    if not matching:
        return Choice(strategies=(), why=("no plan matches: it is escalated at once",))
    rule = plans[max(matching)[-1]]
    why = [f"plan for component {rule.component}, failure {rule.failure}, severity {rule.severity} or worse"]
    usable: list[Strategy] = []
    for strategy in rule.strategies:
        if isinstance(strategy, Retry | Fallback) and not incident.call:
            why.append(f"{title(strategy)} is left out: no call waits that could be made again")
        else:
            usable.append(strategy)
    if rule.labels:
        wanted = ", ".join(f"{name}={value}" for name, value in rule.labels.items())
        why.append(f"its steps are taken on nodes with {wanted}")
    best = _best(usable, lessons, learn_least)
    if best:
        lesson = lessons[title(usable[best])]
        why.append(f"{title(usable[best])} goes first: it worked {lesson.successes} of {lesson.tries} times")
        usable.insert(0, usable.pop(best))
    return Choice(strategies=tuple(usable), why=tuple(why), labels=tuple(rule.labels.items()))


def stale_patterns(plans: Sequence[PlanRule]) -> tuple[str, ...]:
    """The components, as names or patterns, for which an earlier result of a call may have to do."""
    return tuple(
        dict.fromkeys(
            rule.component
            for rule in plans
            if any(isinstance(each, Fallback) and each.stale_s is not None for each in rule.strategies)
        )
    )


def _rank(severity: Severity) -> int:
    return SEVERITIES.index(severity)


def _best(strategies: Sequence[Strategy], lessons: Mapping[str, Lesson], least: int) -> int:
    """The place of the one that goes first."""
    rates = [
        lessons[title(each)].rate if title(each) in lessons and lessons[title(each)].tries >= least else None
        for each in strategies
    ]
    known = [
        (rate, -number)
        for number, rate in enumerate(rates)
        if rate is not None and rate > _EVEN and not isinstance(strategies[number], Escalate)
    ]
    if not known:
        return 0
    rate, number = max(known)
    first = rates[0]
    return -number if rate > (_EVEN if first is None else first) else 0
