"""A trend is told when it is certain, and never from two points."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.health.settings import MonitorSettings
from actors.health.trend import Trend, trend

SETTINGS = MonitorSettings()


def _line(slope_per_min: float, points: int = 20) -> list[tuple[float, float]]:
    return [(5.0 * n, 50.0 + slope_per_min * 5.0 * n / 60) for n in range(points)]


def test_what_rises_improves_and_what_falls_declines() -> None:
    up, down = trend(_line(6.0), SETTINGS), trend(_line(-6.0), SETTINGS)
    assert (up.direction, round(up.slope_per_min, 6), up.points) == ("improving", 6.0, 20)
    assert (down.direction, round(down.slope_per_min, 6)) == ("declining", -6.0)
    assert min(up.confidence, down.confidence) > 0.99


def test_what_changes_too_slowly_or_not_at_all_is_stable() -> None:
    slow, flat = trend(_line(0.3), SETTINGS), trend(_line(0.0), SETTINGS)
    assert (slow.direction, flat.direction) == ("stable", "stable")
    assert slow.confidence > 0.99
    assert flat.confidence == 1.0


def test_a_fifth_of_nonsense_changes_nothing() -> None:
    points = _line(6.0)
    for spoiled in (3, 8, 13, 18):
        points[spoiled] = (points[spoiled][0], 0.0)
    assert trend(points, SETTINGS).direction == "improving"


def test_noise_without_a_trend_is_stable() -> None:
    noise = [(5.0 * n, 50.0 + 10 * (n % 2)) for n in range(20)]
    found = trend(noise, SETTINGS)
    assert found.direction == "stable"
    assert 0.5 < found.confidence <= 1.0


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 100)), max_size=4))
def test_nothing_is_told_from_a_handful(points: list[tuple[float, float]]) -> None:
    assert trend(sorted(points), SETTINGS) == Trend(points=len(points))


def test_points_of_one_moment_have_no_slope() -> None:
    assert trend([(1.0, float(n)) for n in range(9)], SETTINGS) == Trend(points=9)


def test_only_the_latest_count() -> None:
    assert trend(_line(-6.0, 100) + [(500.0 + x, 1.0 + y) for x, y in _line(6.0, 60)], SETTINGS).points == 60
