"""Checks run on their beat, their results have Kubernetes' meaning, and blindness is nobody's sickness."""

from __future__ import annotations

import pytest

from actors.health import messages as m
from actors.health.answers import Outcome
from tests.unit.health.scene import Scene, of, turns


class TestChecks:
    def test_each_beat_runs_one_check_and_records_its_end(self) -> None:
        scene = Scene()
        scene.register()
        commands = scene.run(3.0)
        assert len(of(m.RunProbe, commands)) == len(of(m.RecordCheck, commands)) == 3
        assert turns(commands) == [("db", "unknown", "healthy")]
        run = of(m.RunProbe, commands)[0]
        assert (run.component, run.kind, run.place, run.timeout_s) == ("db", "liveness", "", 0.5)

    def test_so_many_bad_ones_in_a_row_make_it_sick_and_one_good_one_well(self) -> None:
        scene = Scene()
        scene.register(failures=3)
        scene.run(2.0)
        scene.answer("db", "failed")
        assert turns(scene.run(2.0)) == []
        (change,) = of(m.TellChange, scene.run(1.0))
        assert (change.before, change.after, change.detail, change.silent_s) == ("healthy", "unhealthy", "bad", 2.0)
        scene.answer("db", "passed")
        assert turns(scene.run(1.0)) == [("db", "unhealthy", "healthy")]

    def test_a_readiness_probe_only_makes_it_unready_and_wants_its_successes(self) -> None:
        scene = Scene()
        scene.register(kind="readiness", successes=2, failures=1)
        assert turns(scene.run(1.0)) == []
        assert turns(scene.run(1.0)) == [("db", "unknown", "healthy")]
        scene.answer("db", "failed", kind="readiness")
        assert turns(scene.run(1.0)) == [("db", "healthy", "unready")]

    def test_nothing_else_runs_before_the_startup_probe_has_passed_and_it_never_runs_again(self) -> None:
        scene = Scene()
        scene.register(kind="startup", failures=100)
        scene.register(kind="liveness")
        scene.answer("db", "failed", kind="startup")
        commands = scene.run(5.0)
        assert {run.kind for run in of(m.RunProbe, commands)} == {"startup"}
        assert scene.state() == "starting"
        scene.answer("db", "passed", kind="startup")
        scene.run(1.0)
        assert {run.kind for run in of(m.RunProbe, scene.run(3.0))} == {"liveness"}
        assert scene.state() == "healthy"

    def test_a_restarted_component_starts_again(self) -> None:
        scene = Scene()
        scene.register(kind="startup")
        scene.register(kind="liveness")
        scene.run(2.5)
        assert turns(scene.tell(m.ComponentRestarted(component="db"))) == [("db", "healthy", "starting")]
        assert {run.kind for run in of(m.RunProbe, scene.run(0.6))} <= {"startup", "liveness"}
        assert scene.tell(m.ComponentRestarted(component="nobody")) == []

    def test_no_check_runs_before_the_delay(self) -> None:
        scene = Scene()
        scene.register(delay_s=10.0)
        assert of(m.RunProbe, scene.run(9.9)) == []
        assert of(m.RunProbe, scene.run(1.2)) != []


class TestHangs:
    def test_a_check_that_hangs_stays_the_only_one_and_each_beat_counts(self) -> None:
        scene = Scene()
        scene.register(failures=3)
        scene.run(1.0)
        scene.answer("db", None)
        commands = scene.run(4.5)
        assert len(of(m.RunProbe, commands)) == len(of(m.AbandonProbe, commands)) == 1
        assert turns(commands) == [("db", "healthy", "unhealthy")]
        assert {each.check.outcome for each in of(m.RecordCheck, commands)} == {"timed_out"}
        (number,) = scene.running
        scene.answer("db", "passed")
        assert scene.end(number, "passed") == [], "what it did not say in time was counted already"
        assert turns(scene.run(1.0)) == [("db", "unhealthy", "healthy")]

    def test_a_dead_component_is_seen_within_threshold_times_interval_and_timeout(self) -> None:
        scene = Scene()
        scene.register(failures=3)
        scene.run(2.0)
        scene.answer("db", None)
        assert turns(scene.run(3 * 1.0 + 0.5 + 0.5)) == [("db", "healthy", "unhealthy")]

    def test_what_has_ended_in_time_is_taken_before_it_is_judged_what_takes_too_long(self) -> None:
        scene = Scene()
        for name in ("a", "b"):
            scene.register(name, failures=1, timeout_s=0.9)
            scene.answer(name, None)
        scene.run(1.0)
        one, other = scene.running
        scene.now += 0.2
        ended = [m.ProbeEnded(number=number, outcome="passed", duration_s=0.4) for number in (one, other)]
        assert {turn[2] for turn in turns(scene.machine.handle_all(ended, scene.now + 5.0))} == {"healthy"}

    def test_a_check_that_passes_too_late_has_taken_too_long(self) -> None:
        scene = Scene()
        scene.register(failures=1)
        scene.answer("db", None)
        scene.run(0.6)
        (number,) = scene.running
        assert turns(scene.end(number, "passed", duration_s=0.6)) == [("db", "unknown", "unhealthy")]

    def test_a_slow_check_is_waited_for(self) -> None:
        scene = Scene()
        scene.register(timeout_s=30.0)
        scene.answer("db", None)
        assert len(of(m.RunProbe, scene.run(5.0))) == 1
        (number,) = scene.running
        assert turns(scene.end(number)) == [("db", "unknown", "healthy")]

    def test_an_end_that_is_told_twice_counts_once(self) -> None:
        scene = Scene()
        scene.register(failures=2)
        scene.answer("db", None)
        scene.run(1.0)
        (number,) = list(scene.running)
        scene.end(number, "failed")
        assert scene.end(number, "failed") == []


