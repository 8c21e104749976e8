"""How a strategy goes on after the steps that it has taken. Pure: what was taken in, the next step out.

    retry     (wait) call -> ... until one succeeds, `attempts` have been made, or an error is not worth it; the run
              that failed was the first attempt
    fallback  provider 0 -> provider 1 -> ... -> stale answer
    restore   load -> verify -> cut over --failed--> roll back
    escalate  notify -> (wait) notify -> ... until somebody takes it
    restart, isolate, user   one step

A step that was begun and whose end nobody knows has the outcome "unknown". One with an effect is never taken again; one
that is repeatable is. To try a call again after an unknown outcome is another attempt, which `unknown` of a Retry may
forbid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, assert_never

from actors.recovery.backoff import delay_s
from actors.recovery.retry import Fallback, Retry
from actors.recovery.strategies import Escalate, Isolate, Restart, Restore, UserStrategy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from actors.recovery.strategies import Strategy

Action = Literal[
    "call", "provider", "stale", "load", "verify", "cut_over", "roll_back", "notify", "restart", "isolate", "user"
]

Outcome = Literal["succeeded", "failed", "refused", "unknown", "acknowledged"]
"""How a step ended. "refused": it cannot or must not be taken again (no such child, an error that is not worth another
attempt). "acknowledged": a person has taken it over."""

REPEATABLE: tuple[Action, ...] = ("stale", "load", "verify", "notify", "isolate")
"""To take one of these twice has the effect of taking it once: it reads, or its receiver knows it by its number."""

AGAIN_MAX = 3
"""A step whose end is not known so often is taken as failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is to be done next.

    Attributes:
        action: What.
        number: Counts the steps of this strategy, from 0.
        index: The provider, for those.
        wait_s: How long to wait before, seconds.
        timeout_s: How long it may take, seconds.
        repeatable: Whether it may be taken again when nobody knows whether it was.
    """

    action: Action
    number: int
    index: int = 0
    wait_s: float = 0.0
    timeout_s: float
    repeatable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A step that has ended.

    Attributes:
        step: Which.
        outcome: How.
        detail: In words.
    """

    step: Step
    outcome: Outcome
    detail: str = ""


Finish = Literal["succeeded", "failed", "acknowledged"]


def next_step(strategy: Strategy, taken: Sequence[Taken], *, rng: Random) -> Step | Finish:
    """The step that follows those taken, or how the strategy has ended.

    A strategy that has succeeded is not over: whether the component is well says its probe.
    """
    if taken and taken[-1].outcome == "unknown" and taken[-1].step.repeatable:
        again = taken[-1].step  # its number is the same, so that its receiver knows it
        if sum(each.step.number == again.number for each in taken) < AGAIN_MAX:
            return again
    ended = tuple({each.step.number: each for each in taken}.values())
    match strategy:
        case Retry():
            following = _retry(strategy, ended, rng)
        case Fallback():
            following = _fallback(strategy, ended)
        case Restore():
            following = _restore(strategy, ended)
        case Escalate():
            following = _escalate(strategy, ended)
        case Restart():
            following = _once("restart", ended, timeout_s=strategy.timeout_s)
        case Isolate():
            following = _once("isolate", ended, timeout_s=strategy.timeout_s)
        case UserStrategy():
            following = _once("user", ended, timeout_s=strategy.timeout_s, repeatable=strategy.repeatable)
        case _:
            assert_never(strategy)
    return following


def _retry(strategy: Retry, taken: Sequence[Taken], rng: Random) -> Step | Finish:
    outcome = taken[-1].outcome if taken else "failed"
    if outcome == "succeeded":
        return "succeeded"
    is_over = outcome == "refused" or len(taken) + 1 >= strategy.attempts
    if is_over or (outcome == "unknown" and strategy.unknown == "never"):
        return "failed"
    wait_s = delay_s(
        strategy.backoff,
        failures=len(taken) + 1,
        min_s=strategy.min_s,
        max_s=strategy.max_s,
        previous_s=taken[-1].step.wait_s if taken else 0.0,
        rng=rng,
    )
    return Step(action="call", number=len(taken), wait_s=wait_s, timeout_s=strategy.timeout_s)


def _fallback(strategy: Fallback, taken: Sequence[Taken]) -> Step | Finish:
    if taken and taken[-1].outcome == "succeeded":
        return "succeeded"
    asked, providers = len(taken), strategy.providers
    if asked < len(providers):
        return Step(action="provider", number=asked, index=asked, timeout_s=providers[asked].timeout_s)
    if asked == len(providers) and strategy.stale_s is not None:
        return Step(action="stale", number=asked, timeout_s=strategy.timeout_s, repeatable=True)
    return "failed"


def _restore(strategy: Restore, taken: Sequence[Taken]) -> Step | Finish:
    order: tuple[Action, ...] = ("load", "verify", "cut_over")
    if not taken:
        following: Action = "load"
    else:
        latest = taken[-1]
        if latest.step.action == "roll_back":
            return "failed"
        if latest.outcome != "succeeded":
            if latest.step.action != "cut_over":
                return "failed"  # nothing was changed yet
            following = "roll_back"
        elif latest.step.action == "cut_over":
            return "succeeded"
        else:
            following = order[order.index(latest.step.action) + 1]
    repeatable = following in REPEATABLE
    return Step(action=following, number=len(taken), timeout_s=strategy.timeout_s, repeatable=repeatable)


def _escalate(strategy: Escalate, taken: Sequence[Taken]) -> Step | Finish:
    if taken and taken[-1].outcome == "acknowledged":
        return "acknowledged"
    if len(taken) >= strategy.repeats:
        return "failed"
    wait_s = strategy.repeat_s if taken else 0.0
    return Step(action="notify", number=len(taken), wait_s=wait_s, timeout_s=strategy.timeout_s, repeatable=True)


def _once(action: Action, taken: Sequence[Taken], *, timeout_s: float, repeatable: bool = False) -> Step | Finish:
    if not taken:
        return Step(action=action, number=0, timeout_s=timeout_s, repeatable=repeatable or action in REPEATABLE)
    return "succeeded" if taken[-1].outcome == "succeeded" else "failed"
