"""The actors that host children: one of its own for each, or one that several share.

What must answer while the user's code runs (heartbeats, fencing, replication) is in the concurrency group `control`. A
plain class is hosted by a threaded actor, whose default group is the very thread that builds and calls its object, so
that a call costs what Ray's own does. A class with coroutines is hosted by an asynchronous actor: each of Ray's groups
has an event loop of its own there, and the user's is that of the default group. Members of a shared actor each have a
thread or an event loop of their own, and the default group only hands calls to it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import closing
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import ray
from ray import actor as ray_actor

from actors.child.hosting import CRASH_CODE, Hosting
from actors.child.loop_member import LoopMember
from actors.child.member import Member
from actors.child.places import STREAM_AHEAD, ActorThread, Loop, OwnThread
from actors.child.protocol import BUILT, STALE, pack_answer, unpack_call
from actors.child.thread_member import ThreadMember
from actors.runtime.ids import ActorName
from actors.runtime.shell import as_actor

if TYPE_CHECKING:
    from actors.child.protocol import Answer, CallHeader, Recipe, Role
    from actors.runtime.ports import ChildPorts

HOST_CONCURRENCY = 1_000
"""Calls that an asynchronous or shared host holds at the same time; how many of them run, the recipes say."""

_exit_actor = ray_actor.exit_actor
"""Ray's own way out, which in a child's process only we take."""

_CRASH_GRACE_S = 0.05
"""Time for the last answers to leave the process."""


class ChildActor(Hosting):
    """Hosts one child with plain methods. Make it with the `max_concurrency` of its recipe."""

    def __init__(self, name: str, leader: int, ports: ChildPorts) -> None:
        super().__init__(name, leader, ports)
        self._thread = ActorThread(self._knock)
        self._child: ThreadMember | None = None

    def build(self, leader: int, recipe: Recipe, incarnation: int, role: Role) -> bytes:
        """See `Member.build`; the same incarnation is built once."""
        self._obey(leader)
        name = self._name_of(recipe.key, incarnation)
        self._insist_on_own(name)
        if self._is_built(recipe.key, incarnation):
            return BUILT
        self._know_myself()
        threads = recipe.max_concurrency
        child = ThreadMember(
            recipe, name, self._ports, place=self._thread, on_exit=self._on_exit, waiting_max=threads - 1
        )
        built = child.build(role)
        if built == BUILT:
            self._members[recipe.key] = self._child = child
        return built

    def call(self, key: str, header: CallHeader, payload: bytes, refs: Sequence[Any] = ()) -> Answer:
        """Run a method; `payload` is the pickled `(args, kwargs)`, `refs` the ObjectRefs that it points into."""
        child = self._child
        return STALE if child is None or child.recipe.key != key else child.serve(header, payload, refs)

    def call_packed(self, packed: bytes) -> bytes | Answer:
        """Like `call`, for `pack_call` and `unpack_answer`: a third less than with the parts one by one."""
        key, header, payload = unpack_call(packed)
        return pack_answer(self.call(key, header, payload))

    @ray.method(num_returns="streaming", _generator_backpressure_num_objects=STREAM_AHEAD)
    def stream(self, key: str, header: CallHeader, payload: bytes, refs: Sequence[Any] = ()) -> Iterator[Answer]:
        """Run a generator method item by item; what is not "ok" is the last. `ray.cancel` ends it at its next item."""
        child = self._child
        if child is None or child.recipe.key != key:
            yield STALE
            return
        with closing(child.serve_stream(header, payload, refs)) as answers:
            for answer in answers:
                if self.is_cancelled():
                    return
                yield answer

    def is_cancelled(self) -> bool:
        """Whether `ray.cancel` was called for the running call."""
        return ray.get_runtime_context().is_canceled()

    def run_errand(self) -> None:
        """Run on the user's thread what a control thread has for it."""
        self._thread.run_next()

    @ray.method(concurrency_group="control")
    def activate(self, leader: int, key: str, incarnation: int) -> None:
        """See `Member.activate`; for the leader."""
        self._obey(leader)
        self._submit_activation(key, incarnation).result()

    @ray.method(concurrency_group="control")
    def attend(self, leader: int, key: str, standbys: tuple[str, ...]) -> tuple[str, ...]:
        """See `Member.attend`; `standbys` are the names of the actors that host them."""
        self._obey(leader)
        return self._member(key).attend(standbys)

    def checkpoint_now(self, incarnation: int, key: str) -> int:
        """Put the child's state into its store, behind the calls before; returns the number of that checkpoint.

        Raises:
            StaleIncarnationError: Another incarnation is here, or this one does not serve.
        """
        member = self._serving(key, incarnation)
        return member.put(member.snapshot())

    @ray.method(concurrency_group="control")
    def stop_member(self, leader: int, key: str) -> None:
        """See `Member.wind_down`; the supervisor ends the process afterwards."""
        self._obey(leader)
        self._member(key).wind_down().result()

    def on_stop(self) -> None:
        for member in self._members.values():
            member.wind_down().result()

    def end_process(self, exit_class: str) -> None:
        """The way out, taken behind the answers of the calls before."""
        self.say_farewell(exit_class)
        if exit_class == "normal":
            _exit_actor()
        sys.exit(CRASH_CODE)

    def _knock(self) -> Any:
        return self._me.run_errand.remote()

    def _on_exit(self, _: Member, exit_class: str) -> None:
        self.end_with(exit_class)