class TestPlaces:
    def test_a_probe_on_every_node_follows_the_nodes_and_its_worst_place_tells(self) -> None:
        scene = Scene()
        scene.tell(m.NodesChanged(nodes=("a", "b")))
        scene.register(on="every_node")
        assert {run.place for run in of(m.RunProbe, scene.run(1.0))} == {"node:a", "node:b"}
        scene.answer("db", "failed", place="node:b")
        scene.run(3.0)
        assert scene.state() == "unhealthy"
        found = scene.machine.component("db", scene.now)
        assert found is not None
        assert found.score == 50.0
        scene.register("other")
        assert turns(scene.tell(m.NodesChanged(nodes=("a", "c")))) == [("db", "unhealthy", "unknown")]
        assert {run.place for run in of(m.RunProbe, scene.run(1.0))} == {"node:a", "node:c", ""}

    def test_a_place_that_cannot_be_reached_is_unknown_never_sick(self) -> None:
        scene = Scene()
        scene.register(on="node:a", failures=2)
        scene.run(1.0)
        scene.answer("db", "unreachable", place="node:a")
        assert turns(scene.run(5.0)) == [("db", "healthy", "unknown")]
        scene.answer("db", None, place="node:a")
        commands = scene.run(5.0)
        assert {each.check.outcome for each in of(m.RecordCheck, commands)} == {"unreachable"}
        assert turns(commands) == []

    def test_to_reach_too_few_places_is_alarmed_and_its_end_told(self) -> None:
        scene = Scene()
        scene.tell(m.NodesChanged(nodes=("a", "b", "c")))
        scene.register(on="every_node")
        scene.run(1.0)
        for node in ("a", "b"):
            scene.answer("db", "unreachable", place=f"node:{node}")
        commands = scene.run(1.0)
        assert [each.cause for each in of(m.AlarmBlindness, commands)] == ["cut_off"]
        assert scene.machine.report(scene.now).blind == "2 of 3 places cannot be reached"
        scene.answer("db", "passed", place="node:a")
        assert len(of(m.NoteSight, scene.run(1.0))) == 1
        assert scene.machine.report(scene.now).blind == ""

    def test_a_node_that_left_is_none_that_cannot_be_reached(self) -> None:
        scene = Scene()
        scene.tell(m.NodesChanged(nodes=("a", "b")))
        scene.register(on="every_node")
        scene.answer("db", "unreachable", place="node:b")
        scene.run(1.0)
        assert len(of(m.NoteSight, scene.tell(m.NodesChanged(nodes=("a",))))) == 1


class TestHeartbeats:
    def test_silence_makes_it_sick_and_a_heartbeat_well(self) -> None:
        scene = Scene()
        scene.register(phi=8.0, failures=2)
        scene.register("other")
        for _ in range(20):
            scene.run(1.0)
            scene.tell(m.HeartbeatHeard(component="db"))
        assert scene.state() == "healthy"
        commands = scene.run(5.0)
        assert ("db", "healthy", "unhealthy") in turns(commands)
        assert "db" not in {run.component for run in of(m.RunProbe, commands)}
        for _ in range(3):
            scene.tell(m.HeartbeatHeard(component="db"))
            scene.run(1.0)
        assert scene.state() == "healthy"
        assert scene.tell(m.HeartbeatHeard(component="other")) == scene.tell(m.HeartbeatHeard(component="no")) == []

    def test_who_is_cut_off_cannot_hear(self) -> None:
        scene = Scene()
        scene.tell(m.NodesChanged(nodes=("a", "b")))
        scene.register("nodes", on="every_node")
        scene.register(phi=8.0, failures=1)
        scene.run(1.0)
        for node in ("a", "b"):
            scene.answer("nodes", "unreachable", place=f"node:{node}")
        scene.run(20.0)
        assert scene.state() == "unknown"


