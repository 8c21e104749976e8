"""The monitor knows when it does not see."""

from __future__ import annotations

from actors.health import messages as m
from actors.health.answers import Table
from actors.health.settings import MonitorSettings
from actors.health.sight import LATE_S, Sight
from tests.unit.health.scene import Scene, of, turns


def test_only_who_was_late_for_longer_than_usual_did_not_look() -> None:
    sight = Sight(MonitorSettings(blind_after_s=2.0))
    assert sight.gap_s(last=10.0, due=None, now=100.0) == 0.0
    assert sight.gap_s(last=10.0, due=11.0, now=11.0 + LATE_S) == 0.0
    assert sight.gap_s(last=10.0, due=11.0, now=13.0) == 2.0
    assert sight.gap_s(last=10.0, due=11.0, now=13.5) == 2.5
    assert sight.gap_s(last=13.0, due=11.0, now=13.2) == 0.0, "it did something in between"


def test_one_place_alone_says_nothing_of_the_monitor() -> None:
    sight = Sight(MonitorSettings())
    assert not sight.see("a", reached=False)
    assert not sight.see("", reached=False)
    assert not sight.cut_off


def test_enough_of_several_places_do_and_it_ends() -> None:
    sight = Sight(MonitorSettings(cut_off_share=0.6))
    assert [sight.see(place, reached=True) for place in "abc"] == [False] * 3
    assert [sight.see("a", reached=False), sight.see("b", reached=False)] == [False, True]
    assert (sight.cut_off, str(sight)) == (True, "2 of 3 places cannot be reached")
    assert not sight.see("b", reached=False)
    assert sight.see("b", reached=True)
    assert not sight.cut_off


def test_places_that_are_gone_count_no_more() -> None:
    sight = Sight(MonitorSettings())
    sight.see("a", reached=True)
    assert sight.see("b", reached=False)
    assert sight.forget(frozenset({"a"}))
    assert not sight.cut_off


def test_who_is_not_there_counts_no_more() -> None:
    sight = Sight(MonitorSettings())
    sight.see("a", reached=False)
    assert sight.see("b", reached=False)
    assert sight.leave("a")
    assert not sight.leave("a")
    assert not sight.cut_off


def test_a_table_that_is_silent_for_too_long_is_blindness_until_it_answers_anybody() -> None:
    sight = Sight(MonitorSettings(blind_after_s=2.0))
    assert not sight.look_up("a", answers=True, now=0.0)
    assert not sight.look_up("a", answers=False, now=1.0)
    assert not sight.look_up("b", answers=False, now=2.9)
    assert (sight.cut_off, sight.is_dim) == (False, True)
    assert sight.look_up("b", answers=False, now=3.0)
    assert (sight.cut_off, str(sight)) == (
        True,
        "Ray's table has not answered for 2.0 s: its GCS is down or out of reach",
    )
    assert not sight.look_up("a", answers=False, now=9.0)
    assert sight.look_up("b", answers=True, now=9.5)
    assert not sight.cut_off
    assert not sight.is_dim
    assert not sight.look_up("a", answers=False, now=10.0), "it begins anew"


def test_who_looks_there_no_more_says_nothing_of_the_table() -> None:
    sight = Sight(MonitorSettings(blind_after_s=2.0))
    sight.look_up("a", answers=False, now=0.0)
    sight.look_up("b", answers=False, now=0.0)
    assert sight.look_up("a", answers=False, now=5.0)
    assert not sight.look_away("a")
    assert not sight.look_away("c")
    assert sight.look_away("b")
    assert not sight.cut_off


def test_of_two_reasons_to_be_blind_one_is_enough() -> None:
    sight = Sight(MonitorSettings(blind_after_s=2.0))
    sight.see("a", reached=True)
    assert sight.see("b", reached=False)
    sight.look_up("x", answers=False, now=0.0)
    assert not sight.look_up("x", answers=False, now=2.0), "it is blind already"
    assert str(sight).startswith("1 of 2 places cannot be reached; Ray's table")
    assert not sight.see("b", reached=True)
    assert sight.cut_off
    assert sight.look_up("x", answers=True, now=3.0)


class TestTheMonitor:
    """What its machine makes of that."""

    def test_rays_own_table_that_is_silent_is_blindness_that_is_told_once_and_makes_nobody_sick(self) -> None:
        scene = Scene(blind_after_s=2.0)
        scene.register("cart", failures=2)
        scene.register("beating", phi=8.0, failures=2)
        scene.tables["cart"] = "answers"
        for _ in range(20):
            scene.tell(m.HeartbeatHeard(component="beating"))
            assert of(m.AlarmBlindness, scene.run(1.0)) == []
        self.say(scene, "silent")
        commands = scene.run(8.0)
        (alarm,) = of(m.AlarmBlindness, commands)
        assert (alarm.cause, alarm.detail) == (
            "cut_off",
            "Ray's table has not answered for 2.0 s: its GCS is down or out of reach",
        )
        assert sorted(turns(commands)) == [("beating", "healthy", "unknown"), ("cart", "healthy", "unknown")]
        assert scene.machine.standing().blind.startswith("Ray's table has not answered")
        assert of(m.NoteSight, commands) == []
        self.say(scene, "answers")
        scene.tell(m.HeartbeatHeard(component="beating"))
        commands = scene.run(1.0)
        assert len(of(m.NoteSight, commands)) == 1
        assert sorted(turns(commands)) == [("beating", "unknown", "healthy"), ("cart", "unknown", "healthy")]
        assert scene.machine.standing().blind == ""

    def test_who_looks_in_a_silent_table_no_more_is_not_cut_off_by_it(self) -> None:
        for end in (m.ProbeUnregistered(component="cart"), m.MonitorSwitched(stopped=True)):
            scene = Scene(blind_after_s=1.0)
            scene.register("cart")
            self.say(scene, "silent")
            scene.run(5.0)
            assert scene.machine.report(scene.now).blind != ""
            assert len(of(m.NoteSight, scene.tell(end))) == 1

    @staticmethod
    def say(scene: Scene, table: Table) -> None:
        """So it is for the cart's checks from now on."""
        scene.tables["cart"] = table
        scene.answer("cart", "unreachable" if table == "silent" else "passed")

    def test_what_agents_see_of_rays_table_says_nothing_of_the_monitor(self) -> None:
        scene = Scene(blind_after_s=1.0)
        scene.register("cart", on="node:a")
        scene.tables["cart"] = "silent"
        scene.answer("cart", "unreachable", place="node:a")
        assert of(m.AlarmBlindness, scene.run(5.0)) == []
