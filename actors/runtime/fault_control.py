"""The way in for faults: every actor of ours answers it, and a program that is none calls the functions itself.

What is put ends by itself at its time, seconds from now; a thread that lives while something is on sees to it that
nothing is left then, not even the look at it. How many calls each fault acted on is counted by the points themselves
and stays readable for a minute.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ray

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import ConfigError
from actors.runtime.fault_counts import COUNTS
from actors.runtime.fault_passing import EXIT_CODE
from actors.runtime.fault_points import ON, put, sweep, take

if TYPE_CHECKING:
    from actors.runtime.fault_orders import FaultOrder


def fault_put(faults: Sequence[Mapping[str, Any]]) -> list[str]:
    """Put faults on in this process; the ids of those that are on.

    One that is on already gets the new end. What is not put: one whose time is over, and those beyond `FAULTS_MAX`.

    Args:
        faults: Each the fields of `FaultOrder`.
    Raises:
        ConfigError: One of them is wrong; nothing was put.
    """
    from actors.runtime.fault_orders import FRESH_S, read_orders  # noqa: PLC0415 - an actor's start must not wait for it

    orders = read_orders(faults)
    _insist_on_worker(orders)
    now = SYSTEM_CLOCK.now()
    on: list[str] = []
    for fault in [order.fault(now) for order in orders if order.left_s >= FRESH_S]:
        COUNTS.begin(fault.fault_id, fault.until)
        if put(fault):
            on.append(fault.fault_id)
    _ENDING.mind()
    return on


def fault_take(ids: Sequence[str]) -> list[str]:
    """Take faults off; the ids of those that were on. Calls that wait for them go on."""
    now = SYSTEM_CLOCK.now()
    was_on = [fault_id for fault_id in ids if take(fault_id)]
    for fault_id in was_on:
        COUNTS.end(fault_id, now)
    _ENDING.mind()
    return was_on


def fault_seen() -> dict[str, int]:
    """How many calls each fault acted on here, of those that are on or were so within the last minute."""
    return COUNTS.seen(SYSTEM_CLOCK.now())


def fault_exit() -> None:
    """End this process at once, as a crash, if it is Ray's worker; a program of the user's goes on.

    Asked of an actor it is never answered: the asker meets the death, or an actor out of reach.
    """
    if _is_worker():
        os._exit(EXIT_CODE)


class FaultControl:
    """The same for other processes, on the actor's control threads: a call that is busy or hangs does not hold it."""

    @ray.method(concurrency_group="control")
    def fault_put(self, faults: list[dict[str, Any]]) -> list[str]:
        """See `fault_put` of this module."""
        return fault_put(faults)

    @ray.method(concurrency_group="control")
    def fault_take(self, ids: list[str]) -> list[str]:
        """See `fault_take` of this module."""
        return fault_take(ids)

    @ray.method(concurrency_group="control")
    def fault_seen(self) -> dict[str, int]:
        """See `fault_seen` of this module."""
        return fault_seen()

    @ray.method(concurrency_group="control")
    def fault_exit(self) -> None:
        """See `fault_exit` of this module."""
        fault_exit()


class _Ending:
    """Takes off what is over, when it is over."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def mind(self) -> None:
        """Something was put or taken."""
        with self._changed:
            if self._thread is None and ON:
                self._thread = threading.Thread(target=self._run, name="supervisor-faults", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _run(self) -> None:
        with self._changed:
            while True:
                now = SYSTEM_CLOCK.now()
                sweep(now)
                ends = [fault.until for fault in list(ON.values())]
                if not ends:
                    self._thread = None
                    return
                self._changed.wait(max(0.0, min(ends) - now))


_ENDING = _Ending()


def _is_worker() -> bool:
    return ray.is_initialized() and ray.get_runtime_context().worker.mode == ray.WORKER_MODE


def _insist_on_worker(orders: Sequence[FaultOrder]) -> None:
    if any(order.kind == "exit" for order in orders) and not _is_worker():
        problem = "kind: exit ends the process, and this one is a program of the user's; put it in an actor's"
        raise ConfigError("fault_put", problems=(problem,))
