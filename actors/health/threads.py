"""Runs checks whose probes are plain functions, on a bounded number of daemon threads.

Python cannot end a thread. One that hangs is lost to the others until its probe returns, and the check stays in flight:
there is never a second one. When all threads hang, what waits is told to be unreachable, with the names of those that
hang: that the monitor could not look says nothing of the component.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from actors.health.answers import Answer, read_answer, read_error
from actors.health.probes.place import at
from actors.runtime.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from actors.health.check import Clean, RunningCheck

_NAMED = 5
_IDLE_S = 30.0


class ProbeThreads:
    """The threads of one process.

    Args:
        clock: Measures.
        clean: Takes secrets out of what probes say.
        limit: So many threads there are at most.
    """

    def __init__(self, clock: Clock, clean: Clean, *, limit: int) -> None:
        self._clock = clock
        self._clean = clean
        self._limit = limit
        self._condition = threading.Condition(threading.Lock())
        self._waiting: deque[RunningCheck] = deque()
        self._running: dict[int, RunningCheck] = {}
        self._threads = self._idle = 0
        self._closed = False

    @property
    def waiting(self) -> int:
        """Checks that have no thread yet."""
        return len(self._waiting)

    def hung(self, now: float) -> list[str]:
        """Whose checks have run for longer than they may."""
        with self._condition:
            return [check.name for check in self._running.values() if now > check.ends_at]

    def run(self, check: RunningCheck) -> None:
        """Run it as soon as a thread is free."""
        with self._condition:
            self._waiting.append(check)
            if self._idle >= len(self._waiting):
                self._condition.notify()
                return
            if self._threads == self._limit or self._closed:
                return
            self._threads += 1
        threading.Thread(target=self._work, name="health-probe", daemon=True).start()

    def withdraw(self, number: int) -> bool:
        """Do not run a check that has not begun; False if it has, or ended."""
        with self._condition:
            found = next((check for check in self._waiting if check.number == number), None)
            if found is None:
                return False
            self._waiting.remove(found)
        return found.end(Answer(outcome="unreachable", detail="it was given up before it ran"), self._clock.now())

    def expire(self, now: float) -> None:
        """Tell those whose time is over before they had a thread."""
        with self._condition:
            late = [check for check in self._waiting if now >= check.ends_at]
            for check in late:
                self._waiting.remove(check)
        if late:
            hung = self.hung(now)
            names = ", ".join(hung[:_NAMED]) + (", ..." if len(hung) > _NAMED else "")
            detail = f"it did not run: all {self._limit} threads are taken" + (
                f"; in them hang {names}" if hung else ""
            )
            for check in late:
                check.end(Answer(outcome="unreachable", detail=detail), now)

    def close(self) -> None:
        """Run nothing more; what runs is left to end."""
        with self._condition:
            self._closed = True
            self._waiting.clear()
            self._condition.notify_all()

    def _work(self) -> None:
        while (check := self._next()) is not None:
            try:
                with at(check.here):
                    answer = read_answer(_finished(check.probe()), self._clean)
            except BaseException as error:  # noqa: BLE001 - whatever a user's probe raises, sys.exit() included
                answer = read_error(error, self._clean)
            with self._condition:
                del self._running[check.number]
            check.end(answer, self._clock.now())

    def _next(self) -> RunningCheck | None:
        with self._condition:
            self._idle += 1
            while not self._waiting and not self._closed and self._condition.wait(_IDLE_S):
                pass
            self._idle -= 1
            if not self._waiting:
                self._threads -= 1
                return None
            check = self._waiting.popleft()
            self._running[check.number] = check
            return check


def _finished(value: Any) -> Any:
    """What a plain function returned; if that is to be awaited, what comes of it."""
    return asyncio.run(_wait(value)) if inspect.isawaitable(value) else value


async def _wait(value: Awaitable[Any]) -> Any:
    return await value
