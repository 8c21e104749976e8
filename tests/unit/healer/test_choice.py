"""The most specific plan counts, and what worked before goes first, within bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actors.healer.choice import choose
from actors.healer.incident import Incident
from actors.healer.learning import Lesson
from actors.healer.settings import PlanRule
from actors.recovery.retry import Fallback, Retry
from actors.recovery.strategies import Escalate, Isolate, Restart, Severity, Strategy, title

DB = Incident(incident_id="1.1", component="db-1", failure="crash", severity="medium")
PLANS = (
    PlanRule(strategies=(Escalate(),)),
    PlanRule(component="db-*", strategies=(Restart(), Escalate())),
    PlanRule(component="db-*", severity="high", strategies=(Isolate(),)),
    PlanRule(component="db-1", failure="net*", strategies=(Retry(),)),
    PlanRule(component="db-1", failure="network", strategies=(Fallback(len),)),
)


def _titles(incident: Incident, *plans: PlanRule, **lessons: Lesson) -> list[str]:
    choice = choose(plans or PLANS, incident, lessons=lessons, learn_least=3)
    return [title(each) for each in choice.strategies]


@pytest.mark.parametrize(
    ("component", "failure", "severity", "titles"),
    [
        ("web", "crash", "medium", ["escalate"]),
        ("db-1", "crash", "medium", ["restart", "escalate"]),
        ("db-1", "crash", "critical", ["isolate"]),
        ("db-1", "net", "low", ["retry"]),
        ("db-1", "network", "low", ["fallback"]),
    ],
)
def test_the_most_specific_plan_counts(component: str, failure: str, severity: Severity, titles: list[str]) -> None:
    incident = replace(DB, component=component, failure=failure, severity=severity, call="c")
    assert _titles(incident) == titles


def test_of_equal_plans_the_later_counts() -> None:
    assert _titles(DB, PlanRule(strategies=(Restart(),)), PlanRule(strategies=(Isolate(),))) == ["isolate"]


def test_what_needs_a_call_is_left_out_without_one() -> None:
    plan = PlanRule(strategies=(Retry(), Fallback(len), Restart()))
    assert _titles(DB, plan) == ["restart"]
    assert _titles(replace(DB, call="c"), plan) == ["retry", "fallback", "restart"]


def test_no_plan_says_so() -> None:
    choice = choose((PlanRule(component="x"),), DB, lessons={}, learn_least=3)
    assert (choice.strategies, choice.why) == ((), ("no plan matches: it is escalated at once",))


THREE: tuple[Strategy, ...] = (Restart(), Isolate(), Escalate())


@pytest.mark.parametrize(
    ("lessons", "first"),
    [
        ({}, "restart"),
        ({"isolate": Lesson(tries=3, successes=3)}, "isolate"),
        ({"isolate": Lesson(tries=2, successes=2)}, "restart"),
        ({"isolate": Lesson(tries=10, successes=5)}, "restart"),
        ({"isolate": Lesson(tries=4, successes=3), "restart": Lesson(tries=4, successes=3)}, "restart"),
        ({"isolate": Lesson(tries=4, successes=4), "restart": Lesson(tries=4, successes=3)}, "isolate"),
        ({"restart": Lesson(tries=9, successes=9)}, "restart"),
        ({"escalate": Lesson(tries=9, successes=9)}, "restart"),
        ({"restart": Lesson(tries=9, successes=0)}, "restart"),
    ],
)
def test_what_worked_before_goes_first_within_bounds(lessons: dict[str, Lesson], first: str) -> None:
    titles = _titles(DB, PlanRule(strategies=THREE), **lessons)
    assert titles[0] == first
    assert sorted(titles) == ["escalate", "isolate", "restart"], "nothing is left out for having failed"


def test_each_decision_is_told() -> None:
    plan = PlanRule(strategies=(Retry(), Restart(), Isolate()))
    choice = choose((plan,), DB, lessons={"isolate": Lesson(tries=4, successes=3)}, learn_least=3)
    assert choice.why == (
        "plan for component *, failure *, severity low or worse",
        "retry is left out: no call waits that could be made again",
        "isolate goes first: it worked 3 of 4 times",
    )
