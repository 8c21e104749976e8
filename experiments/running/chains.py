"""Steps that must follow each other, carried out beside whoever orders them: one chain for each fault.

A step of one chain waits for the steps before it and for nobody else's. So a ledger that does not answer, on a node
that is cut off, holds up the fault that it is about; whoever orders goes on listening, and other faults go on.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor


class Chains:
    """Chains by name.

    Args:
        pool: Whose threads carry steps out; a chain has one while it has steps.
        failed: Told of what a step raises that nobody thought of; its chain goes on.
    """

    def __init__(self, pool: Executor, failed: Callable[[BaseException], None]) -> None:
        self._pool = pool
        self._failed = failed
        self._steps: dict[str, deque[Callable[[], None]]] = {}
        self._changed = threading.Condition()

    def add(self, name: str, step: Callable[[], None]) -> None:
        """Carry it out as soon as all that was added under this name before is done."""
        with self._changed:
            known = self._steps.get(name)
            if known is not None:
                known.append(step)
                return
            self._steps[name] = deque((step,))
        self._pool.submit(self._carry_out, name)

    def wait(self, timeout_s: float, *, but: str | None = None) -> bool:
        """Wait until nothing is left to be done; False when time was out before.

        Args:
            timeout_s: How long at most, seconds.
            but: A chain that is not waited for.
        """
        with self._changed:
            return self._changed.wait_for(lambda: not (self._steps.keys() - {but}), timeout_s)

    def _carry_out(self, name: str) -> None:
        while True:
            with self._changed:
                steps = self._steps[name]
                if not steps:
                    del self._steps[name]
                    self._changed.notify_all()
                    return
                step = steps.popleft()
            try:
                step()
            except BaseException as error:  # noqa: BLE001 - it is on a thread: nobody else would hear of it
                self._failed(error)
