"""What a successor is told: registrations, states, and what was counted."""

from __future__ import annotations

import pytest

from actors.health import kept
from actors.health import messages as m
from actors.health.availability import SPANS_MAX
from tests.unit.health.scene import Scene, of, turns


def test_counts_go_on_where_they_were() -> None:
    former = Scene()
    former.register("db", failures=3)
    former.run(2.0)
    former.answer("db", "failed")
    former.run(2.0)
    left = former.machine.kept()
    assert left.tallies == {("db", "liveness", ""): ("passing", 0, 2, 0)}
    scene = Scene()
    scene.tell(m.MonitorResumed(kept=left, away_s=0.5))
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


def resumed(former: Scene, *, kept_ago_s: float, away_s: float) -> Scene:
    scene = Scene()
    scene.tell(m.MonitorResumed(kept=former.machine.kept(), away_s=away_s, kept_ago_s=kept_ago_s))
    return scene


def test_what_is_left_of_an_initial_delay_is_waited_for_and_no_more() -> None:
    former = Scene()
    former.register("db", delay_s=100.0)
    former.register("web", delay_s=10.0)
    former.run(40.0)
    former.tell(m.ProbeUnregistered(component="none"))
    assert former.machine.kept().delays == {("db", "liveness", ""): 60.0}
    scene = resumed(former, kept_ago_s=20.0, away_s=5.0)
    assert {each.component for each in of(m.RunProbe, scene.run(39.0))} == {"web"}
    assert {each.component for each in of(m.RunProbe, scene.run(2.0))} == {"db", "web"}


def test_how_long_it_was_up_and_how_often_it_turned_goes_on() -> None:
    former = Scene(flap_changes=3)
    former.register("db", failures=1)
    former.run(10.0)
    former.answer("db", "failed")
    former.run(10.0)
    scene = Scene(flap_changes=3)
    left = former.machine.kept()
    assert len(left.flapping["db"][1]) == 1
    scene.tell(m.MonitorResumed(kept=left, away_s=1.0, kept_ago_s=1.0))
    (share,) = {found.availability[3600.0] for found in scene.machine.report(scene.now).components.values()}
    assert share is not None
    assert 0.4 < share < 0.6
    scene.answer("db", "passed")
    scene.run(1.0)
    scene.answer("db", "failed")
    assert any(each.flapping for each in of(m.TellChange, scene.run(1.0)))


def test_a_life_that_a_component_began_while_nobody_looked_is_a_new_one() -> None:
    former = Scene()
    former.tell(m.ChildrenSeen(lives={"child/cart": 1}))
    former.register("cart", failures=1, delay_s=10.0)
    former.answer("cart", "failed")
    former.run(12.0)
    assert former.state("cart") == "unhealthy"
    scene = resumed(former, kept_ago_s=1.0, away_s=1.0)
    scene.tell(m.ChildrenSeen(lives={"child/cart": 2}))
    assert scene.state("cart") == "unknown"
    assert of(m.RunProbe, scene.run(9.9)) == []


def test_of_all_availability_so_much_is_kept_as_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    for number in range(20):
        scene.register(f"c{number}")
    scene.run(5.0)
    monkeypatch.setattr(kept, "AVAILABILITY_BYTES_MAX", 5 * kept.SPAN_BYTES + 1)
    assert len(scene.machine.kept().availability) == 5


def test_after_many_spans_a_few_components_at_a_time_are_packed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "PACKS_MAX", 3)
    scene = Scene()
    for number in range(5):
        scene.register(f"c{number}")
    scene.run(5.0)
    for _ in range(SPANS_MAX + 1):
        scene.now += 5.0  # starved
        scene.tell(m.TimePassed())
        scene.run(1.0)
    spans = [[len(each[3]) for each in scene.machine.kept().availability.values()] for _ in range(3)]
    assert [sum(each > SPANS_MAX for each in found) for found in spans] == [2, 0, 0]


def test_a_new_life_has_its_delay_again() -> None:
    scene = Scene()
    scene.register(delay_s=10.0, failures=1)
    scene.run(12.0)
    scene.answer("db", None)
    scene.run(1.0)
    (number,) = scene.running
    assert m.AbandonProbe(number=number) in scene.tell(m.ComponentRestarted(component="db"))
    assert scene.end(number, "failed") == []
    scene.answer("db", "passed")
    assert of(m.RunProbe, scene.run(10.0)) == []
    assert turns(scene.run(1.0)) == [("db", "unknown", "healthy")]
