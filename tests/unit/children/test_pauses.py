"""Pauses grow while nothing is answered."""

from __future__ import annotations

from supervisor.children.pauses import Pauses


def test_pauses_double_up_to_the_longest() -> None:
    pauses, now, ends = Pauses(0.1, 0.3), 0.0, []
    for _ in range(4):
        end = pauses.begin(now)
        assert end is not None
        ends.append(round(end - now, 3))
        now = end
    assert ends == [0.1, 0.2, 0.3, 0.3]


def test_one_pause_is_on_at_a_time() -> None:
    pauses = Pauses(0.1, 1.0)
    assert pauses.begin(0.0) == 0.1
    assert pauses.begin(0.05) is None
    assert (pauses.holds(0.05), pauses.holds(0.1)) == (True, False)


def test_an_answer_makes_the_next_one_short_and_another_actor_ends_it() -> None:
    pauses = Pauses(0.1, 1.0)
    pauses.begin(0.0)
    pauses.begin(0.2)
    pauses.answered()
    assert pauses.holds(0.3)
    assert pauses.begin(1.0) == 1.1
    pauses.end()
    assert not pauses.holds(1.0)
