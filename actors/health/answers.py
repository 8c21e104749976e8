"""What a probe's answer means: whatever a user's function returned, or raised. Pure.

None and True are good, False is bad. A number from 0 to 100 is a score, and only 0 is bad. A pair adds words. Anything
else is nonsense and counts as bad: a probe that forgot what it is must not pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, get_args

from actors.runtime.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Callable

Outcome = Literal["passed", "failed", "timed_out", "nonsense", "unreachable"]
"""How a check ended. "unreachable": the place where it was to run could not be asked, which says nothing of it."""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


class UnreachableError(Exception):
    """Raised by a probe that could not reach what it asks: that says nothing of it, neither good nor bad."""


class TableSilentError(UnreachableError):
    """Raised where Ray's own table, in which the probe looks for what it asks, does not answer."""


Table = Literal["", "answers", "silent"]
"""What a check has seen of Ray's own table; empty: it did not look there."""

DETAIL_LIMIT = 500
"""Characters of a probe's words that are kept."""

_SCORE_MAX = 100
_PAIR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a probe said.

    Attributes:
        outcome: How it ended.
        detail: In words, cut.
        score: 0 to 100, if it gave one.
        table: What it has seen of Ray's own table.
    """

    outcome: Outcome
    detail: str = ""
    score: float | None = None
    table: Table = ""


def read_answer(value: Any, clean: Callable[[str], str] = str) -> Answer:
    """The meaning of what a probe returned; `clean` takes secrets out of its words."""
    detail = ""
    if isinstance(value, tuple) and len(value) == _PAIR and isinstance(value[1], str):
        value, detail = value
    detail = cut(clean(detail))
    if value is None or value is True:
        return Answer(outcome="passed", detail=detail)
    if value is False:
        return Answer(outcome="failed", detail=detail)
    if isinstance(value, int | float) and isfinite(value) and 0 <= value <= _SCORE_MAX:
        return Answer(outcome="passed" if value > 0 else "failed", detail=detail, score=float(value))
    said = f"give None, a bool, a score from 0 to 100, or one of these with words; not {type(value).__name__}"
    return Answer(outcome="nonsense", detail=said)


def read_error(error: BaseException, clean: Callable[[str], str] = str) -> Answer:
    """The meaning of what a probe raised; `clean` takes secrets out of its words."""
    try:
        words = clean(str(error))
    except Exception:  # noqa: BLE001 - the user's own __str__
        words = ""
    if isinstance(error, UnreachableError):
        table: Table = "silent" if isinstance(error, TableSilentError) else ""
        return Answer(outcome="unreachable", detail=cut(words), table=table)
    outcome: Outcome = "timed_out" if isinstance(error, TimeoutError) else "failed"
    return Answer(outcome=outcome, detail=cut(f"{type(error).__name__}: {words}" if words else type(error).__name__))


def cut(text: str) -> str:
    """At most `DETAIL_LIMIT` characters of it, in one line."""
    text = in_one_line(text[: 8 * DETAIL_LIMIT])
    return text if len(text) <= DETAIL_LIMIT else text[: DETAIL_LIMIT - 3] + "..."
