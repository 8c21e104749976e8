"""The actors that host children on event loops: one with coroutine methods, or several children of any kind."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import ray

from actors.child.hosting import CRASH_CODE, Hosting, exit_actor
from actors.child.loop_member import LoopMember
from actors.child.member import Member
from actors.child.places import STREAM_AHEAD, Loop, OwnThread
from actors.child.protocol import BUILT, STALE, pack_answer, unpack_call
from actors.child.thread_member import ThreadMember
from actors.health.checked import CheckedOnLoop
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import ChildStartError, StaleIncarnationError
from actors.runtime.fault_passing import pass_point_soon, through_soon
from actors.runtime.fault_points import ARRIVES, CHILD_CALL, ON, REPLIES
from actors.runtime.ids import ActorName

if TYPE_CHECKING:
    from actors.child.protocol import Answer, CallHeader, Recipe, Role
    from actors.runtime.ports import ChildPorts

_CRASH_GRACE_S = 0.05
"""Time for the last answers to leave the process."""

_REST_S = 5.0
"""How long a host in which nobody lives waits for calls that are not answered, seconds."""

_LOOK_S = 0.01

FENCED_KEPT = 1_000
"""Keys of which a shared host remembers the last incarnation that was ended: a late request may want to build it."""


class HostActor(CheckedOnLoop, Hosting):
    """Hosts one child with coroutine methods, or a plain one that runs several calls at once."""

    def __init__(self, name: str, leader: int, ports: ChildPorts) -> None:
        super().__init__(name, leader, ports)
        self._building: dict[tuple[str, int], asyncio.Task[bytes]] = {}
        self._coming: dict[tuple[str, int], Member] = {}
        self._moving = threading.Lock()
        self._serving = 0
        self._releases: dict[str, asyncio.Future[None]] = {}

    @ray.method(concurrency_group="watch")
    async def watch(self, watcher: str) -> None:
        """See `ActorShell.watch`: on an event loop nothing may block."""
        earlier = self._releases.get(watcher)
        if earlier is not None and not earlier.done():
            earlier.set_result(None)
        release = self._releases[watcher] = asyncio.get_running_loop().create_future()
        try:
            if self._ending is not None:
                raise self._ending
            await release
        finally:
            if self._releases.get(watcher) is release:
                del self._releases[watcher]

    def fail_watches(self, ending: Exception) -> None:
        self._ending = ending
        for release in list(self._releases.values()):
            release.get_loop().call_soon_threadsafe(_fail, release, ending)

    async def build(self, leader: int, recipe: Recipe, incarnation: int, role: Role) -> bytes:
        """See `Member.build`; the same incarnation is built once, and takes the place of an earlier one."""
        self._obey(leader)
        if self._is_built(recipe.key, incarnation):
            return BUILT
        self.refuse_fenced(recipe.key, incarnation)
        life = (recipe.key, incarnation)
        building = self._building.get(life)
        if building is None:  # who waits in its constructor holds nobody else up
            self._know_myself()
            building = self._building[life] = asyncio.ensure_future(self._build(recipe, incarnation, role))
            building.add_done_callback(lambda _: self._building.pop(life, None))
        return await asyncio.shield(building)

    async def _build(self, recipe: Recipe, incarnation: int, role: Role) -> bytes:
        life = (recipe.key, incarnation)
        member = self._coming[life] = self.new_member(recipe, self._name_of(*life))
        try:
            built = await member.place.reach(partial(member.build, role))
            with self._moving:
                self.refuse_fenced(*life)
                earlier = self._members.get(recipe.key)
                if built == BUILT:
                    self._members[recipe.key] = member
        except BaseException as error:
            member.place.close()
            if isinstance(error, StaleIncarnationError):  # to the leader it would mean that there is a later leader
                raise ChildStartError(recipe.key, "it was ended while it started") from None
            raise
        finally:
            del self._coming[life]
        if built == BUILT:
            self._let_go(earlier)
        else:
            member.place.close()
        return built

    def refuse_fenced(self, key: str, incarnation: int) -> None:
        """Refuse to build what was ended before it came to be."""

    async def call(self, key: str, header: CallHeader, payload: bytes, refs: Sequence[Any] = ()) -> Answer:
        """See `ChildActor.call`."""
        member = self._members.get(key)
        if member is None:
            return STALE
        self._serving += 1
        try:
            if ON:
                return await through_soon(CHILD_CALL, key, partial(member.serve_soon, header, payload, refs), ARRIVES)
            return await member.serve_soon(header, payload, refs)
        finally:
            self._serving -= 1

    async def call_packed(self, packed: bytes) -> bytes | Answer:
        """See `ChildActor.call_packed`."""
        key, header, payload = unpack_call(packed)
        return pack_answer(await self.call(key, header, payload))

    @ray.method(num_returns="streaming", _generator_backpressure_num_objects=STREAM_AHEAD)
    async def stream(
        self, key: str, header: CallHeader, payload: bytes, refs: Sequence[Any] = ()
    ) -> AsyncGenerator[Answer]:
        """See `ChildActor.stream`."""
        member = self._members.get(key)
        if member is None:
            yield STALE
            return
        if ON:
            await pass_point_soon(CHILD_CALL, key, ARRIVES)
        answers = member.stream_soon(header, payload, refs)
        self._serving += 1
        try:
            async for answer in answers:
                if ON:
                    await pass_point_soon(CHILD_CALL, key, REPLIES)
                yield answer
        finally:
            self._serving -= 1
            await answers.aclose()

    @ray.method(concurrency_group="control")
    async def activate(self, leader: int, key: str, incarnation: int) -> None:
        """See `Member.activate`; for the leader."""
        self._obey(leader)
        member = self._own_member(key, incarnation)
        await asyncio.wrap_future(member.place.submit(member.activate))

    @ray.method(concurrency_group="control")
    async def attend(self, leader: int, key: str, standbys: tuple[str, ...]) -> tuple[str, ...]:
        """See `Member.attend`; `standbys` are the names of the actors that host them."""
        self._obey(leader)
        return await asyncio.to_thread(self._member(key).attend, standbys)

    async def checkpoint_now(self, incarnation: int, key: str) -> int:
        """See `ChildActor.checkpoint_now`."""
        member = self._active_member(key, incarnation)
        snapshot = await asyncio.wrap_future(member.place.submit(member.snapshot))
        return await asyncio.to_thread(member.put, snapshot)

    @ray.method(concurrency_group="control")
    async def stop_member(self, leader: int, key: str) -> None:
        """See `Member.wind_down`; the member is gone afterwards."""
        self._obey(leader)
        await self._wind_down(self._member(key))

    @ray.method(concurrency_group="control")
    async def stop(self, leader: int) -> None:
        """See `ActorShell.stop`: the members end in the reverse order of their start."""
        self._obey(leader)
        for member in reversed(list(self._members.values())):
            await self._wind_down(member)

    async def end_process(self, exit_class: str) -> None:
        """See `ChildActor.end_process`; `sys.exit` would only end Ray's thread here."""
        self.say_farewell(exit_class)
        if exit_class == "normal":
            exit_actor()
        asyncio.get_running_loop().call_later(_CRASH_GRACE_S, os._exit, CRASH_CODE)

    def new_member(self, recipe: Recipe, name: ActorName) -> Member:
        """The only child of this actor: its event loop is that of the default group, where this is called."""
        self._insist_on_own(name)
        if not recipe.asynchronous:
            place = OwnThread(str(name), recipe.max_concurrency)
            return ThreadMember(recipe, name, self._ports, place=place, on_exit=self.on_exit)
        place = Loop(asyncio.get_running_loop(), owned=False)
        return LoopMember(recipe, name, self._ports, place=place, on_exit=self.on_exit)

    def on_exit(self, member: Member, exit_class: str) -> None:
        """The user's code ended the child, which is alone in this process."""
        self.end_with(exit_class)

    async def _wind_down(self, member: Member) -> None:
        await asyncio.wrap_future(member.wind_down())

    def _let_go(self, member: Member | None) -> None:
        if member is not None:
            member.fence()
            member.place.close()


