"""Flapping begins with many changes in a short time and ends with a calm."""

from __future__ import annotations

from actors.health.flapping import Flapping
from actors.health.settings import MonitorSettings

SETTINGS = MonitorSettings(flap_changes=3, flap_window_s=10.0, flap_calm_s=20.0)


def test_many_changes_in_the_window_are_flapping_told_once() -> None:
    flapping = Flapping(SETTINGS)
    assert [flapping.change(at) for at in (0.0, 5.0, 10.0, 11.0)] == [False, False, True, False]
    assert flapping.active


def test_changes_that_are_far_apart_are_none() -> None:
    flapping = Flapping(SETTINGS)
    assert [flapping.change(at) for at in (0.0, 5.0, 10.1, 16.0)] == [False] * 4
    assert not flapping.settle(100.0)


def test_it_ends_when_nothing_changed_for_long_and_begins_anew() -> None:
    flapping = Flapping(SETTINGS)
    for at in (0.0, 1.0, 2.0):
        flapping.change(at)
    assert [flapping.settle(at) for at in (21.9, 22.0, 23.0)] == [False, True, False]
    assert [flapping.change(at) for at in (24.0, 25.0, 26.0)] == [False, False, True]


def test_another_life_goes_on_with_the_latest_changes() -> None:
    former, later, calm = (Flapping(SETTINGS) for _ in range(3))
    assert former.kept(0.0) == (False, ())
    for at in (0.0, 1.0):
        former.change(at)
    later.resume(former.kept(4.0), 504.0)
    assert later.change(509.0)
    calm.resume(later.kept(510.0), 1000.0)
    assert calm.active
    assert [calm.settle(at) for at in (1018.9, 1019.0)] == [False, True]