class HostActor(Hosting):
    """Hosts one child with coroutine methods, or a plain one that runs several calls at once."""

    def __init__(self, name: str, leader: int, ports: ChildPorts) -> None:
        super().__init__(name, leader, ports)
        self._building = asyncio.Lock()
        self._releases: dict[str, asyncio.Future[None]] = {}

    @ray.method(concurrency_group="watch")
    async def watch(self, watcher: str) -> None:
        """See `ActorShell.watch`: on an event loop nothing may block."""
        earlier = self._releases.get(watcher)
        if earlier is not None and not earlier.done():
            earlier.set_result(None)
        release = self._releases[watcher] = asyncio.get_running_loop().create_future()
        if self._ending is not None:
            raise self._ending
        await release

    def fail_watches(self, ending: Exception) -> None:
        self._ending = ending
        for release in self._releases.values():
            release.get_loop().call_soon_threadsafe(_fail, release, ending)

    async def build(self, leader: int, recipe: Recipe, incarnation: int, role: Role) -> bytes:
        """See `Member.build`; the same incarnation is built once, and takes the place of an earlier one."""
        self._obey(leader)
        async with self._building:
            if self._is_built(recipe.key, incarnation):
                return BUILT
            self._know_myself()
            member = self.new_member(recipe, self._name_of(recipe.key, incarnation))
            try:
                built = await member.place.reach(partial(member.build, role))
            except BaseException:
                member.place.close()
                raise
            if built == BUILT:
                self._let_go(self._members.get(recipe.key))
                self._members[recipe.key] = member
            else:
                member.place.close()
            return built

    async def call(self, key: str, header: CallHeader, payload: bytes, refs: Sequence[Any] = ()) -> Answer:
        """See `ChildActor.call`."""
        member = self._members.get(key)
        return STALE if member is None else await member.serve_soon(header, payload, refs)

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
        answers = member.stream_soon(header, payload, refs)
        try:
            async for answer in answers:
                yield answer
        finally:
            await answers.aclose()

    @ray.method(concurrency_group="control")
    async def activate(self, leader: int, key: str, incarnation: int) -> None:
        """See `Member.activate`; for the leader."""
        self._obey(leader)
        await asyncio.wrap_future(self._submit_activation(key, incarnation))

    @ray.method(concurrency_group="control")
    async def attend(self, leader: int, key: str, standbys: tuple[str, ...]) -> tuple[str, ...]:
        """See `Member.attend`; `standbys` are the names of the actors that host them."""
        self._obey(leader)
        return await asyncio.to_thread(self._member(key).attend, standbys)

    async def checkpoint_now(self, incarnation: int, key: str) -> int:
        """See `ChildActor.checkpoint_now`."""
        member = self._serving(key, incarnation)
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
            _exit_actor()
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
    """Hosts several children, plain and asynchronous ones; each runs on a thread or an event loop of its own."""

    def new_member(self, recipe: Recipe, name: ActorName) -> Member:
        if recipe.asynchronous:
            return LoopMember(recipe, name, self._ports, place=Loop.start(str(name)), on_exit=self.on_exit)
        place = OwnThread(str(name), recipe.max_concurrency)
        return ThreadMember(recipe, name, self._ports, place=place, on_exit=self.on_exit)

    def on_exit(self, member: Member, exit_class: str) -> None:
        """The other members live on."""
        self._forget(member)

    async def _wind_down(self, member: Member) -> None:
        await super()._wind_down(member)
        self._forget(member)

    def _forget(self, member: Member) -> None:
        if self._members.get(member.recipe.key) is member:
            del self._members[member.recipe.key]
        self._let_go(member)


def _fail(release: asyncio.Future[None], ending: Exception) -> None:
    if not release.done():
        release.set_exception(ending)


@cache
def child_actor(asynchronous: bool, shared: bool) -> Any:  # noqa: FBT001 - two facts about the recipe, in its order
    """The Ray actor class for a child; see `hosting_of`, which also knows how many calls at once to ask Ray for.

    The same one each time: Ray takes 40 ms to export a new one, and a restart would wait for that.

    Args:
        asynchronous: The recipe's word; a shared actor hosts both kinds.
        shared: Whether several children will share the actor.
    """
    if shared:
        return as_actor(SharedHostActor)
    return as_actor(HostActor if asynchronous else ChildActor)


def hosting_of(recipe: Recipe, *, shared: bool) -> tuple[Any, int]:
    """The Ray actor class for a child, and the `max_concurrency` to give Ray.

    A plain child that runs several calls at once is better off in an asynchronous host, with threads of its own: Ray
    hands calls to the threads of a threaded actor out of order, and those that wait for earlier ones would hold them.
    """
    hosted = recipe.asynchronous or recipe.max_concurrency > 1
    return child_actor(hosted, shared), HOST_CONCURRENCY if hosted or shared else 1
