"""The tasks that run during an experiment: each takes its time, and has one effect that the witness sees."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from actors.runtime import fault_points
from actors.runtime.clock import sleep
from actors.runtime.fault_passing import pass_point_soon
from experiments.model.scenes import UPSTREAM
from experiments.running.witness import Address, tell

if TYPE_CHECKING:
    from actors.breaker.handle import BreakerHandle

POINT = "dependency"
CALL_TIMEOUT_S = 0.5


def work(witness: Address, key: str, work_s: float) -> str:
    """Take the time, then have the effect; its token."""
    sleep(work_s)
    return tell(witness, key)


def treat(witness: Address, key: str, work_s: float, asker: int) -> str:
    """Do the work where a healer makes the call; its token.

    Args:
        witness: Sees the effect.
        key: Which.
        work_s: It takes so long, seconds.
        asker: The process that calls first.

    Raises:
        ConnectionError: This is the first call.
    """
    if os.getpid() == asker:
        raise ConnectionError("the service did not answer")
    return work(witness, key, work_s)


async def work_upstream(witness: Address, key: str, work_s: float, breaker: BreakerHandle) -> str:
    """Call the service through its breaker; its token.

    Raises:
        CircuitOpenError: The breaker lets nobody through.
        TimeoutError: The service did not answer within `CALL_TIMEOUT_S`.
    """
    async with breaker:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            if fault_points.ON:
                await pass_point_soon(POINT, UPSTREAM)
            await asyncio.sleep(work_s)
        return await asyncio.to_thread(tell, witness, key)


def work_without(witness: Address, key: str, work_s: float, breaker: BreakerHandle) -> str:
    """What is done where the service does not answer: the order is put down for later, which takes no time."""
    del work_s, breaker
    return tell(witness, key)
