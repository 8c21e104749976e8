"""Every difference between the log and the caller is told."""

from __future__ import annotations

from experiments.demo.agreement import compare

SEEN = {"a": "done", "b": "failed", "c": "done"}


def test_the_same_story_has_no_problems():
    agreement = compare(logged=[("b", "failed"), ("a", "done"), ("c", "done")], seen=SEEN)
    assert agreement.problems == ()
    assert agreement.states == {"done": 2, "failed": 1}


def test_a_row_that_is_missing():
    assert compare(logged=[("a", "done"), ("b", "failed")], seen=SEEN).problems == ("the log has no row of c",)


def test_a_row_too_many():
    logged = [*SEEN.items(), ("x", "done"), ("a", "done")]
    assert compare(logged=logged, seen=SEEN).problems == (
        "the log has rows of keys that were never accepted: x",
        "the log has more than one row of a",
    )


def test_another_ending():
    logged = [("a", "timeout"), ("b", "failed"), ("c", "done")]
    assert compare(logged=logged, seen=SEEN).problems == ("the log knows another ending of a",)


def test_many_differences_are_shortened():
    seen = {f"k{number}": "done" for number in range(12)}
    assert compare(logged=[], seen=seen).problems == ("the log has no row of k0, k1, k2, k3, k4 and 7 more",)
