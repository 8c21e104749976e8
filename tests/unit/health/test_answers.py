"""Whatever a probe returns or raises has a meaning, and nonsense is none that passes."""

from __future__ import annotations

from typing import Any

import pytest

from actors.health.answers import DETAIL_LIMIT, Answer, TableSilentError, UnreachableError, cut, read_answer, read_error


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (None, Answer(outcome="passed")),
        (True, Answer(outcome="passed")),
        (False, Answer(outcome="failed")),
        ((False, "no disk"), Answer(outcome="failed", detail="no disk")),
        (80, Answer(outcome="passed", score=80.0)),
        ((0.0, "empty"), Answer(outcome="failed", detail="empty", score=0.0)),
    ],
)
def test_good_bad_and_scores(value: Any, answer: Answer) -> None:
    assert read_answer(value) == answer


@pytest.mark.parametrize("value", ["ok", -1, 101, float("nan"), [], (True, 1), (1, 2, 3), object()])
def test_anything_else_is_nonsense_with_the_remedy(value: Any) -> None:
    answer = read_answer(value)
    assert answer.outcome == "nonsense"
    assert "a score from 0 to 100" in answer.detail


class _Mute(Exception):  # noqa: N818 - a user's own
    def __str__(self) -> str:
        raise ValueError


def test_what_is_raised_is_told_in_a_line() -> None:
    assert read_error(OSError("gone")) == Answer(outcome="failed", detail="OSError: gone")
    assert read_error(TimeoutError()) == Answer(outcome="timed_out", detail="TimeoutError")
    assert read_error(_Mute()) == Answer(outcome="failed", detail="_Mute")


def test_a_flood_of_words_is_cut() -> None:
    assert len(cut("x" * 10_000)) == DETAIL_LIMIT
    assert len(read_answer((True, "x" * 10_000)).detail) == DETAIL_LIMIT
    assert len(read_error(ValueError("x" * 10_000)).detail) == DETAIL_LIMIT


def test_who_could_not_reach_says_neither_good_nor_bad() -> None:
    assert read_error(UnreachableError("cut off")) == Answer(outcome="unreachable", detail="cut off")
    assert read_error(TableSilentError("no GCS")) == Answer(outcome="unreachable", detail="no GCS", table="silent")


def test_words_are_cleaned_before_they_are_cut() -> None:
    secret = f"{'x' * 490} hunter2hunter2"
    clean = lambda text: text.replace("hunter2", "*")  # noqa: E731 - one line
    assert "hunter" not in read_answer((True, secret), clean).detail
    assert "hunter" not in read_error(ValueError(secret), clean).detail


def test_words_are_shown_in_one_line_whatever_is_in_them() -> None:
    assert read_answer((False, "a\x1b[31mred\n  line 2")).detail == "a\\x1b[31mred line 2"
    assert read_error(OSError("a\nb")).detail == "OSError: a b"
