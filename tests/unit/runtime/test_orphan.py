"""An actor is an orphan after so long without a leader, counted only while that could be known."""

from __future__ import annotations

from actors.runtime.orphan import Orphanhood, Root


def looks(orphanhood: Orphanhood, root: Root, *, count: int, start: float = 0.0, apart_s: float | None = None) -> bool:
    step = orphanhood.look_s if apart_s is None else apart_s
    return [orphanhood.look(root, start + n * step) for n in range(count)][-1]


def test_it_is_over_after_the_timeout_alone() -> None:
    orphanhood = Orphanhood(20.0)
    assert orphanhood.look_s == 1.0
    assert not looks(orphanhood, "gone", count=20)
    assert orphanhood.look("gone", 20.0)


def test_looks_are_ten_seconds_apart_at_most() -> None:
    assert Orphanhood(300.0).look_s == 10.0


def test_a_heartbeat_or_a_living_root_begins_it_anew() -> None:
    orphanhood = Orphanhood(20.0)
    looks(orphanhood, "gone", count=20)
    orphanhood.heard()
    assert not looks(orphanhood, "gone", count=20, start=20.0)
    assert not orphanhood.look("lives", 40.0)
    assert orphanhood.alone_s == 0.0
    assert not looks(orphanhood, "gone", count=20, start=41.0)


def test_time_without_an_answer_of_ray_does_not_count_and_takes_nothing_away() -> None:
    orphanhood = Orphanhood(20.0)
    looks(orphanhood, "gone", count=11)
    assert not looks(orphanhood, "unknown", count=1000, start=11.0)
    assert orphanhood.alone_s == 10.0
    assert not looks(orphanhood, "gone", count=10, start=1011.0)
    assert orphanhood.look("gone", 1021.0)


def test_a_process_that_was_stopped_counts_two_looks_for_it() -> None:
    orphanhood = Orphanhood(20.0)
    orphanhood.look("gone", 0.0)
    assert not orphanhood.look("gone", 5000.0)
    assert orphanhood.alone_s == 2.0
