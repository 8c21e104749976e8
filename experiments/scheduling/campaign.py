"""One experiment under many seeds: what came of each, and which was the worst. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from experiments.judging.verdict import EXIT_CODES
from experiments.planning.lots import fraction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.model.experiment import Expected

SEEDS_MAX = 10_000

_FROM_THE_WORST: tuple[Expected, ...] = ("deviated", "aborted", "inconclusive", "not_started", "held")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededRun:
    """One run of a campaign.

    Attributes:
        seed: Its seed; the same again gives the same plan.
        run: Its name, by which its report is found.
        verdict: What it came to.
        score: Its score, or None.
        recover_s: Its time to recover, seconds, or None.
        reasons: Why.
    """

    seed: int
    verdict: Expected
    score: float | None = None
    recover_s: float | None = None
    reasons: tuple[str, ...] = ()
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What a campaign came to.

    Attributes:
        runs: The worst first.
        counts: How many came to which verdict.
        recover_s: The median time to recover, seconds, of those that have one.
    """

    runs: tuple[SeededRun, ...]
    counts: dict[str, int]
    recover_s: float | None

    @property
    def worst(self) -> SeededRun:
        """The one to look at first."""
        return self.runs[0]

    @property
    def exit_code(self) -> int:
        """That of the worst."""
        return EXIT_CODES[self.worst.verdict]


def seeds_of(first: int, count: int) -> tuple[int, ...]:
    """The seeds of a campaign: the experiment's own first, the others follow from it and are all different.

    Raises:
        ValueError: There are none, or too many.
    """
    if not 1 <= count <= SEEDS_MAX:
        raise ValueError(f"{count} seeds: from 1 to {SEEDS_MAX:,} can be run")
    found = {first: None}
    number = 0
    while len(found) < count:
        found.setdefault(int(fraction(first, "campaign", number) * 2**53))
        number += 1
    return tuple(found)


def conclude(runs: Sequence[SeededRun]) -> Campaign:
    """Put the runs of a campaign into order.

    Raises:
        ValueError: There are none.
    """
    if not runs:
        raise ValueError("a campaign without runs has no worst one")
    times = [run.recover_s for run in runs if run.recover_s is not None]
    counts = Counter(run.verdict for run in runs)
    return Campaign(
        runs=tuple(sorted(runs, key=_badness)),
        counts={verdict: counts[verdict] for verdict in _FROM_THE_WORST if counts[verdict]},
        recover_s=median(times) if times else None,
    )


def _badness(run: SeededRun) -> tuple[int, float, float, int]:
    """The smaller, the worse; what was not measured is worse than what was."""
    score = -1.0 if run.score is None else run.score
    slowest = float("-inf") if run.recover_s is None else -run.recover_s
    return (_FROM_THE_WORST.index(run.verdict), score, slowest, run.seed)