class TestBlindness:
    def test_a_monitor_that_was_stopped_says_so_and_takes_nobody_for_sick(self) -> None:
        scene = Scene(blind_after_s=2.0)
        scene.register(failures=1, timeout_s=0.9)
        scene.register("beats", phi=8.0, failures=1)
        for _ in range(10):
            scene.run(1.0)
            scene.tell(m.HeartbeatHeard(component="beats"))
        scene.answer("db", None)
        scene.run(1.0)
        (number,) = scene.running
        scene.now += 60.0
        commands = scene.tell(m.TimePassed())
        (alarm,) = of(m.AlarmBlindness, commands)
        assert (alarm.cause, turns(commands)) == ("starved", [])
        assert 59.0 <= alarm.gap_s <= 60.0
        assert of(m.RunProbe, commands) == [], "what was due meanwhile is not made up for"
        late = scene.end(number, "failed")
        assert [each.check.counted for each in of(m.RecordCheck, late)] == [False]
        assert turns(late) == []
        assert scene.state() == scene.state("beats") == "healthy"

    def test_a_short_lateness_is_forgiven_without_an_alarm_and_leaves_nothing_out(self) -> None:
        scene = Scene(blind_after_s=2.0)
        scene.register(failures=1, timeout_s=0.9)
        scene.run(2.0)
        scene.answer("db", None)
        scene.run(1.0)
        (number,) = scene.running
        scene.now = scene.machine.next_timer() + 1.5
        commands = scene.tell(m.TimePassed())
        assert of(m.AlarmBlindness, commands) == []
        assert turns(commands) == turns(scene.end(number, "timed_out")) == []
        scene.answer("db", "failed")
        assert turns(scene.run(1.5)) == [("db", "healthy", "unhealthy")], "the next check counts"

    def test_what_ended_well_meanwhile_counts(self) -> None:
        scene = Scene(blind_after_s=2.0)
        scene.register(timeout_s=0.9)
        scene.answer("db", None)
        scene.run(1.0)
        (number,) = scene.running
        scene.now += 60.0
        scene.tell(m.TimePassed())
        assert turns(scene.end(number)) == [("db", "unknown", "healthy")]

    def test_a_successor_goes_on_with_what_was_told_and_alarms(self) -> None:
        former = Scene()
        former.tell(m.NodesChanged(nodes=("a",)))
        former.register(failures=2)
        former.register("cpu", on="every_node")
        former.answer("db", "failed")
        former.run(3.0)
        scene = Scene()
        commands = scene.tell(m.MonitorResumed(kept=former.machine.kept(), away_s=4.0))
        (alarm,) = of(m.AlarmBlindness, commands)
        assert (alarm.cause, alarm.gap_s, turns(commands)) == ("killed", 4.0, [])
        assert (scene.state(), scene.state("cpu")) == ("unhealthy", "healthy")
        assert turns(scene.run(1.0)) == [("db", "unhealthy", "healthy")]
        assert scene.tell(m.MonitorResumed(kept=former.machine.kept(), away_s=4.0)) == []


class TestRegistrations:
    def test_a_ring_of_dependencies_is_refused_with_its_names(self) -> None:
        scene = Scene()
        scene.register("a", depends_on=("b",))
        (refused,) = scene.register("b", depends_on=("a",))
        assert isinstance(refused, m.RefuseRegistration)
        assert refused.problems == ("depends_on: a -> b -> a is a ring: none of them could ever be the cause; cut it",)
        assert scene.machine.component("b", scene.now) is None

    def test_more_probes_than_the_limit_are_refused(self) -> None:
        scene = Scene(probes_max=1)
        scene.register()
        (refused,) = scene.register("more")
        assert "raise probes_max" in refused.problems[0]  # pyright: ignore[reportAttributeAccessIssue]

    def test_a_probe_of_the_same_kind_is_replaced(self) -> None:
        scene = Scene()
        scene.register(failures=1)
        scene.register(kind="readiness")
        scene.answer("db", None)
        scene.run(1.0)
        (number,) = [each.number for each in scene.running.values() if each.kind == "liveness"]
        assert m.AbandonProbe(number=number) in scene.register(failures=1)
        assert scene.end(number, "failed") == []
        assert len(scene.machine.kept().registrations) == 2

    def test_what_is_unregistered_runs_no_more(self) -> None:
        scene = Scene()
        scene.register()
        scene.register(kind="readiness", depends_on="cache")
        scene.run(1.0)
        assert scene.tell(m.ProbeUnregistered(component="db", kind="readiness")) == [m.Keep()]
        assert {run.kind for run in of(m.RunProbe, scene.run(2.0))} == {"liveness"}
        scene.tell(m.ProbeUnregistered(component="db"))
        assert of(m.RunProbe, scene.run(2.0)) == []
        assert scene.machine.component("db", scene.now) is None
        assert scene.machine.history("db", scene.now) == ()
        assert scene.tell(m.ProbeUnregistered(component="db")) == []


