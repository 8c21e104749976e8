"""One child inside its hosting actor: its machine, its object, and where its state is kept.

`Member` holds what does not depend on where the user's code runs; `ThreadMember` runs it on a thread, `LoopMember` on
an event loop. Whatever touches the user's object runs on its `place` and nowhere else.
"""

from __future__ import annotations

import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from actors.checkpoint.rules import refuse_misfit
from actors.child.background import in_background, outcome_of
from actors.child.execute import Calls, exit_class_of
from actors.child.gate import WAITING_MAX, Gate, Ready
from actors.child.hooks import HEALTHY, Hooks, reason_of
from actors.child.keeper import STORE_BEHIND_S, Keeper, Snapshot, encode
from actors.child.machine import PROMOTE, START, ChildMachine, Kept, Reply
from actors.child.places import PlaceClosedError
from actors.child.protocol import STALE, STALE_NOT_RUN, STANDBY
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import CheckpointLostError, ChildNotHereError, ChildStartError, StaleIncarnationError
from actors.worker.raised import pickle_error

if TYPE_CHECKING:
    from actors.child.keeper import Restored
    from actors.child.places import UserPlace
    from actors.child.protocol import Answer, CallHeader, Form, Recipe, Role
    from actors.runtime.ids import ActorName
    from actors.runtime.ports import ChildPorts

_CALLS_FIRST_S = 0.05

ANNOUNCE_PATIENCE_S = 2.0
"""How long an exit waits for its announcement; a leader that is gone reads Ray's own words later."""


