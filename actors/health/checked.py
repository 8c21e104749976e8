"""What an actor has in whose process the monitor may run checks. Who is never asked loads nothing for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import ray

if TYPE_CHECKING:
    from actors.health.places import Ended

CHECK_THREADS = 2
CHECK_GROUP = {"check": CHECK_THREADS}
"""The concurrency group of such an actor, and its threads."""


class Checked:
    """For actors with threads."""

    @ray.method(concurrency_group="check")
    def check(self, supervisor: str, name: str, data: bytes, timeout_s: float) -> Ended:
        """Run a check in this process; see `CheckPlace.run`. Answers no later than its time is over."""
        from actors.health.places import check_place, late  # noqa: PLC0415 - see the module

        try:
            return check_place().run(supervisor, name, data, timeout_s).result(timeout_s)
        except TimeoutError:
            return late(timeout_s)


class CheckedOnLoop:
    """For actors with event loops."""

    @ray.method(concurrency_group="check")
    async def check(self, supervisor: str, name: str, data: bytes, timeout_s: float) -> Ended:
        """See `Checked.check`."""
        from actors.health.places import check_place, late  # noqa: PLC0415 - see the module

        running = check_place().run(supervisor, name, data, timeout_s)
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(running)), timeout_s)
        except TimeoutError:
            return late(timeout_s)
