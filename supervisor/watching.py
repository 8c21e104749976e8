"""How the end of an actor becomes known: by a call that never returns, and sooner by the kernel on the same node."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ray.exceptions import ActorUnavailableError

from actors.runtime.clock import sleep
from actors.runtime.death_watch import DeathWatch
from actors.runtime.ids import ActorName
from actors.runtime.replies import when_answered
from supervisor import messages as m
from supervisor.exits import classify_exit, raised_by, why
from supervisor.tree import HOST

if TYPE_CHECKING:
    from actors.runtime.process import ProcessIdentity
    from supervisor.hosts import Hosts, Life
    from supervisor.tree import ExitClass

_REACH_AGAIN_S = 0.2


class Watching:
    """One leader's ear on actors.

    Args:
        leader: The leader's full name.
        hosts: Who lives where.
        threads: Where what takes time is done.
        post: Takes events for the machine.
        let_go: Called with each life whose actor is dead.
    """

    def __init__(
        self,
        leader: str,
        hosts: Hosts,
        threads: Executor,
        post: Callable[[m.Event], None],
        let_go: Callable[[Life], None],
    ) -> None:
        self._leader = leader
        self._hosts = hosts
        self._threads = threads
        self._post = post
        self._let_go = let_go
        self._deaths = DeathWatch(self._on_death)

    def watch(self, actor: str, handle: Any) -> None:
        """Hear of an actor's end from Ray, with the reason."""
        watched = handle.watch.remote(f"{self._leader}:{actor}")
        when_answered(watched, partial(self._on_watch_ended, actor, handle))

    def watch_process(self, actor: str, process: ProcessIdentity) -> None:
        """Hear of it from the kernel as well; for an actor on the leader's node."""
        self._deaths.watch(actor, process)

    def ended(self, actor: str, exit_class: ExitClass, detail: str) -> None:
        """An actor is dead, and with it whoever lived in it."""
        name = ActorName.parse(actor)
        if name is None:
            return
        lives = self._hosts.lost(actor) if _is_host(name) else ((name.key, name.incarnation),)
        for life in lives:
            self._let_go(life)
            died = m.ChildDied(key=life[0], incarnation=life[1], exit_class=exit_class, detail=detail)
            self._post(replace(died, fell_with=actor) if _is_host(name) else died)

    def close(self) -> None:
        """Watch nothing any more."""
        self._deaths.close()

    def _on_watch_ended(self, actor: str, handle: Any, reply: object) -> None:
        if isinstance(reply, ActorUnavailableError):
            self._threads.submit(self._watch_again, actor, handle)
        elif isinstance(reply, BaseException):
            exit_class = getattr(raised_by(reply), "exit_class", None) or classify_exit(str(reply))
            self.ended(actor, exit_class, why(reply))

    def _watch_again(self, actor: str, handle: Any) -> None:
        """Out of reach is not dead: its heartbeats go on meanwhile."""
        sleep(_REACH_AGAIN_S)
        self.watch(actor, handle)

    def _on_death(self, actor: str) -> None:
        """The kernel says so before Ray does, and does not say why."""
        name = ActorName.parse(actor)
        if name is None or _is_host(name):
            self.ended(actor, "killed", "its process ended")
        else:
            self._post(m.ProcessEnded(key=name.key, incarnation=name.incarnation))


def _is_host(name: ActorName) -> bool:
    return f"{name.concern}/" == HOST
