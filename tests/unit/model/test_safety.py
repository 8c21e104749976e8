"""Bounds that cannot be kept, and guards that cannot be read, are refused."""

from __future__ import annotations

from typing import Any

import pytest

from actors.runtime.errors import ConfigError
from experiments.model.safety import Guard, Safety
from experiments.model.tolerances import HealthIs, Range
from supervisor.chaos_settings import BusinessHours


def guard(**changed: Any) -> Guard:
    return Guard.parse({"name": "g", "probe": "health_score", "tolerance": [50, 100], **changed}, source="t")


def test_a_guard_is_read_and_written() -> None:
    read = guard(arguments={"component": "db"}, every_s=2)
    assert read.tolerance == Range(least=50, most=100)
    assert guard(**read.as_file()) == read
    assert guard(tolerance=HealthIs(least=3)).tolerance == HealthIs(least=3)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"probe": "x"}, "cannot be read; there are query"),
        ({"arguments": {"componnt": "x"}}, "arguments.componnt: unknown key"),
        ({"tolerance": "closed"}, "health_score gives number, which Equals cannot judge"),
        ({"tolerance": {"type": "x"}}, "type: 'x' is not one of"),
        ({"tolerance": True}, "health_score gives number, which Equals cannot judge"),
        ({"tolerance": [True, False, True]}, "health_score gives number, which OneOf cannot judge"),
        ({"stale_s": 1}, "is not longer than every_s"),
        ({"every_s": 0}, "every_s: "),
    ],
)
def test_a_guard_that_cannot_be_read_is_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        guard(**changed)


def test_each_guard_has_a_name_of_its_own_for_one_of_two_would_not_be_asked() -> None:
    twice = [guard().as_file(), guard(probe="slo_burn").as_file()]
    with pytest.raises(ConfigError, match=r"guards: the name 'g' is given twice"):
        Safety.parse({"guards": twice}, source="t")


def test_hours_are_times_of_a_day_in_their_order() -> None:
    for wrong in ({"begins": "9"}, {"ends": "24:01"}, {"begins": "18:00"}, {"days": ()}, {"days": ("fry",)}):
        with pytest.raises(ConfigError):
            BusinessHours.parse(wrong, source="t")
    assert BusinessHours(ends="24:00").days == ("mon", "tue", "wed", "thu", "fri")


def test_a_radius_is_never_nothing() -> None:
    with pytest.raises(ConfigError, match=r"blast_radius\.targets"):
        Safety.parse({"blast_radius": {"targets": 0}}, source="t")