class Member(ABC):
    """What one incarnation of a child is, wherever its code runs.

    Args:
        recipe: How it is built.
        name: Its full name, incarnation included.
        ports: The ways to the leader and to the stores.
        place: Where the user's code runs.
        on_exit: Called when the user's code ended the child, with "normal" or "crash".
        waiting_max: See `Gate`.
    """

    def __init__(
        self,
        recipe: Recipe,
        name: ActorName,
        ports: ChildPorts,
        *,
        place: UserPlace,
        on_exit: Callable[[Member, str], None],
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self.recipe = recipe
        self.name = name
        self.place = place
        self.machine = ChildMachine(name.incarnation)
        self.gate = Gate(self.machine, waiting_max=waiting_max)
        self.keeper = Keeper(recipe, name.incarnation, ports, clock=SYSTEM_CLOCK)
        self.replicates = recipe.checkpoint == "each_call"
        self.unhealthy = HEALTHY
        self.hooks: Hooks = Hooks(recipe.key, None)
        self.calls: Calls = Calls(recipe.key, None)
        self._ports = ports
        self._on_exit = on_exit
        self._number = 0
        self._number_lock = threading.Lock()
        self._health_asked = threading.Lock()
        self._ended = threading.Event()
        self._stopping: Future[None] | None = None
        self._stop_lock = threading.Lock()

    # -- on the user's place ------------------------------------------------------------------------------------------

    @abstractmethod
    def build(self, role: Role) -> Any:
        """Construct the object, and take its last state up if it is to be active. On the user's place.

        Returns: BUILT or IGNORED, perhaps awaitable.
        Raises:
            ChildStartError: The constructor or the restoring failed.
        """

    @abstractmethod
    def activate(self) -> Any:
        """Be the accepted incarnation, with the newest state there is. On the user's place; again does nothing.

        Raises:
            ChildStartError: The state cannot be read or taken up.
            StaleIncarnationError: This incarnation is over, or a later one was accepted.
        """

    @abstractmethod
    def run(self, header: CallHeader, payload: bytes, refs: Sequence[Any]) -> Any:
        """Run a call that was let in, on the user's place; its answer comes when it may be told. Perhaps awaitable."""

    @abstractmethod
    def stream(self, header: CallHeader, payload: bytes, refs: Sequence[Any]) -> Any:
        """Run a streaming call that was let in, on the user's place: an iterator of answers, perhaps asynchronous.

        The state is kept when the stream ends; its items have gone out by then.
        """

    @abstractmethod
    def snapshot(self) -> Any:
        """A snapshot, taken on the user's place; perhaps awaitable."""

    @abstractmethod
    def last_words(self, *, keeps_state: bool) -> Any:
        """Run `stop()` on the user's place; give the last snapshot if it is wanted; perhaps awaitable."""

    # -- calls of an event loop that is not the user's -----------------------------------------------------------------

    async def serve_soon(self, header: CallHeader, payload: bytes, refs: Sequence[Any]) -> Answer:
        """Let a call in, and run it on the user's place."""
        verdict = await self.gate.enter_soon(header)
        if verdict is PROMOTE:
            await self._promote()
            verdict = await self.gate.enter_soon(header)
        if verdict is not START:
            return self.refused(verdict)
        try:
            return await self.place.reach(partial(self.run, header, payload, refs))
        except PlaceClosedError:
            return self.gate.release(header[0], header[1], STALE_NOT_RUN)

    async def stream_soon(self, header: CallHeader, payload: bytes, refs: Sequence[Any]) -> AsyncGenerator[Answer]:
        """Like `serve_soon`, item by item."""
        verdict = await self.gate.enter_soon(header, streaming=True)
        if verdict is PROMOTE:
            await self._promote()
            verdict = await self.gate.enter_soon(header, streaming=True)
        if verdict is not START:
            yield self.refused(verdict)
            return
        items = self.place.items(partial(self.stream, header, payload, refs))
        try:
            async for answer in items:
                yield answer
        except PlaceClosedError:
            yield self.gate.release(header[0], header[1], STALE)
        finally:
            await items.aclose()

    async def _promote(self) -> None:
        with suppress(PlaceClosedError):
            await self.place.reach(self.take_over)

    @abstractmethod
    def take_over(self) -> Any:
        """Activate because a caller says so; a failure is put on record. On the user's place; perhaps awaitable."""

    # -- standing ---------------------------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Whether nobody may be told of what this incarnation still does."""
        return self.machine.phase == "over"

    def fence(self) -> None:
        """This incarnation is over; what still runs is answered "stale"."""
        self.gate.fence()
        self._ended.set()

    def keep(self, kept: Kept, form: Form) -> None:
        """A standby holds the accepted incarnation's state.

        One of a changed class refuses what that may not read, as the store does, which has the state in its stead.

        Raises:
            StaleIncarnationError: A later incarnation than the sender was accepted.
            CheckpointMismatchError: The state is of another class or version.
            ChildNotHereError: This one stands by no more.
        """
        with self.gate.lock:
            if kept.incarnation >= self.machine.accepted:
                refuse_misfit(self.recipe.key, form, self.recipe.form)
            outcome = self.machine.keep(kept)
            accepted = self.machine.accepted
        if outcome == "replaced":
            raise StaleIncarnationError(self.recipe.key, sent_by=kept.incarnation, accepted=accepted)
        if outcome != "kept":
            raise ChildNotHereError(self.recipe.key, host=str(self.name))

    def standing(self) -> dict[str, Any]:
        """What a leader wants to know of it at each heartbeat."""
        with self.gate.lock:
            kept = self.machine.kept
            return {
                "incarnation": self.name.incarnation,
                "phase": self.machine.phase,
                "calls_run": self.machine.calls_run,
                "checkpoint": self._number,
                "kept": None if kept is None else kept.order,
            }

    # -- state ------------------------------------------------------------------------------------------------------

    def seal(self, state: Any) -> Snapshot:
        """A snapshot from the object's state as its hook gave it; on the user's place, right after the hook."""
        packed = self.hooks.pack(state)
        with self.gate.lock:
            table = self.machine.table()
        return Snapshot(self._next_number(), encode(packed, table))

    def stand_by(self) -> None:
        """Make ready what can be before it is accepted."""
        if self.recipe.checkpoint is not None:
            in_background(self.keeper.approach)

    def find(self) -> Restored | None:
        """The state to begin with: the newest there is; what was passed over is put on record. Blocks."""
        if self.recipe.checkpoint is None:
            return None
        with self.gate.lock:
            kept = self.machine.kept
        found, skipped = self.keeper.find(kept)
        for reason in skipped:
            self._ports.record(str(self.name), "checkpoint_skipped", reason)
        return found

    def accept(self, found: Restored | None) -> None:
        """The object has taken `found` up: be the accepted incarnation, and see that the state is kept again.

        Raises:
            StaleIncarnationError: This incarnation is over, or a later one was accepted.
        """
        with self.gate.lock:
            is_active = self.machine.activate(found.table if found is not None else ())
            accepted = self.machine.accepted
        if not is_active:
            raise StaleIncarnationError(self.recipe.key, sent_by=self.name.incarnation, accepted=accepted)
        if self.replicates and found is not None:
            snapshot = Snapshot(self._next_number(), encode(found.state, found.table))
            self.keeper.remember(snapshot)
            in_background(self._keep_anew, snapshot)
        if isinstance(self.recipe.checkpoint, int | float):
            in_background(self._do_every, self.recipe.checkpoint, self._checkpoint)
        elif self.replicates:
            in_background(self._do_every, STORE_BEHIND_S, self.keeper.store_last)

    def replicate(self, snapshot: Snapshot) -> Exception | None:
        """Have a snapshot kept before its call is answered; what went wrong, or None. Blocks.

        An incarnation that has been replaced is fenced by it.
        """
        try:
            self.keeper.replicate(snapshot)
        except StaleIncarnationError as error:
            self.fence()
            return error
        except CheckpointLostError as error:
            return error
        return None

    def attend(self, standbys: tuple[str, ...]) -> tuple[str, ...]:
        """Learn the standbys; those that are new are given the state. Blocks.

        Returns: Those that hold it now.
        Raises:
            StaleIncarnationError: A later incarnation was accepted; this one is fenced.
            CheckpointLostError: Nobody took the state.
        """
        try:
            return self.keeper.attend(standbys)
        except StaleIncarnationError:
            self.fence()
            raise

    def put(self, snapshot: Snapshot) -> int:
        """Put a snapshot into the store; returns the number of the checkpoint that holds this state. Blocks."""
        return self.keeper.store(snapshot)

    def _keep_anew(self, snapshot: Snapshot) -> None:
        """State that was taken over lives in this process only until somebody else holds it too.

        The calls that wait go first: what they leave behind is newer, and the store keeps one state at a time.
        """
        if self._ended.wait(_CALLS_FIRST_S) or not self.keeper.is_newest(snapshot):
            return
        error = self.replicate(snapshot)
        if error is not None:
            self.note("checkpoint_failed", error)

    def _next_number(self) -> int:
        with self._number_lock:
            self._number += 1
            return self._number

    def _checkpoint(self) -> None:
        self.keeper.store(self.place.submit(self.snapshot).result())

    def _do_every(self, every_s: float, keep: Callable[[], object]) -> None:
        while not self._ended.wait(every_s):
            try:
                keep()
            except PlaceClosedError:
                return
            except Exception as error:  # noqa: BLE001 - the next interval tries again; the record says what is wrong
                self.note("checkpoint_failed", error)

    # -- hooks ------------------------------------------------------------------------------------------------------

    def ask_health(self) -> str:
        """The last verdict of `health()`; and ask for the next, unless it is asked already. Does not wait."""
        if self.hooks.has_health and not self.is_over and self._health_asked.acquire(blocking=False):
            with suppress(PlaceClosedError):
                self.place.submit(self.hooks.health).add_done_callback(self._note_health)
        return self.unhealthy

    def _note_health(self, done: Future[Any]) -> None:
        error = done.exception()
        self.unhealthy = f"{type(error).__name__}: {error}" if error is not None else reason_of(done.result())
        self._health_asked.release()

    def wind_down(self) -> Future[Any]:
        """End in order: no further call begins, `stop()` runs after the running one, then a last checkpoint.

        Who never served has nothing to finish; what it holds of the state goes into the store.
        """
        with self._stop_lock:
            if self._stopping is None:
                was_active, keeps_state = self.gate.stop(), self.recipe.checkpoint is not None
                self._ended.set()
                if not was_active:
                    self._stopping = outcome_of(self._hand_on)
                else:
                    said = self.place.submit(partial(self.last_words, keeps_state=keeps_state))
                    self._stopping = outcome_of(lambda: self.keeper.store(said.result())) if keeps_state else said
            return self._stopping

    def _hand_on(self) -> None:
        """It may be the only one who still holds that."""
        with self.gate.lock:
            kept = self.machine.kept
        found = None if kept is None else self.keeper.find(kept)[0]
        if found is not None:
            self.keeper.store(Snapshot(self._next_number(), encode(found.state, found.table)))

    # -- ends -------------------------------------------------------------------------------------------------------

    @staticmethod
    def refused(verdict: Ready) -> Answer:
        """What a call is told that is not run; a standby that could not take over stays one."""
        return verdict.answer if isinstance(verdict, Reply) else STANDBY

    def leave(self, exit_class: str) -> None:
        """The user's code ends the child: nothing more runs, the leader is told, and then the actor. Blocks."""
        self.fence()
        teller = in_background(self._announce, exit_class)
        teller.join(ANNOUNCE_PATIENCE_S)
        self._on_exit(self, exit_class)

    def _announce(self, exit_class: str) -> None:
        with suppress(Exception):
            self._ports.announce_exit(str(self.name), exit_class)

    def note(self, event: str, error: BaseException) -> None:
        """Put on record what went wrong and holds nobody up."""
        self._ports.record(str(self.name), event, f"{type(error).__name__}: {error}")

    def not_taken_up(self, error: BaseException) -> ChildStartError:
        """Why it cannot go on from its state, which it may hold alone, and puts away first: it is replaced. Blocks."""
        with suppress(Exception):
            self._hand_on()
        return self.not_started(error)

    def not_started(self, error: BaseException) -> ChildStartError:
        """Why it cannot start, for the leader; code that asked for the end gets it."""
        if isinstance(error, ChildStartError):
            return error
        exit_class = exit_class_of(error) or "crash"
        reason, trace = f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)).rstrip()
        made = ChildStartError(self.recipe.key, reason, exit_class=exit_class, raised=pickle_error(error))
        made.add_note(trace)
        if exit_class_of(error) is not None:
            self.leave(exit_class)
        return made
