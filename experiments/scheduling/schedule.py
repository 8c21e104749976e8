"""Which of a schedule's times are run now, and which are not and why. Pure; times are wall-clock microseconds.

    due --in time, nothing of it runs--> run
     +-- missed: later than start_within_s (the machine slept, the last one took long) --> by its policy: skipped, and
         told; or the last of them run; or all

Source: the words of Kubernetes' CronJob (startingDeadlineSeconds, concurrencyPolicy Forbid, history limits).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from actors.runtime.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

MISSED_MAX = 100
"""Times of the past that are looked at; a schedule that missed more is told so."""

_US = 1_000_000


class Schedule(Settings):
    """An experiment with its times."""

    name: str = Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", description="Its name.")
    experiment: str = Field(min_length=1, max_length=4096, description="A name of the library, or a file's path.")
    cron: str = Field(min_length=1, max_length=256, description="Five fields of cron, as 0 10 * * mon-fri.")
    zone: str = Field(default="UTC", min_length=1, max_length=64, description="Whose time that is, as Europe/Berlin.")
    missed: Literal["skip", "last", "all"] = Field(
        default="skip", description="Times that passed while it could not run: none of them, the last, or all in turn."
    )
    start_within_s: float = Field(
        default=300.0, gt=0, le=86_400, description="Later than this it counts as missed, seconds."
    )
    history: int = Field(default=20, ge=1, le=1000, description="So many of its runs are remembered.")
    paused: bool = Field(default=False, description="Its times pass unused.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is done about the times that have come.

    Attributes:
        run: Times to run for now, in turn.
        skipped: Times that are not run, with the reason.
        seen_us: Up to when times were decided; the next decision goes on from there.
    """

    run: tuple[int, ...] = ()
    skipped: tuple[tuple[int, str], ...] = ()
    seen_us: int = 0


def decide(schedule: Schedule, due: Sequence[int], *, now_us: int, seen_us: int, running: bool) -> Decision:
    """Decide about the times that have come.

    Args:
        schedule: Whose.
        due: Its times after `seen_us` and up to `now_us`, in order.
        now_us: The moment.
        seen_us: Up to when times were decided before.
        running: A run of it goes on: what is due waits, as far as start_within_s allows.
    """
    came = [each for each in due if seen_us < each <= now_us]
    if schedule.paused:
        return Decision(skipped=tuple((each, "it is paused") for each in came), seen_us=now_us)
    skipped: list[tuple[int, str]] = []
    if len(came) > MISSED_MAX:
        skipped += [(each, f"more than {MISSED_MAX} were missed") for each in came[:-MISSED_MAX]]
        came = came[-MISSED_MAX:]
    late_us = int(schedule.start_within_s * _US)
    on_time = [each for each in came if now_us - each <= late_us]
    late = [each for each in came if now_us - each > late_us]
    wanted, passed = _by_policy(schedule, on_time, late)
    skipped += passed
    if running and wanted:
        # Nothing of it is lost by waiting: it is decided anew at the next look.
        return Decision(skipped=tuple(skipped), seen_us=max(seen_us, min(wanted) - 1))
    return Decision(run=tuple(wanted), skipped=tuple(skipped), seen_us=now_us)


def _by_policy(schedule: Schedule, on_time: list[int], late: list[int]) -> tuple[list[int], list[tuple[int, str]]]:
    """Those to run, and those not with the reason."""
    why = f"it was missed by more than {schedule.start_within_s:g} s"
    if schedule.missed == "all":
        return [*late, *on_time], []
    if on_time:
        earlier = [(each, "a later time came") for each in on_time[:-1]]
        return on_time[-1:], [*((each, why) for each in late), *earlier]
    if schedule.missed == "last" and late:
        return late[-1:], [(each, why) for each in late[:-1]]
    return [], [(each, why) for each in late]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One run of a schedule: the time it was for, its name and its verdict."""

    due_us: int
    run: str
    verdict: str


def remember(history: Sequence[PastRun], run: PastRun, *, limit: int) -> tuple[PastRun, ...]:
    """The history with one more run, without the oldest beyond the limit."""
    return (*history, run)[-limit:]
