"""An owner's way to the boards of all nodes: what it says goes to each node's agent, which lays it there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from ray.exceptions import ActorDiedError

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import SupervisorError
from actors.runtime.process import ProcessIdentity
from actors.runtime.replies import when_answered
from actors.service.bulletin import Bulletin
from actors.service.finding import Lookup, named_actor
from actors.service.posting import Posting

Postings = Sequence[Posting]
"""What an owner says, each with its word."""

HERE_LATER_S = 0.01
"""When the agent of the owner's own node is told what lies on the owner's board there already, seconds: its work would
take the processors from the processes that just then see it."""


class Boards:
    """The agents of all nodes, as one owner reaches them.

    Args:
        owner: The owner's full name: an agent takes nothing from an earlier life of it.
        everything: All that the owner says at this moment, for an agent that has heard nothing yet.
        changes: The name on the board whose word counts what is laid, for those who read many names; None: none does.
        own: The owner's own board: the processes of its node see there what the agent lays later.
        here: The owner's node, if whoever has this calls `catch_up` when `due_at` says so.
        lookup: Finds an agent.
    """

    def __init__(
        self,
        owner: str,
        everything: Callable[[], Postings],
        *,
        changes: str | None = None,
        own: Bulletin | None = None,
        here: str | None = None,
        lookup: Lookup = named_actor,
    ) -> None:
        self._lookup = lookup
        self._here = here
        self._later: dict[str, Posting] = {}
        self._later_at: float | None = None
        self._owner = owner
        self._own = own
        self._changes = changes
        self._everything = everything
        self._agents: dict[str, tuple[str, Any]] = {}
        self._minded: dict[str, tuple[str, ProcessIdentity]] = {}
        self._behind: set[str] = set()
        self._lock = threading.Lock()

    def follow(self, agents: Mapping[str, str]) -> None:
        """The supervisor announces these agents, by node; a new one is told everything."""
        with self._lock:
            known = {node: name for node, (name, _) in self._agents.items()}
        new = {node: self._handle(name) for node, name in agents.items() if known.get(node) != name}
        with self._lock:
            self._agents = {node: agent for node, agent in self._agents.items() if node in agents}
            self._agents |= {node: (agents[node], handle) for node, handle in new.items() if handle is not None}
            self._behind |= self._agents.keys() & new.keys()
        self.catch_up()

    def lay(self, postings: Postings, told: Callable[[], None] | None = None) -> int:
        """Have these laid on every board; returns at once, on how many.

        Args:
            postings: What to lay.
            told: Called for each board on which they lie.
        """
        lies_here = self.lay_here(postings)
        return self.send(postings, told, lies_here=lies_here)

    def lay_here(self, postings: Postings) -> bool:
        """Lay these on the owner's own board: stores to memory, no call. Whether they lie there now."""
        if self._own is not None and postings:
            with suppress(SupervisorError):  # closed, or a successor's by now
                return self._own.lay(self._owner, postings, SYSTEM_CLOCK.now_ns(), changes=self._changes)
        return False

    def send(self, postings: Postings, told: Callable[[], None] | None = None, *, lies_here: bool = False) -> int:
        """Have these laid on the boards of the agents, see `lay`; `lies_here`: that of this node has time."""
        if not postings:
            return 0
        with self._lock:
            agents = list(self._agents.items())
            if lies_here and self._here in self._agents:
                agents = [agent for agent in agents if agent[0] != self._here]
                self._later |= {posting.name: posting for posting in postings}
                self._later_at = self._later_at or SYSTEM_CLOCK.now() + HERE_LATER_S
        for node, (_, agent) in agents:
            self._send(node, agent, postings, told)
        return len(agents)

    def ask_posted(self, name: str, take: Callable[[str, Any], None]) -> tuple[str, ...]:
        """Ask every agent for a state that lies on its board.

        Args:
            name: The state's.
            take: Called with each node and what it answers: a `Posted`, None, or an error.
        Returns: The nodes that are asked.
        """
        with self._lock:
            agents = list(self._agents.items())
        for node, (_, agent) in agents:
            when_answered(agent.posted.remote(name), partial(take, node))
        return tuple(node for node, _ in agents)

    @property
    def due_at(self) -> float | None:
        """When `catch_up` has something for the agent of this node, monotonic seconds."""
        return self._later_at

    def catch_up(self) -> None:
        """Tell what waits to the agent of this node, and everything to those that may have missed some of it."""
        if self._later_at is not None and self._later_at <= SYSTEM_CLOCK.now():
            self._send_later()
        with self._lock:
            behind, self._behind = self._behind, set()
            agents = [(node, self._agents[node][1]) for node in behind if node in self._agents]
            minded = list(self._minded.items())
        postings = self._everything() if agents else ()
        for node, agent in agents:
            self._send(node, agent, postings)
            for process, (where, identity) in minded:
                if where == node:
                    agent.mind.remote(self._owner, process, identity)

    def mind(self, process: str, node_id: str, identity: ProcessIdentity) -> None:
        """Have the agent of its node tell of a process's death; asked again it does nothing."""
        with self._lock:
            if process in self._minded:
                return
            self._minded[process] = (node_id, identity)
            agent = self._agents.get(node_id)
        if agent is not None:
            agent[1].mind.remote(self._owner, process, identity)

    def close(self) -> None:
        """Take the owner's own board away; the agent's has all by then."""
        self._send_later()
        if self._own is not None:
            self._own.close()

    def forget(self, process: str) -> None:
        """It is dead."""
        with self._lock:
            self._minded.pop(process, None)

    def _handle(self, name: str) -> Any | None:
        try:
            return self._lookup(name)
        except ValueError:
            return None

    def _send_later(self) -> None:
        with self._lock:
            later, self._later, self._later_at = self._later, {}, None
            agent = self._agents.get(self._here or "")
        if later and agent is not None:
            self._send(str(self._here), agent[1], list(later.values()))

    def _send(self, node: str, agent: Any, postings: Postings, told: Callable[[], None] | None = None) -> None:
        laid = agent.post.remote(self._owner, postings, self._changes)
        when_answered(laid, partial(self._on_laid, node, told))

    def _on_laid(self, node: str, told: Callable[[], None] | None, reply: object) -> None:
        if not isinstance(reply, BaseException):
            if reply and told is not None:
                told()
        elif not isinstance(reply, ActorDiedError):
            with self._lock:
                self._behind.add(node)  # out of reach is not dead: a later life would be told everything anyway
