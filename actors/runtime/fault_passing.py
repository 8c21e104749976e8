"""What an experiment put at a point is done to the call that passes it, in a thread or in a coroutine.

Counted is what was done, behind it: a fault that was decided and did nothing is not shown to have acted.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from random import Random
from typing import TypeVar

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.fault_counts import COUNTS
from actors.runtime.fault_points import ARRIVES, ON, REPLIES, RUNS, Effect, Kind, decide, sweep

T = TypeVar("T")

EXIT_CODE = 1
"""What a process ends with that an experiment ends from inside: a crash to whoever looks."""

_RNG = Random()  # noqa: S311 - which calls an experiment hits is no secret
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_RNG.seed)  # else the same calls are hit in every forked worker

_LOOK_EVERY_S = 0.1
"""So soon after a fault was taken off, a call that waits for it goes on."""

_FELT_S = 0.01
"""A call that has waited for so long was acted on, also if its caller gives it up before the rest is over."""


def pass_point(point: str, subject: str, kinds: frozenset[Kind] = ARRIVES | RUNS) -> None:
    """Let a call pass a point; it may wait here, it may fail, and the process may end.

    Args:
        point: Where.
        subject: Whose call.
        kinds: What may happen at this stage of the call, see `fault_points`.
    Raises: what the experiment wants it to raise.
    """
    effect = _effect(point, subject, kinds)
    if effect is None:
        return
    for rest_s in _rests(effect):
        sleep(rest_s)
    _end(effect)


async def pass_point_soon(point: str, subject: str, kinds: frozenset[Kind] = ARRIVES | RUNS) -> None:
    """Like `pass_point`, for a coroutine.

    Raises: as `pass_point`.
    """
    effect = _effect(point, subject, kinds)
    if effect is None:
        return
    for rest_s in _rests(effect):
        await asyncio.sleep(rest_s)
    _end(effect)


def through(point: str, subject: str, work: Callable[[], T], kinds: frozenset[Kind] = ARRIVES | RUNS) -> T:
    """Run `work` as a call that passes a point: it may not arrive, and its answer may not.

    Raises: as `pass_point`, and what `work` raises.
    """
    pass_point(point, subject, kinds)
    answer = work()
    pass_point(point, subject, REPLIES)
    return answer


async def through_soon(
    point: str, subject: str, work: Callable[[], Awaitable[T]], kinds: frozenset[Kind] = ARRIVES | RUNS
) -> T:
    """Like `through`, for a coroutine.

    Raises: as `through`.
    """
    await pass_point_soon(point, subject, kinds)
    answer = await work()
    await pass_point_soon(point, subject, REPLIES)
    return answer


def _effect(point: str, subject: str, kinds: frozenset[Kind]) -> Effect | None:
    now = SYSTEM_CLOCK.now()
    effect = decide(ON, point, subject, now=now, rng=_RNG, kinds=kinds)
    sweep(now)
    return effect


def _rests(effect: Effect) -> Iterator[float]:
    """The pieces of its waits, seconds: what waits for a fault goes on when that is over, or taken off.

    A wait is counted when some of it has passed, and not before.
    """
    for fault_id, wait_s in effect.waits:
        began_at = SYSTEM_CLOCK.now()
        ends_at, felt_s, counted = began_at + wait_s, min(wait_s, _FELT_S), False
        while fault_id in ON and (left_s := ends_at - SYSTEM_CLOCK.now()) > 0:
            yield min(left_s, _LOOK_EVERY_S if counted else felt_s)
            if not counted and SYSTEM_CLOCK.now() - began_at >= felt_s:
                counted = True
                COUNTS.note((fault_id,))


def _end(effect: Effect) -> None:
    """What it comes to behind its waits; it is counted when it has come to that."""
    try:
        _conclude(effect)
    except BaseException as error:
        if error is effect.raises:
            COUNTS.note((effect.raised_by,))
        raise


def _conclude(effect: Effect) -> None:
    if effect.ends:
        os._exit(EXIT_CODE)
    if effect.raises is not None:
        raise effect.raises
