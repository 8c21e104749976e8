"""Levels fall and rise by their rules, in steps, with dwell both ways; what a hand sets holds for its time."""

from __future__ import annotations

import pytest

from actors.degradation import messages as m
from actors.degradation.machine import DegradationMachine
from actors.degradation.settings import DegradationSettings
from tests.unit.degradation.scene import BREAKER, QUEUE, SCORE, Scene, moves


class TestRules:
    def test_down_a_step_at_a_time_each_after_its_dwell(self) -> None:
        scene = Scene()
        assert moves(scene.score(40)) == []
        assert moves(scene.later(4.9)) == []
        assert moves(scene.later(0.1)) == [("full", "reduced", "rule")]
        assert moves(scene.later(10.0)) == [("reduced", "minimal", "rule"), ("minimal", "emergency", "rule")]
        assert scene.later(1000.0) == []

    def test_a_rule_that_stops_in_time_changes_nothing(self) -> None:
        scene = Scene()
        scene.score(40)
        scene.later(4.0)
        scene.score(70)
        assert scene.later(100.0) == []

    def test_at_once_down_where_a_rule_says_so(self) -> None:
        scene = Scene()
        commands = scene.queue(0.95)
        assert moves(commands) == [("full", "minimal", "at_once")]
        assert commands[0] == m.RecordLevel(
            before="full", after="minimal", kind="at_once", detail="queue_pressure at 0.9 asks for minimal"
        )
        assert isinstance(commands[1], m.Publish)
        assert (commands[1].published.level, commands[1].published.number) == ("minimal", 2)

    def test_up_a_step_at_a_time_each_after_its_dwell(self) -> None:
        scene = Scene()
        scene.queue(1.0)
        scene.later(100.0)
        scene.queue(0.4)
        assert moves(scene.later(29.9)) == []
        assert moves(scene.later(0.1)) == [("minimal", "reduced", "recovering")]
        assert moves(scene.later(30.0)) == [("reduced", "full", "recovering")]
        assert scene.machine.next_timer() is None

    def test_it_recovers_only_as_far_as_another_rule_allows(self) -> None:
        scene = Scene()
        scene.breaker(1.0)
        scene.queue(1.0)
        scene.queue(0.1)
        assert moves(scene.later(500.0)) == [("minimal", "reduced", "recovering")]

    def test_what_asks_for_less_meanwhile_does_not_hold_the_recovery_up(self) -> None:
        scene = Scene()
        scene.queue(1.0)
        scene.queue(0.1)
        scene.later(20.0)
        scene.breaker(1.0)
        scene.breaker(0.0)
        assert moves(scene.later(10.0)) == [("minimal", "reduced", "recovering")]

    def test_a_relapse_begins_the_recovery_anew(self) -> None:
        scene = Scene()
        scene.queue(1.0)
        scene.queue(0.1)
        scene.later(29.0)
        scene.queue(1.0)
        scene.queue(0.1)
        assert moves(scene.later(29.9)) == []
        assert moves(scene.later(0.1)) == [("minimal", "reduced", "recovering")]

    def test_in_the_band_nothing_changes(self) -> None:
        scene = Scene(SCORE)
        for value in (60, 51, 69, 60):
            scene.score(value)
        assert scene.later(1000.0) == []
        scene.score(40)
        scene.later(15.0)
        for value in (60, 51, 69.9):
            scene.score(value)
            assert scene.later(1000.0) == []
        scene.score(70)
        assert len(moves(scene.later(1000.0))) == 3

    def test_who_does_not_see_neither_degrades_nor_recovers(self) -> None:
        scene = Scene(SCORE)
        assert scene.score(None) == []
        scene.score(40)
        scene.later(15.0)
        scene.score(None)
        assert scene.later(1000.0) == []
        assert scene.machine.level == "emergency"

    def test_the_worst_queue_counts(self) -> None:
        scene = Scene()
        scene.queue(0.1, "a")
        assert moves(scene.queue(0.95, "b")) == [("full", "minimal", "at_once")]

    def test_without_dwell_each_step_is_due_at_once(self) -> None:
        scene = Scene(SCORE, dwell_down_s=0)
        scene.score(10)
        scene.later(0.0)
        assert scene.machine.level == "emergency"


