"""Runs checks whose probes are coroutine functions, all on one event loop of a thread of its own.

A probe that blocks the loop (it calls a plain function that waits) would make all others late. So the loop is asked
again and again; when it does not come to that, its thread is left to the probe that holds it, a new loop is begun, and
that probe runs on a thread from then on. The other checks that were on the loop are told to be unreachable: that they
could not be looked at says nothing of them.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from actors.health.answers import Answer, read_answer, read_error
from actors.health.probes.place import at
from actors.runtime.clock import Clock

if TYPE_CHECKING:
    from asyncio import Task

    from actors.health.check import Clean, RunningCheck

BLOCKED_LOOKS = 10
"""So many looks in a row at which the loop has not come to a call mean that it is blocked."""

_GIVEN_UP = Answer(outcome="timed_out", detail="it was given up")


class ProbeLoop:
    """One loop.

    Args:
        clock: Measures.
        clean: Takes secrets out of what probes say.
    """

    def __init__(self, clock: Clock, clean: Clean) -> None:
        self._clock = clock
        self._clean = clean
        self._loop = asyncio.new_event_loop()
        self._lock = threading.Lock()
        self._checks: dict[int, RunningCheck] = {}
        self._tasks: dict[int, Task[None]] = {}
        self._came = True
        self._missed = 0
        threading.Thread(target=self._loop.run_forever, name="health-loop", daemon=True).start()

    @property
    def running(self) -> int:
        """Checks on it."""
        return len(self._checks)

    def run(self, check: RunningCheck) -> None:
        """Run it."""
        with self._lock:
            self._checks[check.number] = check
        self._loop.call_soon_threadsafe(self._begin, check)

    def cancel(self, number: int) -> None:
        """End a check; its end is told when it has come."""
        self._loop.call_soon_threadsafe(self._cancel, number)

    def look(self) -> RunningCheck | None:
        """Has the loop come to the call of the look before? Returns the check that blocks it, once that is clear."""
        if self._came:
            self._came, self._missed = False, 0
            self._loop.call_soon_threadsafe(self._come)
            return None
        self._missed += 1
        return self._holder() if self._missed >= BLOCKED_LOOKS else None

    def leave(self, holder: RunningCheck) -> None:
        """This loop is over: all checks but the one that holds it are told so, and it ends once that lets go."""
        with self._lock:
            others = [check for check in self._checks.values() if check is not holder]
        detail = f"it was not looked at: {holder.name} blocks the event loop of all async probes; make it a sync one"
        for check in others:
            check.end(Answer(outcome="unreachable", detail=detail), self._clock.now())
        self.close()

    def close(self) -> None:
        """End the loop; what runs on it is cancelled."""
        self._loop.call_soon_threadsafe(self._end)

    def _begin(self, check: RunningCheck) -> None:
        task = self._tasks[check.number] = self._loop.create_task(self._run(check))
        task.add_done_callback(lambda _: self._note_gone(check))

    async def _run(self, check: RunningCheck) -> None:
        try:
            with at(check.here):
                async with asyncio.timeout(check.here.timeout_s):
                    answer = read_answer(await check.probe(), self._clean)
        except TimeoutError as error:
            is_late = self._clock.now() >= check.ends_at and not str(error)
            late = Answer(outcome="timed_out", detail=f"it took longer than {check.here.timeout_s:g} s")
            answer = late if is_late else read_error(error, self._clean)
        except asyncio.CancelledError:
            answer = _GIVEN_UP
        except BaseException as error:  # noqa: BLE001 - whatever a user's probe raises, sys.exit() included
            answer = read_error(error, self._clean)
        check.end(answer, self._clock.now())

    def _note_gone(self, check: RunningCheck) -> None:
        with self._lock:
            self._checks.pop(check.number, None)
        self._tasks.pop(check.number, None)
        check.end(_GIVEN_UP, self._clock.now())  # one that was cancelled before it began has told nothing

    def _cancel(self, number: int) -> None:
        task = self._tasks.get(number)
        if task is not None:
            task.cancel()

    def _come(self) -> None:
        self._came = True

    def _holder(self) -> RunningCheck | None:
        task = asyncio.current_task(self._loop)
        number = next((number for number, each in list(self._tasks.items()) if each is task), None)
        return None if number is None else self._checks.get(number)

    def _end(self) -> None:
        for task in list(self._tasks.values()):
            task.cancel()
        self._loop.call_soon(self._loop.stop)
