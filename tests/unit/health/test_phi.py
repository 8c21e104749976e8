"""The longer a silence against what was usual, the more suspicious."""

from __future__ import annotations

import pytest

from actors.health.phi import Heartbeats


def _regular(beats: int = 50) -> Heartbeats:
    heartbeats = Heartbeats(expected_s=1.0, limit=8.0, now=0.0)
    for beat in range(1, beats + 1):
        heartbeats.hear(float(beat))
    return heartbeats


def test_suspicion_grows_with_silence_without_end() -> None:
    heartbeats = _regular()
    told = [heartbeats.phi(50.0 + silent_s) for silent_s in (0.0, 0.9, 1.1, 1.3, 1.5, 2.0, 10.0, 1000.0, 1e6)]
    assert told == sorted(told)
    assert told[0] < 0.01
    assert told[2] < 1.0
    assert told[5] > 8.0
    assert told[-1] < float("inf")


def test_at_the_usual_time_half_are_later() -> None:
    assert _regular().phi(51.0) == pytest.approx(0.301, abs=0.001)


def test_who_is_irregular_is_given_more_time() -> None:
    irregular = Heartbeats(expected_s=1.0, limit=8.0, now=0.0)
    at = 0.0
    for beat in range(50):
        at += 0.5 if beat % 2 else 1.5
        irregular.hear(at)
    assert irregular.phi(at + 2.0) < 2.0 < _regular().phi(52.0)


def test_time_in_which_nobody_listened_says_nothing() -> None:
    heartbeats = _regular()
    heartbeats.pause(100.0)
    assert heartbeats.phi(150.5) < 0.1


def test_before_any_was_heard_the_expected_time_counts() -> None:
    heartbeats = Heartbeats(expected_s=10.0, limit=8.0, now=0.0)
    assert heartbeats.phi(5.0) < 0.01
    assert heartbeats.phi(60.0) > 8.0


@pytest.mark.parametrize("dead_s", [10.0, 3600.0])
def test_who_was_dead_for_long_is_not_given_more_time_the_next_time(dead_s: float) -> None:
    heartbeats = _regular()
    for beat in range(20):
        heartbeats.hear(50.0 + dead_s + beat)
    assert heartbeats.phi(69.0 + dead_s + 3.0) > 8.0


@pytest.mark.parametrize("limit", [0.5, 8.0, 100.0])
def test_who_beats_more_slowly_than_was_said_is_learned_from(limit: float) -> None:
    heartbeats = Heartbeats(expected_s=1.0, limit=limit, now=0.0)
    for beat in range(1, 20):
        heartbeats.hear(5.0 * beat)
    assert heartbeats.phi(5.0 * 19 + 5.0) < 1.0
    regular = _regular()
    for beat in range(1, 60):
        regular.hear(50.0 + 5.0 * beat)
    assert regular.phi(50.0 + 5.0 * 59 + 5.0) < 1.0
