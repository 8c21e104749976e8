"""What worked is remembered with counts and times, travels, and can be forgotten."""

from __future__ import annotations

from actors.healer.learning import Learning, Lesson


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
    other.take(_taught().export())
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
