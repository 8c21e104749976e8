"""Lets calls in as the machine says, and lets those wait whose turn comes later: threads as well as coroutines."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from actors.child.machine import Early, Pending, Promote, Reply, Start

if TYPE_CHECKING:
    from actors.child.machine import ChildMachine, Verdict
    from actors.child.protocol import Answer, CallHeader

EARLY_PATIENCE_S = 0.5
"""How long a call waits for earlier ones of its client. Ray hands calls to several threads or coroutines out of
order, so they are on their way nearly always; when they are not, the client is asked to send them again."""

WAITING_MAX = 1_000
"""Early calls that wait at the same time; the others are answered at once."""

Ready = Start | Promote | Reply


class Gate:
    """One machine behind a lock, and who waits for a change of it.

    Args:
        machine: It must be touched under `lock` only.
        waiting_max: Early calls that may wait at the same time. Where each holds a thread that an earlier one may need,
            it is one less than there are threads.
    """

    def __init__(self, machine: ChildMachine, *, waiting_max: int = WAITING_MAX) -> None:
        self.machine = machine
        self.lock = threading.Lock()
        self._waiting_max = waiting_max
        self._early = 0
        self._waiting: dict[tuple[str, int], list[Callable[[], object]]] = {}

    def enter(self, header: CallHeader, *, streaming: bool = False) -> Ready:
        """Whether to run a call, to activate first, or what to answer; waits on this thread where it has to."""
        waited = False
        while True:
            turn = threading.Event()
            verdict = self._admit(header, turn.set, streaming=streaming, waited=waited)
            match verdict:
                case Start() | Promote() | Reply():
                    return verdict
                case Pending():
                    turn.wait()
                case Early():
                    turn.wait(EARLY_PATIENCE_S)
                    self._give_up_waiting(header, turn.set)
                    waited = True

    async def enter_soon(self, header: CallHeader, *, streaming: bool = False) -> Ready:
        """Like `enter`, for a coroutine."""
        loop = asyncio.get_running_loop()
        waited = False
        while True:
            turn: asyncio.Future[None] = loop.create_future()
            wake = partial(_wake, loop, turn)
            verdict = self._admit(header, wake, streaming=streaming, waited=waited)
            match verdict:
                case Start() | Promote() | Reply():
                    return verdict
                case Pending():
                    await turn
                case Early():
                    try:
                        await asyncio.wait((turn,), timeout=EARLY_PATIENCE_S)
                    finally:
                        self._give_up_waiting(header, wake)
                    waited = True

    def conclude(self, client: str, number: int, answer: Answer | None) -> None:
        """See `ChildMachine.conclude`."""
        with self.lock:
            self.machine.conclude(client, number, answer)

    def release(self, client: str, number: int, answer: Answer) -> Answer:
        """See `ChildMachine.release`; who waits for this call's answer goes on."""
        with self.lock:
            told = self.machine.release(client, number, answer)
            wakers = self._waiting.pop((client, number), ()) if self._waiting else ()
        for wake in wakers:
            wake()
        return told

    def stop(self) -> bool:
        """See `ChildMachine.stop`."""
        with self.lock:
            return self.machine.stop()

    def fence(self) -> None:
        """See `ChildMachine.fence`; all who wait are told."""
        with self.lock:
            self.machine.fence()
            wakers = [wake for waiting in self._waiting.values() for wake in waiting]
            self._waiting.clear()
        for wake in wakers:
            wake()

    def _admit(self, header: CallHeader, wake: Callable[[], object], *, streaming: bool, waited: bool) -> Verdict:
        """The machine's word; `wake` will be called when one that has to wait should ask again."""
        wakers: Sequence[Callable[[], object]] = ()
        with self.lock:
            verdict = self.machine.admit(header, streaming=streaming)
            match verdict:
                case Start():
                    wakers = self._waiting.pop((header[0], header[1] + 1), ()) if self._waiting else ()
                case Early(answer) if waited or self._early >= self._waiting_max:
                    verdict = Reply(answer)
                case Early() | Pending():
                    self._early += isinstance(verdict, Early)
                    self._waiting.setdefault((header[0], header[1]), []).append(wake)
                case Promote() | Reply():
                    pass
        for wake_next in wakers:
            wake_next()
        return verdict

    def _give_up_waiting(self, header: CallHeader, wake: Callable[[], object]) -> None:
        """An early call waits no more, whether it was woken or not."""
        key = (header[0], header[1])
        with self.lock:
            self._early -= 1
            others = [waker for waker in self._waiting.get(key, ()) if waker != wake]
            if others:
                self._waiting[key] = others
            else:
                self._waiting.pop(key, None)


def _wake(loop: asyncio.AbstractEventLoop, turn: asyncio.Future[None]) -> None:
    loop.call_soon_threadsafe(_resolve, turn)


def _resolve(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
