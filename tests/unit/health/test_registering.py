"""Everything that is wrong with a registration is told at once."""

from __future__ import annotations

from actors.health.registering import problems_of
from tests.unit.health.scene import probe


def test_a_ring_and_too_many_are_told_together() -> None:
    wanted = probe("a", depends_on="b")
    problems = problems_of(wanted, {"b": ("c",), "c": ("a",)}, probes=10, places=3, probes_max=12)
    assert [problem.partition(":")[0] for problem in problems] == ["depends_on", "component"]
    assert "a -> b -> c -> a" in problems[0]
    assert "12 probes" in problems[1]


def test_it_cannot_depend_on_itself() -> None:
    assert "a -> a" in problems_of(probe("a", depends_on="a"), {}, probes=0, places=1, probes_max=9)[0]


def test_what_can_be_has_no_problems() -> None:
    assert problems_of(probe("a", depends_on="b"), {"b": ("c",)}, probes=0, places=1, probes_max=1) == ()
