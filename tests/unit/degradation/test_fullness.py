"""A queue's fullness is told when it moves, and now and then."""

from __future__ import annotations

from supervisor.degradation.fullness import AGAIN_S, Fullness


def test_it_is_told_when_it_moves():
    fullness = Fullness(1000)
    assert fullness.to_tell({"a": 0}, 0.0) == {"a": 0.0}
    assert fullness.to_tell({"a": 5}, 0.5) == {}
    assert fullness.to_tell({"a": 10}, 1.0) == {"a": 0.01}
    assert fullness.to_tell({"a": 4000}, 1.5) == {"a": 1.0}
    assert fullness.to_tell({"a": 999}, 1.6) == {}
    assert fullness.to_tell({"a": 0}, 1.7) == {"a": 0.0}


def test_what_stays_is_told_again():
    fullness = Fullness(10)
    fullness.to_tell({"a": 5}, 0.0)
    assert fullness.to_tell({"a": 5}, AGAIN_S - 0.1) == {}
    assert fullness.to_tell({"a": 5}, AGAIN_S) == {"a": 0.5}
