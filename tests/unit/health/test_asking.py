"""What is known is told in short and in full, and the two agree."""

from __future__ import annotations

from actors.health import messages as m
from actors.health.report import Look
from tests.unit.health.scene import Scene, of, turns


def test_the_short_standing_says_what_the_report_says() -> None:
    scene = Scene()
    scene.register("db", failures=1)
    scene.register("web", depends_on="db")
    scene.answer("db", "failed")
    scene.run(3.0)
    report, standing = scene.machine.report(scene.now), scene.machine.standing()
    assert standing.score == report.score
    assert standing.components == {name: each.state for name, each in report.components.items()}
    assert standing.scores == {name: each.score for name, each in report.components.items()}
    assert (standing.trend, standing.blind) == (report.trend.direction, report.blind)


def test_a_stopped_monitor_knows_nothing_and_runs_nothing_until_it_is_started() -> None:
    scene = Scene()
    scene.register("db", failures=1, timeout_s=0.9)
    scene.run(1.0)
    scene.answer("db", None)
    scene.run(1.0)
    (number,) = scene.running
    stopped = scene.tell(m.MonitorSwitched(stopped=True))
    assert [each.number for each in of(m.AbandonProbe, stopped)] == [number]
    assert turns(stopped) == [("db", "healthy", "unknown")]
    assert scene.end(number, "failed") == []
    assert of(m.RunProbe, scene.run(10.0)) == []
    assert scene.machine.kept().stopped
    assert m.Keep() in scene.tell(m.MonitorSwitched(stopped=True))
    scene.answer("db", "passed")
    scene.tell(m.MonitorSwitched(stopped=False))
    assert turns(scene.run(1.0)) == [("db", "unknown", "healthy")]


def test_a_successor_of_a_stopped_one_stays_so() -> None:
    former = Scene()
    former.register("db")
    former.tell(m.MonitorSwitched(stopped=True))
    scene = Scene()
    scene.tell(m.MonitorResumed(kept=former.machine.kept(), away_s=1.0))
    assert of(m.RunProbe, scene.run(5.0)) == []


def test_a_look_sees_what_is_so_now_not_what_was_so_before() -> None:
    scene = Scene()
    scene.register("db", interval_s=100.0, failures=1)
    scene.run(101.0)
    assert scene.state("db") == "healthy"
    since = scene.now = scene.now + 50.0
    (begun,) = of(m.RunProbe, scene.tell(m.LookWanted(component="db")))
    assert scene.machine.flights_of("db") == {begun.number}
    look = scene.machine.look("db", scene.now, since=since, begun=1)
    assert look is not None
    assert (look.state, look.is_well) == ("healthy", False), "it is only thought to be"
    scene.end(begun.number, "failed", detail="refused")
    assert scene.machine.flights_of("db") == frozenset()
    look = scene.machine.look("db", scene.now, since=since, begun=1)
    assert look == Look(state="unhealthy", begun=1, ended=1, bad="refused")


def test_one_bad_check_of_several_that_are_borne_is_not_well() -> None:
    scene = Scene()
    scene.register("db", failures=3)
    scene.run(2.0)
    since = scene.now
    (begun,) = of(m.RunProbe, scene.tell(m.LookWanted(component="db")))
    scene.end(begun.number, "failed")
    look = scene.machine.look("db", scene.now, since=since, begun=1)
    assert look is not None
    assert (look.state, look.is_well) == ("healthy", False)
    (begun,) = of(m.RunProbe, scene.tell(m.LookWanted(component="db")))
    since = scene.now = scene.now + 0.1
    scene.end(begun.number, "passed")
    look = scene.machine.look("db", scene.now, since=since, begun=1)
    assert look is not None
    assert look.is_well


def test_what_is_not_to_be_looked_at_is_as_it_was() -> None:
    scene = Scene()
    scene.register("db", kind="startup")
    scene.run(2.0)
    assert of(m.RunProbe, scene.tell(m.LookWanted(component="db"))) == []
    look = scene.machine.look("db", scene.now, since=scene.now, begun=0)
    assert look is not None
    assert (look.state, look.begun) == (scene.state("db"), 0)
    assert scene.machine.look("nobody", scene.now, since=0.0, begun=0) is None
    assert scene.tell(m.LookWanted(component="nobody")) == []


def test_how_things_stand_is_said_anew_with_each_sample_and_tells_when_it_is_stale() -> None:
    scene = Scene(sample_s=5.0, blind_after_s=2.0)
    before = scene.machine.standing()
    scene.run(5.0)
    after = scene.machine.standing()
    assert (before.samples, after.samples, after.stale_after_s) == (0, 1, 17.0)
    assert before != after
