"""What worked, per component and failure class, with counts and times. Pure and bounded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import inf
from typing import Any

from actors.runtime.errors import ConfigError
from actors.runtime.settings import shown

NAME_MAX = 256
PROBLEMS_MAX = 20
"""So many of the wrong ones are named."""

_NAMES = ("component", "failure", "strategy")
_COUNTS = ("tries", "successes")


@dataclass(slots=True, kw_only=True)
class Lesson:
    """One strategy for one component and failure class.

    Attributes:
        tries: How often it was tried.
        successes: How often the component was well afterwards.
        seconds: Time that the successful ones took, in all.
    """

    tries: int = 0
    successes: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Successes per try."""
        return self.successes / self.tries if self.tries else 0.0

    @property
    def mean_s(self) -> float | None:
        """How long a success takes, seconds; None before the first."""
        return self.seconds / self.successes if self.successes else None


class Learning:
    """All that was learned; what was not asked for longest gives way.

    Args:
        pairs_max: Pairs of component and failure class that are kept.
    """

    def __init__(self, pairs_max: int) -> None:
        self._pairs_max = pairs_max
        self._lessons: OrderedDict[tuple[str, str], dict[str, Lesson]] = OrderedDict()

    def note(self, component: str, failure: str, strategy: str, *, worked: bool, took_s: float) -> dict[str, Any]:
        """A strategy was tried; returns what is known of it now, as a row that `take` reads."""
        lesson = self._of(component, failure).setdefault(strategy, Lesson())
        lesson.tries += 1
        if worked:
            lesson.successes += 1
            lesson.seconds += max(0.0, took_s)
        return _row(component, failure, strategy, lesson)

    def lessons(self, component: str, failure: str) -> Mapping[str, Lesson]:
        """What was tried for this, by strategy."""
        return self._lessons.get((component, failure), {})

    def export(self) -> list[dict[str, Any]]:
        """All of it, as rows that `take` reads."""
        return [
            _row(component, failure, strategy, lesson)
            for (component, failure), lessons in self._lessons.items()
            for strategy, lesson in lessons.items()
        ]

    def take(self, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Add what another life, or another cluster, has learned; returns what is known of each of those now."""
        known: list[dict[str, Any]] = []
        for row in rows:
            cause = row["component"], row["failure"]
            lesson = self._of(*cause).setdefault(row["strategy"], Lesson())
            lesson.tries += row["tries"]
            lesson.successes += row["successes"]
            lesson.seconds += row["seconds"]
            known.append(_row(*cause, row["strategy"], lesson))
        return known

    def reset(self, component: str | None = None) -> list[dict[str, Any]]:
        """Forget what was learned of a component, or all; returns what is known of each of those now: nothing."""
        gone = [pair for pair in self._lessons if component in (None, pair[0])]
        return [_row(*pair, strategy, Lesson()) for pair in gone for strategy in self._lessons.pop(pair)]

    def _of(self, component: str, failure: str) -> dict[str, Lesson]:
        found = self._lessons.setdefault((component, failure), {})
        self._lessons.move_to_end((component, failure))
        if len(self._lessons) > self._pairs_max:
            self._lessons.popitem(last=False)
        return found


def check_lessons(rows: Iterable[Mapping[str, Any]], *, source: str) -> tuple[dict[str, Any], ...]:
    """Lessons that come from elsewhere, as rows that `take` reads.

    Raises:
        ConfigError: One is none, by its place; all that is wrong is named.
    """
    lessons: list[dict[str, Any]] = []
    problems: list[str] = []
    for number, row in enumerate(rows):
        wrong = _wrong(row)
        problems += [f"lessons[{number}].{problem}" for problem in wrong]
        if not wrong:
            lessons.append({field: row[field] for field in (*_NAMES, *_COUNTS, "seconds")})
    if problems:
        raise ConfigError(source, problems=tuple(problems[:PROBLEMS_MAX]))
    return tuple(lessons)


def _wrong(row: Any) -> list[str]:
    if not isinstance(row, Mapping):
        return [f"{shown(row)} is no row; `supervisor heal learn --export FILE` writes them"]
    given: Mapping[str, Any] = row
    problems = [f"{field}: a text is needed" for field in _NAMES if not _is_text(given.get(field))]
    problems += [f"{field}: a number from 0 on is needed" for field in _COUNTS if not _is_count(given.get(field))]
    seconds = given.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < inf:
        problems.append("seconds: a number of seconds from 0 on is needed")
    if not problems and given["successes"] > given["tries"]:
        problems.append(f"successes: {given['successes']} of {given['tries']} tries are more than all")
    return problems


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= NAME_MAX


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _row(component: str, failure: str, strategy: str, lesson: Lesson) -> dict[str, Any]:
    return {"component": component, "failure": failure, "strategy": strategy, **asdict(lesson)}
