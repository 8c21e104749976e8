"""What is known is told in short and in full, and the two agree."""

from __future__ import annotations

from actors.health import messages as m
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
