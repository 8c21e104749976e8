"""What every host of children has: its members, and the answers that need none of their code."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import ray
from ray import actor as ray_actor

from actors.child.execute import leave_child
from actors.child.machine import Kept
from actors.child.member import Member
from actors.runtime.errors import ChildExitError, ChildNotHereError, StaleIncarnationError
from actors.runtime.ids import ActorName
from actors.runtime.shell import ActorShell, Description

if TYPE_CHECKING:
    from actors.child.protocol import Form, Recipe
    from actors.runtime.ports import ChildPorts

CRASH_CODE = 1
"""What a process exits with when the user's code ended its child by `sys.exit` with anything but 0."""

exit_actor = ray_actor.exit_actor
"""Ray's own way out, which in a child's process only we take."""

_END_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class HostDescription(Description):
    """Where an actor that hosts children lives, and the full names of those it hosts."""

    members: tuple[str, ...] = ()


class Hosting(ActorShell):
    """What both kinds of host share: the members, and what is answered without touching their code.

    Args:
        name: The full actor name, incarnation included.
        leader: The supervisor incarnation that created it.
        ports: The ways to the leader and to the checkpoint stores.
    """

    def __init__(self, name: str, leader: int, ports: ChildPorts) -> None:
        super().__init__(name, leader)
        self._ports = ports
        self._members: dict[str, Member] = {}
        self._me: Any = None

    def description(self) -> HostDescription:
        """Names the members too."""
        place = super().description()
        members = tuple(str(member.name) for member in list(self._members.values()))
        return HostDescription(**{field.name: getattr(place, field.name) for field in fields(place)}, members=members)

    def vital_signs(self) -> dict[str, Any]:
        """Adds where each member stands, and why those are unhealthy that are."""
        members = dict(self._members)
        verdicts = {key: member.ask_health() for key, member in members.items()}
        return {
            **super().vital_signs(),
            "unhealthy": {key: reason for key, reason in verdicts.items() if reason},
            "members": {key: member.standing() for key, member in members.items()},
        }

    @ray.method(concurrency_group="control")
    def keep(self, key: str, from_incarnation: int, number: int, blob: bytes, form: Form) -> None:
        """A standby holds the state of the accepted incarnation.

        Raises:
            StaleIncarnationError: This one, or another later than the sender, was accepted.
            CheckpointMismatchError: It is of another class or version than this one was built of.
            ChildNotHereError: No standby of this child is here.
        """
        self._member(key).keep(Kept(from_incarnation, number, blob), form)

    @ray.method(concurrency_group="control")
    def fence(self, leader: int, key: str) -> None:
        """The member's incarnation is over: it answers "stale" from now on."""
        self._obey(leader)
        self._member(key).fence()

    @ray.method(concurrency_group="control")
    def recipe_of(self, key: str) -> Recipe:
        """How the member was built, for a leader that lost its memory."""
        return self._member(key).recipe

    def end_with(self, exit_class: str) -> None:
        """End this process once the answers of what ran are on their way; queued behind the calls that are here."""
        self._me.end_process.remote(exit_class)
        timer = threading.Timer(_END_PATIENCE_S, os._exit, (0 if exit_class == "normal" else CRASH_CODE,))
        timer.daemon = True
        timer.start()

    def _own_member(self, key: str, incarnation: int) -> Member:
        """The member of that very incarnation.

        Raises:
            StaleIncarnationError: Another incarnation of it is here.
        """
        member = self._member(key)
        if member.name.incarnation != incarnation:
            raise StaleIncarnationError(key, sent_by=incarnation, accepted=member.name.incarnation)
        return member

    def say_farewell(self, exit_class: str) -> None:
        """Tell those who watch this actor that it ends."""
        self.fail_watches(ChildExitError(self.identity.key, exit_class=exit_class))

    def _member(self, key: str) -> Member:
        member = self._members.get(key)
        if member is None:
            raise ChildNotHereError(key, host=str(self.identity))
        return member

    def _active_member(self, key: str, incarnation: int) -> Member:
        """The member, if that very incarnation is the accepted one.

        Raises:
            StaleIncarnationError: It is not.
        """
        member = self._member(key)
        if member.name.incarnation != incarnation or member.machine.phase != "active":
            raise StaleIncarnationError(key, sent_by=incarnation, accepted=member.machine.accepted)
        return member

    def _is_built(self, key: str, incarnation: int) -> bool:
        """Whether that very incarnation is here already.

        Raises:
            StaleIncarnationError: A later one is.
        """
        here = self._members.get(key)
        if here is not None and here.name.incarnation > incarnation:
            raise StaleIncarnationError(key, sent_by=incarnation, accepted=here.name.incarnation)
        return here is not None and here.name.incarnation == incarnation

    def _name_of(self, key: str, incarnation: int) -> ActorName:
        concern, _, child = key.partition("/")
        return ActorName(self.identity.supervisor, concern, child, incarnation)

    def _insist_on_own(self, name: ActorName) -> None:
        if name != self.identity:
            raise ValueError(f"{self.identity} hosts no other child than itself; it was asked to build {name}")

    def _know_myself(self) -> None:
        if self._me is None:
            self._me = ray.get_runtime_context().current_actor
            ray_actor.exit_actor = leave_child
