"""Two runs beside each other: which numbers moved, and which findings are gone, new or still there. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from experiments.recommend import Recommendation
    from experiments.report.run import RunReport

Change = Literal["better", "worse", "same", "unknown"]

_MORE_IS_BETTER = frozenset(("score", "tasks attempted"))
_NO_JUDGEMENT = frozenset(("tasks attempted", "chance of that shift"))
SAME_SHARE = 0.05
"""A number that moves by less is the same: runs differ by so much without any change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One number in both runs."""

    name: str
    first: float | None
    second: float | None
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What differs between two runs.

    Attributes:
        comparable: Whether they are runs of one experiment; else why not.
        verdicts: Both verdicts.
        lines: Every number.
        gone: Recommended changes of the first that the second needs no more.
        new: Those of the second that the first did not have.
        remaining: Those of both.
    """

    comparable: str
    verdicts: tuple[str, str]
    lines: tuple[Line, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]
    remaining: tuple[str, ...]

    @property
    def is_worse(self) -> bool:
        """Whether the second run is worse: a verdict that held is lost, or a new finding."""
        return (self.verdicts[0] == "held" != self.verdicts[1]) or bool(self.new)


def compare_runs(first: RunReport, second: RunReport) -> Comparison:
    """Put the second run beside the first."""
    before, after = first.numbers(), second.numbers()
    found = {_finding(each): each for each in first.recommendations}
    found_now = {_finding(each): each for each in second.recommendations}
    same = first.experiment.title == second.experiment.title
    return Comparison(
        comparable="" if same else f"{first.experiment.title!r} and {second.experiment.title!r} are not one experiment",
        verdicts=(first.verdict.kind, second.verdict.kind),
        lines=tuple(
            Line(name=name, first=value, second=after[name], change=_change(name, value, after[name]))
            for name, value in before.items()
        ),
        gone=tuple(name for name in found if name not in found_now),
        new=tuple(name for name in found_now if name not in found),
        remaining=tuple(name for name in found if name in found_now),
    )


def _finding(recommendation: Recommendation) -> str:
    change = recommendation.change
    return f"{recommendation.finding.replace('_', ' ')}: {change.subject} {change.setting}"


def _change(name: str, first: float | None, second: float | None) -> Change:
    if first is None or second is None:
        return "same" if first is second else "unknown"
    if name in _NO_JUDGEMENT or abs(second - first) <= SAME_SHARE * max(abs(first), abs(second)):
        return "same"
    return "better" if (second > first) == (name in _MORE_IS_BETTER) else "worse"
