"""Ending lives that share a process with others, and the process once nobody lives there any more."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.runtime.errors import StaleIncarnationError, SupervisorError
from actors.runtime.replies import when_answered
from supervisor import messages as m
from supervisor.election import actor_by_name

if TYPE_CHECKING:
    from supervisor.hosts import Host, Hosts, Life
    from supervisor.reach import Reach

_RETIRE_S = 10.0
"""How long a host in which nobody lives may take to end in order, seconds; it waits for answers that are due."""


class Evicting:
    """One leader's hand on lives that share processes.

    Args:
        leader: Its incarnation.
        hosts: Who lives where.
        reach: The ways to the processes of all nodes.
        rank: The incarnation in whose name node agents are asked.
        post: Takes events for the machine.
        depose: Called when a later leader is found.
    """

    def __init__(
        self,
        leader: int,
        hosts: Hosts,
        reach: Reach,
        rank: Callable[[], int],
        post: Callable[[m.Event], None],
        depose: Callable[[], None],
    ) -> None:
        self._leader = leader
        self._hosts = hosts
        self._reach = reach
        self._rank = rank
        self._post = post
        self._depose = depose

    def evict(self, life: Life, handle: Any, host: str, empty: Host | None) -> None:
        """End a life alone, or with its process if nobody else is left there. Blocks.

        Args:
            life: The life; it has left its host already.
            handle: Its host, or None while that is not known.
            host: The name of that host, if a predecessor made it.
            empty: Its host, if nobody is left there.
        """
        if empty is not None:
            self._on_fenced(life, None)
            self.retire(empty)
            return
        handle = actor_by_name(host) if handle is None and host else handle
        if handle is None:
            self._on_fenced(life, None)
        else:
            when_answered(handle.fence.remote(self._leader, *life), partial(self._on_fenced, life))

    def discard(self, life: Life, handle: Any) -> None:
        """End what was made for a life that is over by now, and tell it: nobody else watches that one. Blocks."""
        if self._hosts.of(life) is None:
            ray.kill(handle, no_restart=True)
            ended = "it was ended before it was begun"
            self._post(m.ChildStartFailed(key=life[0], incarnation=life[1], error=ended))
        elif (empty := self._hosts.leave(life)) is not None:
            self.retire(empty)

    def retire(self, host: Host) -> None:
        """End a host in which nobody lives, once what is due is answered. Blocks."""
        try:
            ray.get(host.handle.retire.remote(self._leader), timeout=_RETIRE_S)
        except StaleIncarnationError:
            self._depose()
        except (RayError, SupervisorError, GetTimeoutError):
            if host.location is not None:
                self._reach.kill(host.location, by=self._rank(), name=host.name)
            ray.kill(host.handle, no_restart=True)
        if not host.watched:
            self._hosts.lost(host.name)

    def _on_fenced(self, life: Life, reply: object) -> None:
        if isinstance(reply, StaleIncarnationError):
            self._depose()
        detail = "it was ended, and its process goes on"
        self._post(m.ChildDied(key=life[0], incarnation=life[1], exit_class="killed", detail=detail))