class TestOverride:
    def test_a_hand_sets_the_level_with_who_and_why_and_it_holds(self) -> None:
        scene = Scene()
        commands = scene.set("emergency")
        assert commands[0] == m.RecordLevel(
            before="full", after="emergency", kind="override", detail="ann: because", who="ann"
        )
        scene.queue(1.0)
        scene.queue(0.0)
        assert scene.later(1e5) == []
        assert moves(scene.tell(m.AutoRequested(who="bob"))) == [("emergency", "emergency", "auto")]
        assert len(moves(scene.later(90.0))) == 3
        assert scene.tell(m.AutoRequested(who="bob")) == []

    def test_it_ends_with_its_time(self) -> None:
        scene = Scene()
        (record, _) = scene.set("reduced", until_s=60.0)
        assert isinstance(record, m.RecordLevel)
        assert record.until_s == 60.0
        assert scene.machine.next_timer() == scene.now + 60.0
        assert moves(scene.later(89.9)) == [("reduced", "reduced", "override_over")]
        assert moves(scene.later(0.1)) == [("reduced", "full", "recovering")]

    def test_a_fuller_level_than_the_rules_want_holds_and_falls_when_it_is_over(self) -> None:
        scene = Scene()
        scene.queue(1.0)
        assert moves(scene.set("full", until_s=10.0)) == [("minimal", "full", "override")]
        (change,) = [each for each in scene.later(10.0) if isinstance(each, m.RecordLevel)]
        assert (change.before, change.after, change.kind) == ("full", "minimal", "override_over")
        assert change.detail == "its time is over; queue_pressure at 0.9 asks for minimal"

    def test_a_level_that_there_is_not_is_refused(self) -> None:
        scene = Scene()
        problem = "level: 'none' is not one of full, reduced, minimal, emergency"
        assert scene.set("none") == [m.Refuse(what="level", name="none", problems=(problem,))]


class TestFeatures:
    def test_a_level_switches_off_what_does_not_stay_and_what_needs_it(self) -> None:
        scene = Scene()
        scene.declare("search", lowest="reduced")
        scene.declare("chat", needs="search")
        commands = scene.set("minimal")
        assert isinstance(commands[0], m.RecordLevel)
        assert commands[0].switched_off == ("chat", "search")
        assert isinstance(commands[1], m.Publish)
        assert commands[1].published.resolved.why_off == {"search": "level", "chat": "search"}
        back = scene.set("full")
        assert isinstance(back[0], m.RecordLevel)
        assert back[0].switched_on == ("chat", "search")

    def test_a_declaration_is_recorded_and_published_once(self) -> None:
        scene = Scene()
        before = scene.machine.published.generation
        commands = scene.declare()
        assert [type(each) for each in commands] == [m.RecordFeature, m.Publish]
        assert scene.machine.published.generation > before
        assert scene.declare() == []

    def test_a_wrong_declaration_is_refused(self) -> None:
        (refused,) = Scene().declare(needs=("chat",))
        assert refused == m.Refuse(
            what="feature", name="chat", problems=("needs: chat -> chat is a ring; a feature cannot need itself",)
        )

    def test_a_feature_is_taken_back_unless_another_needs_it(self) -> None:
        scene = Scene()
        scene.declare("search")
        scene.declare("chat", needs="search")
        (refused,) = scene.tell(m.FeatureWithdrawn(name="search"))
        assert refused == m.Refuse(
            what="feature", name="search", problems=("name: chat needs it; withdraw that first",)
        )
        assert scene.tell(m.FeatureWithdrawn(name="chat"))[0] == m.RecordFeature(name="chat", feature=None)
        assert scene.tell(m.FeatureWithdrawn(name="chat")) == []

    def test_a_tenant_is_decided_for_and_that_is_taken_back(self) -> None:
        scene = Scene()
        scene.declare(rollout=0)
        scene.tell(m.TenantOverridden(feature="chat", tenant="acme", on=True))
        assert scene.machine.published.resolved.partial["chat"][0].tenants == {"acme": True}
        assert scene.tell(m.TenantOverridden(feature="chat", tenant="acme", on=True)) == []
        scene.tell(m.TenantOverridden(feature="chat", tenant="acme", on=None))
        assert scene.machine.published.resolved.partial["chat"][0].tenants == {}
        (refused,) = scene.tell(m.TenantOverridden(feature="no", tenant="acme", on=True))
        assert isinstance(refused, m.Refuse)
        assert refused.problems == ("feature: 'no' is not declared; declare it first",)


