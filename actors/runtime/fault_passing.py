"""What an experiment put at a point is done to the call that passes it, in a thread or in a coroutine."""

from __future__ import annotations

import asyncio
from random import Random

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.fault_points import ON, Effect, decide, sweep

_RNG = Random()  # noqa: S311 - which calls an experiment hits is no secret

_LOOK_EVERY_S = 0.1
"""So soon after a fault was taken off, a call that waits for it goes on."""


def pass_point(point: str, subject: str) -> None:
    """Let a call pass a point; it may wait here, and it may fail.

    Raises: what the experiment wants it to raise.
    """
    effect = _effect(point, subject)
    if effect is None:
        return
    ends_at = SYSTEM_CLOCK.now() + effect.wait_s
    while ON and (left_s := ends_at - SYSTEM_CLOCK.now()) > 0:
        sleep(min(left_s, _LOOK_EVERY_S))
    if effect.raises is not None:
        raise effect.raises


async def pass_point_soon(point: str, subject: str) -> None:
    """Like `pass_point`, for a coroutine.

    Raises: as `pass_point`.
    """
    effect = _effect(point, subject)
    if effect is None:
        return
    ends_at = SYSTEM_CLOCK.now() + effect.wait_s
    while ON and (left_s := ends_at - SYSTEM_CLOCK.now()) > 0:
        await asyncio.sleep(min(left_s, _LOOK_EVERY_S))
    if effect.raises is not None:
        raise effect.raises


def _effect(point: str, subject: str) -> Effect | None:
    now = SYSTEM_CLOCK.now()
    effect = decide(ON, point, subject, now=now, rng=_RNG)
    sweep(now)
    return effect
