"""A child whose code runs on a thread: the one that built the object, unless it asked for several."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from actors.child.execute import Calls
from actors.child.hooks import Hooks, construct, finish
from actors.child.machine import PROMOTE, START
from actors.child.member import Member
from actors.child.protocol import BUILT, IGNORED, STALE_NOT_RUN
from actors.runtime.errors import ChildStartError, IgnoreChild, StaleIncarnationError
from actors.worker.raised import pickle_error

if TYPE_CHECKING:
    from actors.child.keeper import Snapshot
    from actors.child.protocol import Answer, CallHeader, Role

_STREAMED: Answer = ("ok", b"")
"""A stream ended well: there is nothing more to tell."""


class ThreadMember(Member):
    """A child with plain methods."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._activating = threading.Lock()

    def build(self, role: Role) -> bytes:
        try:
            target = construct(self.recipe)
        except IgnoreChild:
            self.fence()
            return IGNORED
        except BaseException as error:  # noqa: BLE001 - a user's constructor can raise anything, SystemExit included
            raise self.not_started(error) from None
        self.hooks = Hooks(self.recipe.key, target)
        self.calls = Calls(self.recipe.key, target)
        if role == "active":
            self.activate()
        else:
            self.stand_by()
        return BUILT

    def activate(self) -> None:
        with self._activating:
            if self.machine.phase == "active":
                return
            try:
                found = self.find()
                if found is not None:
                    finish(self.hooks.restore(found.state))
            except BaseException as error:  # noqa: BLE001 - a user's restore() can raise anything, SystemExit included
                raise self.not_taken_up(error) from None
            self.accept(found)

    def take_over(self) -> None:
        try:
            self.activate()
        except (ChildStartError, StaleIncarnationError) as error:
            self.note("takeover_failed", error)

    def serve(self, header: CallHeader, payload: bytes, refs: Sequence[Any]) -> Answer:
        """Let a call in and run it, all on the calling thread, which is the user's."""
        verdict = self.gate.enter(header)
        if verdict is PROMOTE:
            self.take_over()
            verdict = self.gate.enter(header)
        return self.run(header, payload, refs) if verdict is START else self.refused(verdict)

    def serve_stream(self, header: CallHeader, payload: bytes, refs: Sequence[Any]) -> Generator[Answer]:
        """Like `serve`, item by item."""
        verdict = self.gate.enter(header, streaming=True)
        if verdict is PROMOTE:
            self.take_over()
            verdict = self.gate.enter(header, streaming=True)
        if verdict is START:
            yield from self.stream(header, payload, refs)
        else:
            yield self.refused(verdict)

    def run(self, header: CallHeader, payload: bytes, refs: Sequence[Any]) -> Answer:
        if self.is_over:
            return self.gate.release(header[0], header[1], STALE_NOT_RUN)
        answer = self.calls.run(header[3], payload, refs)
        if answer[0] == "exited":
            self.leave(answer[1].decode())
            self.gate.release(header[0], header[1], answer)
            return answer
        return self._settle(header, answer, answer)

    def stream(self, header: CallHeader, payload: bytes, refs: Sequence[Any]) -> Generator[Answer]:
        if self.is_over:
            yield self.gate.release(header[0], header[1], STALE_NOT_RUN)
            return
        items = self.calls.stream(header[3], payload, refs)
        has_left = False
        end = _STREAMED
        try:
            for answer in items:
                if answer[0] == "exited":
                    has_left = True
                    self.leave(answer[1].decode())
                elif self.is_over:
                    break
                yield answer
        finally:
            items.close()
            end = self._settle(header, _STREAMED, None)
        if end is not _STREAMED and not has_left:
            yield end

    def snapshot(self) -> Snapshot:
        return self.seal(finish(self.hooks.state()))

    def last_words(self, *, keeps_state: bool) -> Snapshot | None:
        try:
            finish(self.hooks.stop())
        except BaseException as error:  # noqa: BLE001 - a user's stop() can raise anything, and the end goes on
            self.note("stop_failed", error)
        return self.snapshot() if keeps_state else None

    def _settle(self, header: CallHeader, answer: Answer, remembered: Answer | None) -> Answer:
        """A call ended: its state is kept if that was asked for, and then it is told."""
        client, number = header[0], header[1]
        self.gate.conclude(client, number, remembered)
        if self.replicates and not self.is_over:
            trouble = self._keep_state()
            if trouble is not None:
                answer = ("error", pickle_error(trouble))
                self.gate.conclude(client, number, answer)
        return self.gate.release(client, number, answer)

    def _keep_state(self) -> BaseException | None:
        try:
            snapshot = self.snapshot()
        except BaseException as error:  # noqa: BLE001 - a user's checkpoint() can raise anything: the caller is told
            return error
        return self.replicate(snapshot)