class TestRecovery:
    def test_a_successor_goes_on_with_level_features_and_override(self) -> None:
        former = Scene()
        former.declare("search", lowest="reduced")
        former.set("minimal", until_s=60.0)
        former.now += 20.0
        scene = Scene()
        commands = scene.tell(m.StateRecovered(kept=former.machine.kept(former.now)))
        assert moves(commands) == [("full", "minimal", "recovered")]
        assert scene.machine.published.generation > former.machine.published.generation
        assert scene.machine.published.resolved.why_off == {"search": "level"}
        assert moves(scene.later(40.0)) == [("minimal", "minimal", "override_over")]
        assert scene.tell(m.StateRecovered(kept=former.machine.kept(former.now))) == []

    def test_without_an_override_the_rules_decide_from_there(self) -> None:
        former = Scene()
        former.queue(1.0)
        scene = Scene()
        scene.tell(m.StateRecovered(kept=former.machine.kept(former.now)))
        assert moves(scene.later(1000.0)) == [], "nothing is known of the queue yet"
        scene.queue(0.0)
        assert moves(scene.later(30.0)) == [("minimal", "reduced", "recovering")]

    def test_a_rule_that_asked_asks_on_in_its_band(self) -> None:
        former = Scene(SCORE, QUEUE)
        former.queue(1.0)
        former.score(40)
        former.later(4.0)
        former.score(60)
        scene = Scene(SCORE, BREAKER)
        scene.tell(m.StateRecovered(kept=former.machine.kept(former.now)))
        scene.score(60)
        assert moves(scene.later(1000.0)) == [("minimal", "emergency", "rule")]
        scene.score(70)
        assert [after for _, after, _ in moves(scene.later(90.0))] == ["minimal", "reduced", "full"]

    def test_levels_that_are_no_more_are_the_fullest(self) -> None:
        former = Scene()
        former.declare("search", lowest="reduced")
        former.set("minimal")
        scene = Scene(levels=("all", "nothing"), rules=())
        scene.tell(m.StateRecovered(kept=former.machine.kept(former.now)))
        assert scene.machine.level == "all"
        assert scene.machine.published.resolved.plain == {}
        assert scene.machine.next_timer() is None


def test_statistics_tell_time_at_each_level_and_recoveries() -> None:
    scene = Scene(BREAKER)
    scene.declare(lowest="full")
    scene.breaker(1.0)
    scene.later(15.0)
    scene.breaker(0.0)
    scene.later(40.0)
    told = scene.machine.statistics(scene.now)
    assert told.level_s["reduced"] == pytest.approx(40.0)
    assert told.disabled_s == {"chat": pytest.approx(40.0)}
    assert (told.changes, told.recoveries, told.recovery_s) == (2, 1, pytest.approx(40.0))


def test_a_later_life_publishes_greater_numbers() -> None:
    machine = DegradationMachine(DegradationSettings(), now=0.0, generation=1 << 32)
    assert machine.published.generation == 1 << 32


def test_a_new_declaration_leaves_to_people_what_it_does_not_say() -> None:
    scene = Scene()
    scene.declare("chat", rollout=10)
    scene.tell(m.TenantOverridden(feature="chat", tenant="acme", on=True))
    assert scene.declare("chat") == []
    scene.declare("chat", lowest="full")
    (kept,) = scene.machine.kept(scene.now).features
    assert (kept.lowest, kept.rollout, kept.tenants) == ("full", 10, {"acme": True})
    scene.declare("chat", rollout=20, tenants={})
    (kept,) = scene.machine.kept(scene.now).features
    assert (kept.rollout, kept.tenants) == (20, {})


def test_what_is_kept_ages() -> None:
    scene = Scene()
    scene.set("minimal", 60.0)
    kept = scene.machine.kept(scene.now).aged(20.0)
    assert kept.override is not None
    assert kept.override.until_s == 40.0
    other = Scene()
    other.tell(m.StateRecovered(kept=kept.aged(100.0)))
    assert other.machine.level == "minimal"
    assert moves(other.later(1.0)) == [("minimal", "minimal", "override_over")]
    assert other.machine.statistics(other.now).level_s["minimal"] == 121.0


def test_among_levels_of_ones_own_a_feature_stays_on_in_all_of_them_unless_it_says_otherwise() -> None:
    scene = Scene(levels=("all", "some", "none"), rules=())
    assert moves(scene.declare("search")) == []
    scene.declare("chat", lowest="some")
    assert scene.declare("search") == [], "declared again as it is, nothing happens"
    scene.set("none")
    assert scene.machine.published.resolved.plain == {"search": True, "chat": False}
    (refused,) = scene.declare("more", lowest="reduced")
    assert isinstance(refused, m.Refuse)
    assert refused.problems == ("lowest: 'reduced' is not one of all, some, none",)
