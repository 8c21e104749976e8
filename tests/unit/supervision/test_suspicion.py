"""Silence is a reason to look; only looks that lie apart prove that nobody is at home."""

from __future__ import annotations

from typing import Any

from actors.runtime.process import ProcessEvidence
from supervisor.supervision.suspicion import answered, begin_look, weigh
from supervisor.tree import ChildPlan, Life

HANG_S = 4.0
PLAN = ChildPlan(key="worker/p-0", hang_timeout_s=HANG_S)


def _silent_since(at: float, **more: Any) -> Life:
    return Life(1, answered_at=at, asked=True, **more)


def _seen(state: str, at: float, ticks: int = 5) -> ProcessEvidence:
    return ProcessEvidence(state, ticks, seen_at=at)


def test_a_look_is_due_after_the_hang_timeout_and_then_four_times_in_each() -> None:
    life = _silent_since(10.0)
    assert [now for now in range(10, 20) if begin_look(PLAN, life, float(now))] == [14, 15, 16, 17, 18, 19]


def test_looks_that_were_set_more_than_once_are_one() -> None:
    life = _silent_since(10.0)
    assert [begin_look(PLAN, life, 14.0) for _ in range(3)] == [True, False, False]


def test_an_answer_ends_the_silence_and_forgets_what_was_seen() -> None:
    life = _silent_since(10.0)
    assert weigh(PLAN, life, _seen("S", 14.0), 14.0) is None
    answered(life, 14.5)
    assert not begin_look(PLAN, life, 18.4)
    assert weigh(PLAN, life, _seen("S", 18.6), 18.6) is None
    assert begin_look(PLAN, life, 18.6)


def test_it_is_hung_once_two_looks_half_an_interval_apart_find_it_asleep() -> None:
    life = _silent_since(10.0)
    assert [weigh(PLAN, life, _seen("S", at), at) for at in (14.0, 14.1, 14.4)] == [None] * 3
    assert weigh(PLAN, life, _seen("S", 14.5), 14.5) == ("hung", "silent for 4.5 s, process state 'S' without progress")


def test_whoever_used_the_processor_between_two_looks_is_busy_until_it_no_longer_does() -> None:
    life = _silent_since(10.0)
    assert [weigh(PLAN, life, _seen("R", at, ticks=int(at)), at) for at in (14.0, 15.0, 16.0)] == [None] * 3
    assert weigh(PLAN, life, _seen("S", 17.0, ticks=17), 17.0) is None
    assert weigh(PLAN, life, _seen("S", 18.0, ticks=17), 18.0) is not None


def test_an_announced_end_is_what_the_missing_process_died_of() -> None:
    assert weigh(PLAN, _silent_since(10.0), _seen("", 14.0), 14.0) == ("killed", "its process is gone (4.0 s silent)")
    expected = _silent_since(10.0, expected_exit="task_limit")
    assert weigh(PLAN, expected, _seen("Z", 14.0), 14.0) == ("task_limit", "its process is gone (4.0 s silent)")
