"""What worked is remembered with counts and times, travels, and can be forgotten."""

from __future__ import annotations

import pytest

from actors.healer.learning import Learning, Lesson, check_lessons
from actors.runtime.errors import ConfigError


def _taught() -> Learning:
    learning = Learning(10)
    learning.note("db", "crash", "restart", worked=True, took_s=4.0)
    learning.note("db", "crash", "restart", worked=False, took_s=9.0)
    learning.note("db", "crash", "restart", worked=True, took_s=2.0)
    learning.note("web", "hang", "isolate", worked=False, took_s=1.0)
    return learning


def test_counts_and_times() -> None:
    lesson = _taught().lessons("db", "crash")["restart"]
    assert lesson == Lesson(tries=3, successes=2, seconds=6.0)
    assert (lesson.rate, lesson.mean_s) == (2 / 3, 3.0)
    assert (Lesson().rate, Lesson().mean_s) == (0.0, None)
    assert _taught().lessons("nobody", "crash") == {}


def test_another_life_takes_it_up() -> None:
    other = _taught()
    known = other.take(_taught().export())
    assert known == other.export()
    assert other.lessons("db", "crash")["restart"] == Lesson(tries=6, successes=4, seconds=12.0)
    assert {row["component"] for row in other.export()} == {"db", "web"}


def test_it_is_forgotten_for_one_or_for_all() -> None:
    learning = _taught()
    assert [row["tries"] for row in learning.reset("db")] == [0]
    assert [row["component"] for row in learning.export()] == ["web"]
    assert len(learning.reset()) == 1
    assert learning.export() == []


def test_what_was_not_asked_for_longest_gives_way() -> None:
    learning = Learning(2)
    for component in ("a", "b", "a", "c"):
        learning.note(component, "x", "restart", worked=True, took_s=1.0)
    assert {row["component"] for row in learning.export()} == {"a", "c"}


def test_what_comes_from_elsewhere_is_checked_and_all_that_is_wrong_is_named() -> None:
    rows = _taught().export()
    assert list(check_lessons([{**row, "more": 1} for row in rows], source="learn")) == rows
    good = rows[0]
    wrong = [7, {}, {**good, "tries": -1}, {**good, "successes": 9}, {**good, "seconds": float("inf")}, good]
    with pytest.raises(ConfigError) as refused:
        check_lessons(wrong, source="learn")  # pyright: ignore[reportArgumentType] - wrong on purpose
    assert [problem.partition(":")[0] for problem in refused.value.problems] == [
        "lessons[0].7 is no row; `supervisor heal learn --export FILE` writes them",
        *(f"lessons[1].{field}" for field in ("component", "failure", "strategy", "tries", "successes", "seconds")),
        "lessons[2].tries",
        "lessons[3].successes",
        "lessons[4].seconds",
    ]
