"""A recommendation cites what speaks for it, changes one setting, and is gone once that is changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from experiments.checker import Checked, Effect, Ended, Submitted, check
from experiments.judging.facts import LogFact
from experiments.judging.ranks import Shift
from experiments.recommend import Evidence, Recommendation, SettingsChange, recommend
from tests.unit.judging.scene import CALLS, FAULT, chaos, good

CLEAN = good().checked
LOST = check([Submitted("a")])
DOUBLED = check([Submitted("a"), Effect("a"), Effect("a"), Ended("a", True)])
DIED = LogFact(event_id="children/41", at_s=3.0, subject="worker/w0", event="died")


def found(limits: dict[str, Any] | None = None, **changed: Any) -> list[Recommendation]:
    seen = changed.pop("seen", good())
    fields: dict[str, Any] = {"seen": seen, "events": (DIED,), "settings": {}, **changed}
    return list(recommend(Evidence(**fields), chaos(limits=limits or {})))


def told(recommendations: list[Recommendation]) -> list[tuple[str, str]]:
    return [(each.finding, str(each.change)) for each in recommendations]


def test_nothing_is_recommended_where_nothing_was_found() -> None:
    assert found() == []


def test_a_standby_for_what_recovers_slowly_and_none_for_what_has_one() -> None:
    slow = {"limits": {"recover_s": 0.5}}
    (one,) = found(**slow)
    assert told([one]) == [("slow_recovery", "worker/w0: standbys 0 -> 1")]
    assert one.events == ("children/41", "children/43")
    pool = {"group_of": {"worker/w0": "pool/default"}, "settings": {"pool/default": {"standbys": 1}}}
    assert told(found(**slow, **pool)) == [("slow_recovery", "pool/default: standbys 1 -> 2")]


def test_a_hang_that_is_seen_late() -> None:
    hung = good(faults=(replace(FAULT, fault="hang", detected_at_s=6.0),))
    (one,) = found(limits={"detect_s": 1}, seen=hung, settings={"worker/w0": {"hang_timeout_s": 3.0}})
    assert told([one]) == [("slow_detection", "worker/w0: hang_timeout_s 3.0 -> 0.8")]


def test_a_group_that_was_given_up() -> None:
    events = (DIED, replace(DIED, event_id="children/42"), replace(DIED, event_id="children/43", event="given_up"))
    (one,) = found(events=events, group_of={"worker/w0": "group/shop"}, settings={"group/shop": {"intensity": 1}})
    assert told([one]) == [("given_up", "group/shop: intensity 1 -> 2")]
    assert one.events == ("children/43", "children/41", "children/42")


def test_a_group_is_to_bear_all_that_the_plan_does_to_it() -> None:
    events = (DIED, replace(DIED, event_id="children/43", event="given_up"))
    groups = {"worker/w0": "group/shop", "worker/w1": "group/other"}
    given = {"group/shop": {"intensity": 1}}
    (one,) = found(events=events, group_of=groups, settings=given, deaths={"worker/w0": 8, "worker/w1": 50})
    assert told([one]) == [("given_up", "group/shop: intensity 1 -> 8")]


def test_tasks_that_were_doubled_or_exhausted_and_their_rank() -> None:
    both = found(seen=good(checked=DOUBLED), failures={"WorkerLostError": ("tasks/1", "tasks/2")})
    assert told(both) == [
        ("effects_doubled", "policy: unknown retry -> never"),
        ("workers_exhausted", "policy: attempts 3 -> 5"),
    ]
    assert [each.number for each in both] == [1, 2]
    assert found(seen=good(checked=LOST)) == [], "no setting brings back what was lost"


def test_a_timeout_for_calls_that_nothing_ends() -> None:
    shift = Shift(p=1e-9, shift_s=0.5, superiority=1.0)
    slow = good(faults=(replace(FAULT, fault="latency"),), shift=shift)
    (one,) = found(seen=slow)
    assert one.finding == "no_timeout"
    assert (one.change.before, one.change.after) == (None, 0.05)
    assert found(seen=slow, settings={"policy": {"timeout_s": 1.0}}) == []


def test_a_breaker_that_stayed_closed() -> None:
    calls = tuple(replace(call, ok=number % 5 != 0) for number, call in enumerate(CALLS))
    seen = good(calls=calls, faults=(replace(FAULT, fault="error", target="dependency/upstream"),))
    settings = {"breaker/b": {"failure_rate": 0.5}}
    failures = {"ConnectionError": ("tasks/7", "tasks/9"), "CircuitOpenError": ("tasks/8",)}
    (one,) = found(seen=seen, settings=settings, failures=failures)
    assert told([one]) == [("breaker_stayed_closed", "breaker/b: failure_rate 0.5 -> 0.1")]
    assert one.events == ("tasks/7", "tasks/9")
    opened = LogFact(event_id="circuit_breaker_state_history/9", at_s=3.0, subject="breaker/b", event="opened")
    assert found(seen=seen, events=(opened,), settings=settings, failures=failures) == []
    assert found(seen=seen, settings=settings) == [], "no row of a failed task speaks for it"
    assert found(seen=seen, settings={**settings, "breaker/c": {"failure_rate": 0.5}}, failures=failures) == []


def test_what_nobody_detected_is_cited_by_the_steps_of_the_run() -> None:
    taken = {"injected/0.1.worker/w0": "chaos_experiment_events/5", "undone/0.1.worker/w0": "chaos_experiment_events/6"}
    (doubled,) = found(seen=good(checked=DOUBLED), events=(), taken=taken)
    assert doubled.events == ("chaos_experiment_events/5",)
    fault = replace(FAULT, detected_by="", recovered_by="undone/0.1.worker/w0")
    slow = good(faults=(fault,))
    assert found(limits={"recover_s": 0.5}, seen=slow, taken=taken) == [], "a step without its row is not cited"


def test_without_an_event_it_is_an_opinion_and_is_not_made() -> None:
    assert found(seen=good(checked=DOUBLED), events=()) == []


def test_applied_it_is_found_no_more() -> None:
    def run(settings: dict[str, dict[str, Any]]) -> list[Recommendation]:
        checked: Checked | None = CLEAN if settings.get("policy", {}).get("unknown") == "never" else DOUBLED
        return found(seen=good(checked=checked), settings=settings)

    settings: dict[str, dict[str, Any]] = {"policy": {"attempts": 3}}
    (one,) = run(settings)
    changed = one.change.applied(settings)
    assert changed == {"policy": {"attempts": 3, "unknown": "never"}}
    assert settings == {"policy": {"attempts": 3}}, "a value is changed by making another"
    assert run(changed) == []
    assert SettingsChange(subject="a", setting="b", before=1, after=2).applied({}) == {"a": {"b": 2}}
