"""Runs the checks of one process: plain functions on threads, coroutine functions on one event loop.

Whoever hands a check in is told its end, later and from another thread, and is never made to wait. A probe that hangs
keeps its thread and its check: the end is told when it comes. Both are bounded, see `threads` and `probe_loop`.
"""

from __future__ import annotations

import inspect
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actors.health.check import Clean, RunningCheck, Tell
from actors.health.probe_loop import ProbeLoop
from actors.health.threads import ProbeThreads
from actors.runtime.clock import SYSTEM_CLOCK, Clock
from actors.runtime.vital_threads import steady_thread

if TYPE_CHECKING:
    from actors.health.probes.place import Here

THREADS_MAX = 64
"""Threads for probes that are plain functions; those that hang are among them."""

BLOCKERS_MAX = 1_000
"""Probes that once blocked the loop and are remembered for it."""

KINDS_MAX = 20_000
"""Probes of which it is remembered whether they are to be awaited."""

LOOK_S = 0.1
"""How often what takes too long is looked for while something runs, seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerStatistics:
    """What runs.

    Attributes:
        waiting: Checks without a thread.
        on_loop: Checks on the event loop.
        hung: Whose checks have run for longer than they may, on threads.
        loops_left: Event loops that were left to a probe that blocks them.
    """

    waiting: int
    on_loop: int
    hung: tuple[str, ...]
    loops_left: int


class ProbeRunner:
    """Runs checks in this process.

    Args:
        tell: Is told each end; see `Tell`.
        clock: Measures.
        clean: Takes secrets out of what probes say.
        threads_max: Threads for probes that are plain functions.
    """

    def __init__(
        self, tell: Tell, *, clock: Clock = SYSTEM_CLOCK, clean: Clean = str, threads_max: int = THREADS_MAX
    ) -> None:
        self._tell_end = tell
        self._clock = clock
        self._clean = clean
        self._threads = ProbeThreads(clock, clean, limit=threads_max)
        self._loop: ProbeLoop | None = None
        self._on_loop: dict[int, ProbeLoop] = {}
        self._blockers: OrderedDict[int, Callable[[], Any]] = OrderedDict()
        self._kinds: dict[int, tuple[Callable[[], Any], bool]] = {}
        self._loops_left = self._in_flight = 0
        self._lock = threading.Lock()
        self._something = threading.Event()
        self._ended = threading.Event()
        steady_thread(self._watch, name="health-watch").start()

    def run(self, number: int, name: str, probe: Callable[[], Any], *, here: Here) -> None:
        """Run a check; its end is told under `number`.

        Args:
            number: Never used before.
            name: Whose it is, for people.
            probe: What to call; several threads never call the same one at once if its checks come one by one.
            here: What it may know of this place, and its time.
        """
        check = RunningCheck(number, name, probe, here=here, began=self._clock.now(), tell=self._tell)
        with self._lock:
            self._in_flight += 1
            on_loop = self._is_async(probe) and id(probe) not in self._blockers
            if on_loop:
                if self._loop is None:
                    self._loop = ProbeLoop(self._clock, self._clean)
                loop = self._on_loop[number] = self._loop
                loop.run(check)
        if not on_loop:
            self._threads.run(check)
        self._something.set()

    def abandon(self, number: int) -> None:
        """End a check if it can be: one that waits, or one on the loop. Its end is told as ever."""
        with self._lock:
            loop = self._on_loop.get(number)
        if loop is not None:
            loop.cancel(number)
        else:
            self._threads.withdraw(number)

    def statistics(self) -> RunnerStatistics:
        """What runs at this moment."""
        return RunnerStatistics(
            waiting=self._threads.waiting,
            on_loop=0 if self._loop is None else self._loop.running,
            hung=tuple(self._threads.hung(self._clock.now())),
            loops_left=self._loops_left,
        )

    def close(self) -> None:
        """Run nothing more."""
        self._ended.set()
        self._something.set()
        self._threads.close()
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.close()

    def _is_async(self, probe: Callable[[], Any]) -> bool:
        """What `is_async` says; asked once for each probe, of which there may be thousands."""
        known = self._kinds.get(id(probe))
        if known is None:
            if len(self._kinds) >= KINDS_MAX:
                self._kinds.clear()
            known = self._kinds[id(probe)] = (probe, is_async(probe))
        return known[1]

    def _tell(self, number: int, answer: Any, duration_s: float) -> None:
        with self._lock:
            self._on_loop.pop(number, None)
            self._in_flight -= 1
        self._tell_end(number, answer, duration_s)

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_S):
            if self._in_flight == 0:
                self._something.clear()
                if self._in_flight == 0:
                    self._something.wait()
                continue
            self._threads.expire(self._clock.now())
            loop = self._loop
            holder = None if loop is None else loop.look()
            if loop is not None and holder is not None:
                self._replace(loop, holder)

    def _replace(self, loop: ProbeLoop, holder: RunningCheck) -> None:
        with self._lock:
            self._blockers[id(holder.probe)] = holder.probe
            while len(self._blockers) > BLOCKERS_MAX:
                self._blockers.popitem(last=False)
            if self._loop is loop:
                self._loop = None
            self._loops_left += 1
        loop.leave(holder)


def is_async(probe: Callable[[], Any]) -> bool:
    """Whether a probe is to be awaited."""
    return inspect.iscoroutinefunction(probe) or inspect.iscoroutinefunction(getattr(probe, "__call__", None))  # noqa: B004 - its method is asked about, not whether it has one