class TestReports:
    def test_a_sick_component_carries_where_it_began(self) -> None:
        scene = Scene()
        scene.register("db", failures=1)
        scene.register("api", failures=2, depends_on="db")
        scene.register("web", failures=3, depends_on=("api", "elsewhere"))
        scene.run(2.0)
        for name in ("db", "api", "web"):
            scene.answer(name, "failed")
        changes = of(m.TellChange, scene.run(5.0))
        assert [(each.component, each.caused_by) for each in changes] == [
            ("db", ()),
            ("api", ("db",)),
            ("web", ("db",)),
        ]
        report = scene.machine.report(scene.now)
        assert {name: each.caused_by for name, each in report.components.items()} == {
            "db": (),
            "api": ("db",),
            "web": ("db",),
        }
        assert report.score == 0.0

    def test_scores_are_sampled_and_the_whole_recorded(self) -> None:
        scene = Scene(sample_s=1.0, snapshot_s=5.0)
        scene.register("idle", delay_s=1000.0)
        scene.register(failures=1, critical=True, weight=3.0)
        commands = scene.run(10.5)
        assert len(of(m.TellScore, commands)) == 10
        snapshots = of(m.RecordSnapshot, commands)
        assert [each.health.score for each in snapshots] == [100.0, 100.0]
        trend = scene.machine.report(scene.now).trend
        assert (trend.direction, trend.points) == ("stable", 10)

    def test_history_is_told_by_age(self) -> None:
        scene = Scene()
        scene.register()
        scene.run(10.0)
        assert len(scene.machine.history("db", scene.now)) == 10
        recent = scene.machine.history("db", scene.now, since_s=2.5)
        assert len(recent) in (2, 3)
        assert all(check.ago_s <= 2.5 for check in recent)

    def test_flapping_is_told_once_and_held_at_its_worst_until_it_is_calm(self) -> None:
        scene = Scene(sample_s=1.0, flap_changes=6, flap_calm_s=30.0)
        scene.register(failures=1)
        told: list[m.Command] = []
        answers: list[Outcome] = ["passed", "failed"]
        for beat in range(40):
            scene.answer("db", answers[beat % 2])
            told += scene.run(1.0)
        changes = of(m.TellChange, told)
        assert len(changes) == 7
        assert [each.flapping for each in changes] == [False] * 6 + [True]
        assert scene.state() == "unhealthy"
        scene.answer("db", "passed")
        assert turns(scene.run(29.0)) == []
        assert turns(scene.run(3.0)) == [("db", "unhealthy", "healthy")]

    def test_what_becomes_calm_at_its_worst_is_told_too(self) -> None:
        scene = Scene(sample_s=1.0, flap_changes=3, flap_calm_s=30.0)
        scene.register(failures=1)
        outcomes: tuple[Outcome, ...] = ("passed", "failed", "passed", "failed")
        for outcome in outcomes:
            scene.answer("db", outcome)
            scene.run(1.0)
        changes = of(m.TellChange, scene.run(32.0))
        assert [(each.before, each.after, each.flapping) for each in changes] == [("unhealthy", "unhealthy", False)]

    def test_before_anything_is_known_there_is_no_score(self) -> None:
        scene = Scene(sample_s=1.0)
        assert scene.run(1.0) == [m.TellScore(score=None)]
        assert scene.machine.report(scene.now).score is None


@pytest.mark.parametrize("outcome", ["failed", "timed_out", "nonsense"])
def test_every_bad_answer_counts_the_same(outcome: Outcome) -> None:
    scene = Scene()
    scene.register(failures=1)
    scene.answer("db", outcome)
    assert turns(scene.run(1.0)) == [("db", "unknown", "unhealthy")]


def test_a_thousand_probes_are_spread_over_their_second() -> None:
    scene = Scene()
    for number in range(1000):
        scene.register(f"c{number}")
    scene.run(1.0)
    for _ in range(10):
        assert 90 <= len(of(m.RunProbe, scene.run(0.1))) <= 110