class SharedHostActor(HostActor):
    """Hosts several children, plain and asynchronous ones; each runs on a thread or an event loop of its own.

    A thread cannot be ended from outside. A member that is fenced in the middle of a call, of its constructor or of
    `stop()` answers nobody any more and keeps no state, but its code runs on until it returns or the process ends.
    """

    def __init__(self, name: str, leader: int, ports: ChildPorts) -> None:
        super().__init__(name, leader, ports)
        self._fenced: OrderedDict[str, int] = OrderedDict()
        self._winding_down: dict[Member, asyncio.Future[None]] = {}

    @ray.method(concurrency_group="control")
    def fence(self, leader: int, key: str, incarnation: int | None = None) -> None:
        """End a member alone: it answers "stale" from now on.

        Args:
            leader: The asking incarnation.
            key: The member's key.
            incarnation: That one and all earlier ones, also those that are still to be built; None: whichever is here.
        """
        self._obey(leader)
        with self._moving:
            here = self._members.get(key)
            last = incarnation if incarnation is not None else here.name.incarnation if here is not None else 0
            self._fenced[key] = max(last, self._fenced.pop(key, 0))
            if len(self._fenced) > FENCED_KEPT:
                self._fenced.popitem(last=False)
            ended = [
                member for (child, number), member in list(self._coming.items()) if child == key and number <= last
            ]
            if here is not None and here.name.incarnation <= last:
                del self._members[key]
                ended.append(here)
        for member in ended:
            self._let_go(member)
            cut_off = self._winding_down.get(member)
            if cut_off is not None:
                cut_off.get_loop().call_soon_threadsafe(_resolve, cut_off)

    def refuse_fenced(self, key: str, incarnation: int) -> None:
        """Refuse to build what was ended before it came to be.

        Raises:
            ChildStartError: It was.
        """
        if incarnation <= self._fenced.get(key, 0):
            raise ChildStartError(key, "it was ended while it started")

    @ray.method(concurrency_group="control")
    async def retire(self, leader: int) -> None:
        """Nobody is to live here any more: end this process once the answers that are due have left it."""
        self._obey(leader)
        until = SYSTEM_CLOCK.now() + _REST_S
        while self._serving and SYSTEM_CLOCK.now() < until:
            await asyncio.sleep(_LOOK_S)
        asyncio.get_running_loop().call_later(_CRASH_GRACE_S, self.exit_process)

    def new_member(self, recipe: Recipe, name: ActorName) -> Member:
        if recipe.asynchronous:
            return LoopMember(recipe, name, self._ports, place=Loop.start(str(name)), on_exit=self.on_exit)
        place = OwnThread(str(name), recipe.max_concurrency)
        return ThreadMember(recipe, name, self._ports, place=place, on_exit=self.on_exit)

    def on_exit(self, member: Member, exit_class: str) -> None:
        """The other members live on."""
        self._forget(member)

    async def _wind_down(self, member: Member) -> None:
        """One that is fenced meanwhile is waited for no longer: few calls of the control group run at a time."""
        cut_off = self._winding_down[member] = asyncio.get_running_loop().create_future()
        ended = asyncio.ensure_future(super()._wind_down(member))
        try:
            await asyncio.wait((ended, cut_off), return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._winding_down[member]
        self._forget(member)
        if ended.done():
            ended.result()
        else:
            ended.cancel()

    def _forget(self, member: Member) -> None:
        if self._members.get(member.recipe.key) is member:
            del self._members[member.recipe.key]
        self._let_go(member)


def _resolve(cut_off: asyncio.Future[None]) -> None:
    if not cut_off.done():
        cut_off.set_result(None)


def _fail(release: asyncio.Future[None], ending: Exception) -> None:
    if not release.done():
        release.set_exception(ending)
