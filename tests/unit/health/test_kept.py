"""What a successor is told: registrations, states, and what was counted."""

from __future__ import annotations

from actors.health import messages as m
from tests.unit.health.scene import Scene, turns


def test_counts_go_on_where_they_were() -> None:
    former = Scene()
    former.register("db", failures=3)
    former.run(2.0)
    former.answer("db", "failed")
    former.run(2.0)
    kept = former.machine.kept()
    assert kept.tallies == {("db", "liveness", ""): ("passing", 0, 2, 0)}
    scene = Scene()
    scene.tell(m.MonitorResumed(kept=kept, away_s=0.5))
    scene.answer("db", "failed")
    assert turns(scene.run(1.0)) == [("db", "healthy", "unhealthy")], "the third in a row"


def test_it_is_to_be_kept_whenever_it_has_changed_and_only_then() -> None:
    scene = Scene()
    assert m.Keep() in scene.register("db", failures=3)
    assert m.Keep() in scene.run(1.0)
    assert m.Keep() not in scene.run(20.0), "all is well, and stays so"
    scene.answer("db", "failed")
    assert m.Keep() in scene.run(1.0)
    assert m.Keep() in scene.tell(m.ProbeUnregistered(component="db"))
