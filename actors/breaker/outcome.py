"""What one call says of what it called: a success, a failure, or nothing. Pure.

Only what `count` names is a failure and only what came back is a success. Everything else is neutral: an exception that
`ignore` names, one that nobody named (perhaps the call never got that far), and a cancellation, which says that the
caller lost interest.

A call that was one or the other travels as one octet: FAILED and SLOW are its bits, so that a window is counted by
`bytes.count` and a batch keeps its order.
"""

from __future__ import annotations

from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from actors.breaker.settings import BreakerSettings, ErrorRule

Outcome = Literal["success", "failure", "ignored", "cancelled"]

SUCCESS = 0
FAILED = 1
SLOW = 2
FAILED_SLOW = FAILED | SLOW


def outcome_of_error(error: BaseException, settings: BreakerSettings) -> Outcome:
    """What a call that raised `error` says.

    Whatever is no `Exception` (KeyboardInterrupt, GeneratorExit, asyncio's CancelledError, SystemExit) cancels, even if
    `count` names it; so does the CancelledError of a future. The user's functions among the rules run here.
    """
    if not isinstance(error, Exception) or isinstance(error, CancelledError):
        return "cancelled"
    if any(_means(rule, error) for rule in settings.ignore):
        return "ignored"
    return "failure" if any(_means(rule, error) for rule in settings.count) else "ignored"


def outcome_of_result(result: Any, settings: BreakerSettings) -> Literal["success", "failure"]:
    """What a call that returned `result` says; the user's `failed_result` runs here."""
    return "failure" if settings.failed_result is not None and settings.failed_result(result) else "success"


def code_of(outcome: Literal["success", "failure"], duration_s: float | None, settings: BreakerSettings) -> int:
    """The octet of a call that took `duration_s`; None when nobody measured it, then it is not slow."""
    slow = settings.slow_call_s is not None and duration_s is not None and duration_s > settings.slow_call_s
    return (FAILED if outcome == "failure" else SUCCESS) | (SLOW if slow else 0)


def _means(rule: ErrorRule, error: BaseException) -> bool:
    return isinstance(error, rule) if isinstance(rule, type) else bool(rule(error))
