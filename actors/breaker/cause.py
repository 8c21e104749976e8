"""Why a breaker changed its state: what is recorded, shown, and told to every process in a few words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from actors.breaker.rules import Trip

Action = Literal["reset", "force_open", "disable", "shadow", "enable"]

CauseKind = Literal[
    "tripped",
    "agreed",
    "wait_over",
    "probes_succeeded",
    "probes_failed",
    "half_open_too_long",
    "ramp_tripped",
    "ramp_done",
    "controlled",
    "configured",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One call that counted against what it called, to explain an opening.

    Attributes:
        reporter: The process that made it.
        error: What it raised or returned, scrubbed, in one line.
        duration_s: How long it took, if that was measured, seconds.
        ago_s: How long before it was told it ended, seconds.
        trace_id: The call's trace, as hexadecimal digits, or nothing.
    """

    reporter: str
    error: str
    duration_s: float | None = None
    ago_s: float = 0.0
    trace_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a breaker changed its state.

    Attributes:
        kind: The reason in a word.
        detail: The same for people.
        trip: The rule that was broken, if one was.
        samples: Calls that counted against it, the latest last.
        reporters: Who had opened itself, if they agreed.
        who: Who asked for it, if somebody did.
        reason: What was said for it.
    """

    kind: CauseKind
    detail: str
    trip: Trip | None = None
    samples: tuple[Sample, ...] = ()
    reporters: tuple[str, ...] = ()
    who: str = ""
    reason: str = ""
