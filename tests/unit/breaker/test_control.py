"""What people ask for, with who and why, and what a successor goes on with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from actors.breaker import messages as m
from actors.breaker.kept import Kept
from actors.breaker.published import GENERATION_BITS, Published
from tests.unit.breaker.scene import BAD, GOOD, Scene, fast, moves, only


@pytest.mark.parametrize(
    ("action", "state"), [("force_open", "forced_open"), ("disable", "disabled"), ("shadow", "shadow")]
)
@pytest.mark.parametrize("way", [Scene.opened, Scene.half_opened, Scene.ramping, lambda scene: scene])
def test_an_override_holds_from_any_state_until_somebody_asks_otherwise(
    action: m.Action, state: str, way: Callable[[Scene], Scene]
) -> None:
    scene = way(Scene(ramp=(0.5, 1.0)))
    before = scene.state
    commands = scene.control(action)
    assert moves(commands) == [(before, state, "controlled")]
    cause = only(m.RecordTransition, commands).cause
    assert (cause.who, cause.reason) == ("ann", "because")
    assert only(m.Publish, commands).published.state == state
    assert scene.later(1e6) == []
    assert moves(scene.control("enable")) == [(state, "closed", "controlled")]


def test_a_forced_or_disabled_breaker_counts_nothing_and_lets_nobody_probe() -> None:
    for action in ("force_open", "disable"):
        scene = Scene()
        scene.control(action)
        assert scene.report(BAD * 9) == []
        assert scene.refuses()


def test_to_enable_what_nobody_disabled_changes_nothing() -> None:
    scene = Scene().opened()
    assert scene.control("enable") == []
    assert scene.state == "open"


def test_a_reset_closes_from_any_state_and_forgets_openings_in_a_row() -> None:
    scene = Scene().half_opened()
    scene.end(scene.grant(), "failure")
    assert scene.machine.published(0.0).openings == 2
    assert moves(scene.control("reset")) == [("open", "closed", "controlled")]
    assert scene.machine.published(0.0).openings == 0
    scene.report(BAD)
    assert moves(scene.control("reset")) == [("closed", "closed", "controlled")]
    assert scene.report(BAD) == []


class TestConfigure:
    def test_it_says_who_why_and_what_differs(self) -> None:
        scene = Scene()
        commands = scene.configure(failure_rate=0.75)
        assert commands[0] == m.RecordConfigured(
            rules=2, difference=("failure_rate: 0.5 stands, 0.75 was given",), who="ann", reason="because"
        )
        published = only(m.Publish, commands)
        assert (published.published.rules, published.settings) == (2, fast(failure_rate=0.75))
        assert scene.machine.settings == fast(failure_rate=0.75)

    @pytest.mark.parametrize("action", ["reset", "shadow"])
    def test_where_calls_are_judged_it_begins_anew_by_the_new_settings(self, action: m.Action) -> None:
        scene = Scene()
        scene.control(action)
        state, former = scene.state, scene.machine.generation
        scene.report(BAD)
        assert moves(scene.configure(window_calls=8, minimum_calls=8)) == [(state, state, "configured")]
        scene.report(BAD, generation=former)
        assert scene.machine.view(0.0).calls == 0
        assert scene.report(BAD * 7) == []
        assert scene.report(BAD) != []

    def test_half_open_begins_anew_and_running_probes_still_take_their_place(self) -> None:
        scene = Scene().half_opened()
        first = scene.grant()
        scene.end(scene.grant())
        assert moves(scene.configure(half_open_permits=2)) == [("half_open", "half_open", "configured")]
        scene.grant()
        assert scene.refuses()
        assert scene.end(first, "failure") == []
        scene.grant()

    def test_a_ramp_begins_anew_or_is_over_when_there_is_none(self) -> None:
        scene = Scene(ramp=(0.1, 1.0)).ramping()
        assert moves(scene.configure(ramp=(0.2, 1.0))) == [("ramping", "ramping", "configured")]
        assert scene.machine.published(0.0).share == 0.2
        assert moves(scene.configure()) == [("ramping", "closed", "configured")]

    def test_what_is_open_stays_so_for_the_new_longest_wait_at_most(self) -> None:
        scene = Scene(open_s=15.0).opened()
        generation = scene.machine.generation
        assert only(m.Publish, scene.configure(open_s=5.0, open_s_max=8.0)).published.wait_s == 8.0
        assert only(m.Publish, scene.configure(open_s=5.0, open_s_max=30.0)).published.wait_s == 8.0
        assert scene.machine.generation == generation
        assert moves(scene.later(8.0)) == [("open", "half_open", "wait_over")]

    @pytest.mark.parametrize("action", ["force_open", "disable"])
    def test_an_override_holds_on(self, action: m.Action) -> None:
        scene = Scene()
        scene.control(action)
        commands = scene.configure(failure_rate=0.9)
        assert [type(each) for each in commands] == [m.RecordConfigured, m.Publish]
        assert scene.machine.view(0.0).overridden_by is not None


class TestRecovery:
    def recovered(self, kept: Kept, *, unknown_s: float = 0.0) -> tuple[Scene, list[m.Command]]:
        scene = Scene(now=1000.0, incarnation=2)
        return scene, scene.tell(m.StateRecovered(kept=kept, unknown_leases_s=unknown_s))

    def test_open_goes_on_for_the_wait_that_was_left(self) -> None:
        former = Scene().opened()
        former.now += 2.0
        scene, commands = self.recovered(former.machine.kept(2.0).aged(1.0))
        published = only(m.Publish, commands).published
        assert (published.state, published.wait_s, published.openings) == ("open", 2.0, 1)
        assert published.generation == (2 << GENERATION_BITS) + 1
        assert moves(commands) == []
        assert only(m.NoteRecovered, commands) == m.NoteRecovered(
            state="open", generation=published.generation, shut_s=0.0
        )
        assert moves(scene.later(2.0)) == [("open", "half_open", "wait_over")]

    def test_a_wait_that_ended_meanwhile_is_over_at_once(self) -> None:
        scene, commands = self.recovered(Scene().opened().machine.kept(0.0).aged(99.0))
        assert moves(commands) == [("open", "half_open", "wait_over")]
        assert not scene.refuses()

    def test_no_wait_is_longer_than_the_longest(self) -> None:
        kept = Kept(published=Published(state="open", generation=1, wait_s=1e9), settings=fast())
        _, commands = self.recovered(kept)
        assert only(m.Publish, commands).published.wait_s == 20.0

    def test_leases_that_nobody_knows_are_waited_out_before_a_new_probe(self) -> None:
        scene, _ = self.recovered(Scene().half_opened().machine.kept(5.0), unknown_s=10.0)
        scene.now += 9.9
        answer = scene.ask()
        assert isinstance(answer, m.RefusePermit)
        assert answer.retry_after_s == pytest.approx(0.1)
        scene.now += 0.1
        scene.grant()

    def test_the_time_of_waiting_them_out_is_no_time_of_probing(self) -> None:
        scene, _ = self.recovered(Scene().half_opened().machine.kept(5.0), unknown_s=10.0)
        assert moves(scene.later(39.9)) == []
        assert moves(scene.later(0.1)) == [("half_open", "open", "half_open_too_long")]

    def test_it_half_opens_in_time_and_still_waits_them_out(self) -> None:
        scene, _ = self.recovered(Scene().opened().machine.kept(0.0).aged(4.0), unknown_s=10.0)
        assert moves(scene.later(1.0)) == [("open", "half_open", "wait_over")]
        assert scene.refuses()
        assert scene.machine.next_timer() == 1000.0 + 10.0 + 30.0

    def test_known_leases_take_their_places_and_their_results_say_nothing(self) -> None:
        former = Scene().half_opened()
        old = former.grant()
        scene, _ = self.recovered(former.machine.kept(former.now))
        new = scene.grant("q")
        assert new.permit > old.permit + 1
        assert scene.refuses("q")
        assert scene.end(old) == []
        assert scene.machine.view(0.0).probes_succeeded == 0
        assert not scene.refuses("q")

    def test_known_leases_expire_as_they_would_have(self) -> None:
        former = Scene().half_opened()
        former.grant()
        scene, _ = self.recovered(former.machine.kept(former.now + 4.0))
        assert scene.machine.next_timer() == 1006.0
        assert Scene().half_opened().machine.kept(0.0).leases == ()
        assert former.machine.kept(former.now + 99.0).leases == ()

    def test_a_ramp_goes_on_at_its_step(self) -> None:
        former = Scene(ramp=(0.1, 0.5, 1.0)).ramping()
        former.later(1.0)
        scene, commands = self.recovered(former.machine.kept(former.now))
        published = only(m.Publish, commands).published
        assert (published.state, published.step, published.share) == ("ramping", 1, 0.5)
        scene.later(1.0)
        assert moves(scene.later(1.0)) == [("ramping", "closed", "ramp_done")]

    @pytest.mark.parametrize(("step", "ramp", "state"), [(9, (0.1, 0.5), "ramping"), (1, (), "closed")])
    def test_a_step_that_the_settings_do_not_have_is_the_last_or_none(self, step: int, ramp: Any, state: str) -> None:
        found = Published(state="ramping", generation=1, step=step)
        scene, _ = self.recovered(Kept(published=found, settings=fast(ramp=ramp)))
        assert (scene.state, scene.machine.published(0.0).step) == (state, max(0, len(ramp) - 1))

    def test_overrides_settings_and_causes_survive(self) -> None:
        former = Scene()
        former.opened().configure(failure_rate=0.9)
        former.control("force_open")
        scene, commands = self.recovered(former.machine.kept(0.0).aged(3.0))
        view = scene.machine.view(scene.now)
        assert (scene.state, scene.machine.settings.failure_rate, view.published.rules) == ("forced_open", 0.9, 2)
        assert view.overridden_by is not None
        assert view.overridden_by.who == "ann"
        assert view.opened_by is not None
        assert view.opened_ago_s == 3.0
        assert only(m.Publish, commands).settings == scene.machine.settings

    def test_generations_go_on_above_whatever_was(self) -> None:
        kept = Kept(published=Published(state="closed", generation=9 << GENERATION_BITS), settings=fast())
        scene, _ = self.recovered(kept)
        assert scene.machine.generation == (9 << GENERATION_BITS) + 1

    def test_what_calls_of_the_former_life_say_changes_nothing(self) -> None:
        former = Scene()
        scene, _ = self.recovered(former.machine.kept(0.0))
        assert scene.report(BAD * 9, generation=former.machine.generation) == []
        assert scene.state == "closed"

    def test_it_counts_only_before_anything_else_happened(self) -> None:
        scene = Scene(incarnation=2)
        scene.report(GOOD)
        kept = Scene().opened().machine.kept(0.0)
        assert scene.tell(m.StateRecovered(kept=kept, unknown_leases_s=9.0)) == []
        assert scene.state == "closed"
