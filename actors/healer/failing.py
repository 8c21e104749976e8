"""Which troubles, and ends of troubles, rows of ended tasks tell of: functions whose tasks fail too often. Pure.

    well --`task_failures` in `task_window_s`--> reported, and again every `AGAIN_S` --none in the window--> ended

What failed before the trouble was last mended counts no more. An end is told again for a while: one that comes in the
middle of a step is not heard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actors.healer import messages as m

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from actors.healer.settings import HealerSettings

TASKS_FAIL = "tasks fail"

AGAIN_S = 60.0
"""What lasts, and that it has ended, is told again after so long, seconds."""

NAMES_MAX = 1000
"""Functions that are remembered; the oldest give way."""

SEPARATOR = "\x1f"

FAILED_TASKS = (
    "SELECT name, count(*) AS failures, max(error_type) AS error, epoch_us(min(ended_at)) AS first_us FROM tasks "
    "WHERE state = 'failed' AND ended_at > make_timestamptz(?) GROUP BY name "
    "HAVING count(*) >= ? OR list_contains(string_split(?, chr(31)), name)"
)
"""Functions of which so many tasks have failed since then, and of those that are named all that have failed."""

ENDED_TASKS = (
    "SELECT count(*) FILTER (state = 'done') AS done, count(*) FILTER (state = 'failed') AS failures FROM tasks "
    "WHERE name = ? AND coalesce(attempt_at, submitted_at) >= make_timestamptz(?)"
)
"""How the tasks of a function have ended that were begun since then."""


@dataclass(slots=True, kw_only=True)
class _Known:
    told_at: float = float("-inf")
    ended_at: float | None = None


class FailingTasks:
    """What one life of the coordinator makes of ended tasks.

    Args:
        settings: What is an incident.
    """

    def __init__(self, settings: HealerSettings) -> None:
        self._settings = settings
        self._known: dict[str, _Known] = {}
        self._mended: dict[str, int] = {}

    @property
    def names(self) -> str:
        """Those that are known to have failed, as `FAILED_TASKS` takes them."""
        return SEPARATOR.join(self._known)

    def resume(self, names: Iterable[str]) -> None:
        """An earlier life has told of these."""
        self._known |= {name: _Known() for name in names}

    def mended(self, name: str, at_us: int) -> None:
        """Its trouble was over then, wall-clock microseconds."""
        self._mended[name] = at_us
        if len(self._mended) > NAMES_MAX:
            del self._mended[next(iter(self._mended))]

    def since_us(self, name: str, window_us: int) -> int:
        """From when on what it failed counts: the window's beginning, or when it was mended if that is later."""
        return max(window_us, self._mended.get(name, 0))

    def of(self, rows: Iterable[Mapping[str, Any]], now: float, now_us: int) -> list[m.Event]:
        """What is to be told.

        Args:
            rows: Of `FAILED_TASKS`, for this window; what counts no more is left out of their `failures`.
            now: Monotonic seconds.
            now_us: The same moment for people, microseconds since the Unix epoch.
        """
        failing = {row["name"]: row for row in rows if row["failures"] > 0}
        events: list[m.Event] = []
        for name, row in failing.items():
            if row["failures"] >= self._settings.task_failures:
                events += self._on_failing(name, row, now, now_us)
        for name in self._known.keys() - failing.keys():
            events += self._on_clean(name, now)
        return events

    def _on_failing(self, name: str, row: Mapping[str, Any], now: float, now_us: int) -> list[m.Event]:
        known = self._known.setdefault(name, _Known())
        is_due = known.ended_at is not None or now - known.told_at >= AGAIN_S
        known.ended_at = None
        if not is_due:
            return []
        known.told_at = now
        if len(self._known) > NAMES_MAX:
            del self._known[next(iter(self._known))]
        window_s = self._settings.task_window_s
        return [
            m.TroubleReported(
                component=name,
                failure=TASKS_FAIL,
                detail=f"{row['failures']} failed in {window_s:g} s, the latest by {row['error']}",
                source="task",
                began_ago_s=max(0.0, (now_us - row["first_us"]) / 1e6),
            )
        ]

    def _on_clean(self, name: str, now: float) -> list[m.Event]:
        known = self._known[name]
        if known.ended_at is None:
            known.ended_at, known.told_at = now, float("-inf")
        if now - known.ended_at > self._settings.escalated_s:
            del self._known[name]
            return []
        if now - known.told_at < AGAIN_S:
            return []
        known.told_at = now
        return [m.TroubleEnded(component=name, failure=TASKS_FAIL)]


def verdict_of(ended: Mapping[str, Any], limit: int) -> tuple[m.Verdict, str]:
    """Whether a function is well, by a row of `ENDED_TASKS`, and in words.

    One that nobody has called since then has proved nothing.
    """
    done, failures = ended["done"], ended["failures"]
    is_well = done > 0 and failures < max(1, limit)
    return ("passed" if is_well else "failed"), f"of its tasks since then {done} were done, and {failures} failed"
