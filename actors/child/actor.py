"""The actors that host children: one of its own for each, or one that several share.

What must answer while the user's code runs (heartbeats, fencing, replication) is in the concurrency group `control`. A
plain class is hosted by a threaded actor, whose default group is the very thread that builds and calls its object, so
that a call costs what Ray's own does. A class with coroutines is hosted by an asynchronous actor: each of Ray's groups
has an event loop of its own there, and the user's is that of the default group. Members of a shared actor each have a
thread or an event loop of their own, and the default group only hands calls to it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import ray

from actors.child.host_actor import HostActor, SharedHostActor
from actors.child.hosting import CRASH_CODE, Hosting, exit_actor
from actors.child.member import Member
from actors.child.places import STREAM_AHEAD, ActorThread
from actors.child.protocol import BUILT, STALE, pack_answer, unpack_call
from actors.child.thread_member import ThreadMember
from actors.health.checked import CHECK_GROUP, Checked
from actors.runtime.fault_passing import pass_point, through
from actors.runtime.fault_points import ARRIVES, CHILD_CALL, ON, REPLIES
from actors.runtime.shell import as_actor

if TYPE_CHECKING:
    from actors.child.protocol import Answer, CallHeader, Recipe, Role
    from actors.runtime.ports import ChildPorts

HOST_CONCURRENCY = 1_000
"""Calls that an asynchronous or shared host holds at the same time; how many of them run, the recipes say."""


class ChildActor(Checked, Hosting):
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
        if child is None or child.recipe.key != key:
            return STALE
        if ON:
            return through(CHILD_CALL, key, partial(child.serve, header, payload, refs), ARRIVES)
        return child.serve(header, payload, refs)

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
        if ON:
            pass_point(CHILD_CALL, key, ARRIVES)
        with closing(child.serve_stream(header, payload, refs)) as answers:
            for answer in answers:
                if self.is_cancelled():
                    return
                if ON:
                    pass_point(CHILD_CALL, key, REPLIES)
                yield answer

    def is_cancelled(self) -> bool:
        """Whether `ray.cancel` was called for the running call."""
        return ray.get_runtime_context().is_canceled()

    def run_errand(self) -> None:
        """Run on the user's thread what a control thread has for it."""
        self._thread.run_next()

    def activate(self, leader: int, key: str, incarnation: int) -> None:
        """See `Member.activate`; for the leader. It comes on the user's thread: a standby does nothing else on it."""
        self._obey(leader)
        self._own_member(key, incarnation).activate()

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
        member = self._active_member(key, incarnation)
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
            exit_actor()
        sys.exit(CRASH_CODE)

    def _knock(self) -> Any:
        return self._me.run_errand.remote()

    def _on_exit(self, _: Member, exit_class: str) -> None:
        self.end_with(exit_class)


@cache
def child_actor(asynchronous: bool, shared: bool) -> Any:  # noqa: FBT001 - two facts about the recipe, in its order
    """The Ray actor class for a child; see `hosting_of`, which also knows how many calls at once to ask Ray for.

    The same one each time: Ray takes 40 ms to export a new one, and a restart would wait for that.

    Args:
        asynchronous: The recipe's word; a shared actor hosts both kinds.
        shared: Whether several children will share the actor.
    """
    if shared:
        return as_actor(SharedHostActor, extra_groups=CHECK_GROUP)
    return as_actor(HostActor if asynchronous else ChildActor, extra_groups=CHECK_GROUP)


def hosting_of(recipe: Recipe, *, shared: bool) -> tuple[Any, int]:
    """The Ray actor class for a child, and the `max_concurrency` to give Ray.

    A plain child that runs several calls at once is better off in an asynchronous host, with threads of its own: Ray
    hands calls to the threads of a threaded actor out of order, and those that wait for earlier ones would hold them.
    """
    hosted = recipe.asynchronous or recipe.max_concurrency > 1
    return child_actor(hosted, shared), HOST_CONCURRENCY if hosted or shared else 1
