"""The score falls as things get worse, and the explanation says which calls and until when."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from actors.breaker.insight import PERCENTILES, explain, health_score, percentiles, success_rate
from actors.breaker.kept import Kept
from actors.breaker.latency import bucket_of
from actors.breaker.messages import Sample, StateRecovered
from actors.breaker.published import Published, State
from actors.breaker.view import BreakerView
from tests.unit.breaker.scene import BAD, GOOD, LATE, Scene, fast

RAMP = (0.1, 0.5, 1.0)


def _view(scene: Scene) -> BreakerView:
    return scene.machine.view(scene.now)


def _later(scene: Scene, seconds: float) -> Scene:
    scene.now += seconds
    return scene


def _overridden(action: str) -> Callable[[Scene], Scene]:
    def override(scene: Scene) -> Scene:
        scene.control(action)  # pyright: ignore[reportArgumentType]
        return scene

    return override


def _would_be_open(scene: Scene) -> Scene:
    scene.control("shadow")
    scene.report(BAD * 2)
    return scene


def _half_failing(scene: Scene) -> Scene:
    scene.report(BAD + GOOD * 3)
    return scene


def _one_of_two_probes(scene: Scene) -> Scene:
    scene.half_opened()
    scene.end(scene.grant())
    return scene


def _at_half_share(scene: Scene) -> Scene:
    scene.ramping().later(1.0)
    return scene


@pytest.mark.parametrize(
    ("way", "score"),
    [
        (lambda scene: scene, 100),
        (_half_failing, 75),
        (_overridden("disable"), 100),
        (_overridden("shadow"), 100),
        (_would_be_open, 0),
        (_overridden("force_open"), 0),
        (Scene.opened, 0),
        (lambda scene: _later(scene.opened(), 2.5), 5),
        (Scene.half_opened, 10),
        (_one_of_two_probes, 18),
        (Scene.ramping, 28),
        (_at_half_share, 38),
    ],
)
def test_the_score_is_as_its_docstring_says(way: Callable[[Scene], Scene], score: int) -> None:
    assert health_score(_view(way(Scene(ramp=RAMP)))) == score


def test_a_score_of_an_opening_without_a_wait() -> None:
    scene = Scene(incarnation=2)
    scene.tell(
        StateRecovered(
            kept=Kept(published=Published(state="open", generation=1, wait_s=1e-9), settings=fast()),
            unknown_leases_s=0.0,
        )
    )
    assert health_score(scene.machine.view(0.0)) == 0
    assert health_score(scene.machine.view(1.0)) == 10


class TestExplain:
    def test_open_tells_which_calls_opened_it_and_when_it_closes(self) -> None:
        scene = Scene(ramp=RAMP)
        samples = (Sample(reporter="p", error="TimeoutError", duration_s=2.0), Sample(reporter="q", error="reset"))
        scene.report(BAD * 2, samples=samples)
        told = explain(_view(_later(scene, 2.0)))
        assert str(told) == (
            "open: open for 2.0 s, the first time in a row: 100% of 2 calls failed (failure_rate=0.5). "
            "It probes in 3.0 s.\n  p: TimeoutError after 2 s, 0.0 s before\n  q: reset, 0.0 s before"
        )
        assert (told.state, told.closes_in_s, len(told.calls)) == ("open", 6.0, 2)
        assert told.opened_by is not None

    def test_closed_tells_how_near_it_is_and_what_it_came_from(self) -> None:
        scene = Scene()
        scene.report(BAD + GOOD * 3)
        told = explain(_view(scene))
        assert told.why == "calls pass; 25% of the last 4 calls failed, 0% were slow"
        assert (told.next, told.closes_in_s, told.calls) == ("It is 50% of the way to opening", 0.0, ())
        scene = Scene().half_opened()
        for grant in (scene.grant(), scene.grant()):
            scene.end(grant)
        assert "after it opened 5.0 s ago (100% of 2 calls failed" in explain(_view(scene)).why

    def test_half_open_tells_of_its_probes(self) -> None:
        scene = _one_of_two_probes(Scene(ramp=RAMP))
        scene.grant()
        told = explain(_view(_later(scene, 3.0)))
        assert told.why.startswith("probing for 3.0 s, after it opened 8.0 s ago")
        assert told.why.endswith("1 of 2 probes succeeded, 1 run")
        assert told.next == "It closes when enough probes succeed, and reopens in 27.0 s if they do not"
        assert told.closes_in_s == 3.0

    def test_a_ramp_tells_of_its_steps(self) -> None:
        told = explain(_view(_later(_at_half_share(Scene(ramp=RAMP)), 0.5)))
        assert told.why.startswith("50% of the calls pass (step 2 of 3), after it opened 6.5 s ago")
        assert told.next == "The next step is in 0.5 s; it closes in 1.5 s if calls go well"
        assert told.closes_in_s == 1.5

    def test_overrides_tell_who_and_why(self) -> None:
        scene = _overridden("force_open")(Scene())
        told = explain(_view(scene))
        assert str(told) == "forced_open: force open by ann: because. It stays so until enable or reset."
        assert told.closes_in_s is None
        assert explain(_view(_overridden("disable")(Scene()))).closes_in_s == 0.0

    def test_shadow_tells_whether_it_would_be_open(self) -> None:
        assert explain(_view(_overridden("shadow")(Scene()))).next.startswith("It would be closed; all calls pass")
        told = explain(_view(_would_be_open(Scene())))
        assert told.next.startswith("It would be open for 5.0 s more")
        assert told.opened_by is not None

    @pytest.mark.parametrize(
        ("state", "why"),
        [
            ("open", "open for 0.0 s, time 3 in a row: its predecessor was"),
            ("disabled", "asked for by somebody whom its predecessor knew"),
        ],
    )
    def test_what_a_successor_was_not_told_it_does_not_make_up(self, state: State, why: str) -> None:
        scene = Scene(incarnation=2)
        found = Published(state=state, generation=1, wait_s=3.0, openings=3)
        scene.tell(StateRecovered(kept=Kept(published=found, settings=fast()), unknown_leases_s=0.0))
        assert explain(_view(scene)).why == why


def test_percentiles_and_rates_are_of_the_calls_of_this_life() -> None:
    scene = Scene()
    assert percentiles(_view(scene)) == dict.fromkeys(PERCENTILES)
    assert success_rate(_view(scene)) is None
    scene.report(GOOD * 3 + BAD, durations=bytes([160, 160, 160, 168]))
    told = percentiles(_view(scene))
    assert told[0.5] == pytest.approx(1.0, rel=0.07)
    assert told[0.99] == pytest.approx(2.0, rel=0.07)
    assert success_rate(_view(scene)) == 0.75


def test_an_explanation_says_who_agrees_where_somebody_does_or_must() -> None:
    assert "say" not in str(explain(Scene().machine.view(0.0)))
    scene = Scene(quorum=2)
    scene.vote("p")
    told = explain(scene.machine.view(0.0))
    assert str(told).splitlines()[1] == "  1 of 1 reporters says open, 2 are needed"


def test_percentiles_are_of_the_window_and_a_slow_hour_ago_is_forgotten() -> None:
    by_calls = Scene(slow_call_rate=1.0, slow_call_s=100.0)
    by_calls.report(GOOD * 4, durations=bytes([bucket_of(8.0)] * 4))
    by_calls.report(GOOD * 4, durations=bytes([bucket_of(0.1)] * 4))
    assert percentiles(by_calls.machine.view(0.0))[0.99] == pytest.approx(0.1, rel=0.07)
    by_time = Scene(window_calls=None, window_s=60.0, slow_call_rate=1.0, slow_call_s=100.0)
    by_time.report(GOOD * 4, durations=bytes([bucket_of(8.0)] * 4))
    by_time.later(3600.0)
    by_time.report(GOOD, durations=bytes([bucket_of(0.1)]))
    assert percentiles(by_time.machine.view(by_time.now))[0.99] == pytest.approx(0.1, rel=0.07)
    assert percentiles(by_time.machine.view(by_time.now + 61.0))[0.99] is None


def test_percentiles_outlast_an_opening_so_that_it_can_be_understood() -> None:
    scene = Scene(slow_call_rate=0.5, slow_call_s=1.0)
    scene.report(LATE * 2, durations=bytes([bucket_of(8.0)] * 2))
    assert scene.state == "open"
    assert percentiles(scene.machine.view(0.0))[0.5] == pytest.approx(8.0, rel=0.07)
