"""A child whose code runs on an event loop: a class with coroutine methods."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

from actors.child.execute import Calls
from actors.child.hooks import Hooks, construct, finish_soon
from actors.child.member import Member
from actors.child.protocol import BUILT, IGNORED, STALE_NOT_RUN
from actors.runtime.errors import ChildStartError, IgnoreChild, StaleIncarnationError
from actors.worker.raised import pickle_error

if TYPE_CHECKING:
    from actors.child.keeper import Snapshot
    from actors.child.protocol import Answer, CallHeader, Role

_STREAMED: Answer = ("ok", b"")
"""A stream ended well: there is nothing more to tell."""


class LoopMember(Member):
    """A child with coroutine methods; its plain methods run on the loop too.

    At most `max_concurrency` calls are between their begin and their end; they begin in the order in which they were
    let in. With `checkpoint="each_call"` the state is taken as each call returns, whatever others are in the middle of.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._activating = asyncio.Lock()
        self._slots = asyncio.Semaphore(self.recipe.max_concurrency)

    async def build(self, role: Role) -> bytes:
        try:
            target = construct(self.recipe)
        except IgnoreChild:
            self.fence()
            return IGNORED
        except BaseException as error:  # noqa: BLE001 - a user's constructor can raise anything, SystemExit included
            raise await asyncio.to_thread(self.not_started, error) from None
        self.hooks = Hooks(self.recipe.key, target)
        self.calls = Calls(self.recipe.key, target)
        if role == "active":
            await self.activate()
        else:
            self.stand_by()
        return BUILT

    async def activate(self) -> None:
        async with self._activating:
            if self.machine.phase == "active":
                return
            try:
                found = await asyncio.to_thread(self.find)
                if found is not None:
                    await finish_soon(self.hooks.restore(found.state))
            except BaseException as error:  # noqa: BLE001 - a user's restore() can raise anything, SystemExit included
                raise await asyncio.to_thread(self.not_taken_up, error) from None
            self.accept(found)

    async def take_over(self) -> None:
        try:
            await self.activate()
        except (ChildStartError, StaleIncarnationError) as error:
            self.note("takeover_failed", error)

    async def run(self, header: CallHeader, payload: bytes, refs: Sequence[Any]) -> Answer:
        try:
            return await self._run(header, payload, refs)
        except asyncio.CancelledError as error:
            answer: Answer = ("error", pickle_error(error))
            self.gate.conclude(header[0], header[1], answer)
            self.gate.release(header[0], header[1], answer)
            raise

    async def _run(self, header: CallHeader, payload: bytes, refs: Sequence[Any]) -> Answer:
        async with self._slots:
            if self.is_over:
                return self.gate.release(header[0], header[1], STALE_NOT_RUN)
            answer = await self.calls.run_soon(header[3], payload, refs)
            if answer[0] == "exited":
                await asyncio.to_thread(self.leave, answer[1].decode())
                self.gate.release(header[0], header[1], answer)
                return answer
            state = await self._conclude(header, answer)
        return await self._release(header, answer, state)

    async def stream(self, header: CallHeader, payload: bytes, refs: Sequence[Any]) -> AsyncGenerator[Answer]:
        has_left = False
        end = _STREAMED
        async with self._slots:
            items = self.calls.stream_soon(header[3], payload, refs)
            try:
                async for answer in items:
                    if answer[0] == "exited":
                        has_left = True
                        await asyncio.to_thread(self.leave, answer[1].decode())
                    elif self.is_over:
                        break
                    yield answer
            finally:
                await items.aclose()
                state = await self._conclude(header, None)
                end = await self._release(header, _STREAMED, state)
        if end is not _STREAMED and not has_left:
            yield end

    async def snapshot(self) -> Snapshot:
        return self.seal(await finish_soon(self.hooks.state()))

    async def last_words(self, *, keeps_state: bool) -> Snapshot | None:
        async with AllSlots(self._slots, self.recipe.max_concurrency):
            try:
                await finish_soon(self.hooks.stop())
            except BaseException as error:  # noqa: BLE001 - a user's stop() can raise anything, and the end goes on
                self.note("stop_failed", error)
            return await self.snapshot() if keeps_state else None

    async def _conclude(self, header: CallHeader, remembered: Answer | None) -> Snapshot | BaseException | None:
        """The outcome is known; gives the state to be kept before it is told, or why there is none."""
        self.gate.conclude(header[0], header[1], remembered)
        if not self.replicates or self.is_over:
            return None
        try:
            return await self.snapshot()
        except BaseException as error:  # noqa: BLE001 - a user's checkpoint() can raise anything: the caller is told
            return error

    async def _release(self, header: CallHeader, answer: Answer, state: Snapshot | BaseException | None) -> Answer:
        trouble = state if isinstance(state, BaseException | None) else await asyncio.to_thread(self.replicate, state)
        if trouble is not None:
            answer = ("error", pickle_error(trouble))
            self.gate.conclude(header[0], header[1], answer)
        return self.gate.release(header[0], header[1], answer)


class AllSlots:
    """Holds all slots of a semaphore: what ran has ended, and nothing begins."""

    def __init__(self, slots: asyncio.Semaphore, number: int) -> None:
        self._slots = slots
        self._number = number

    async def __aenter__(self) -> None:
        for _ in range(self._number):
            await self._slots.acquire()

    async def __aexit__(self, *error: object) -> None:
        for _ in range(self._number):
            self._slots.release()
