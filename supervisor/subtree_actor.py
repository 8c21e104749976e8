"""The shell of a group that is a supervisor actor of its own: its parent supervises it like any child."""

from __future__ import annotations

import os
import pickle
import random
import threading
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.event_log.transport import LogTransport
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.emitter import Emitter
from actors.runtime.errors import GroupEndedError
from actors.runtime.replicated import Replica
from actors.runtime.shell import as_actor
from actors.runtime.vital_threads import vital_thread
from supervisor import messages as m
from supervisor.child_ports import ClusterPorts
from supervisor.election import OFFICE_S, find_leader, inventory, living_nodes
from supervisor.leading import GROUPS, LeadingShell
from supervisor.link import follow
from supervisor.node_watch import NodeWatch
from supervisor.recording import RECORDS_WAIT_S
from supervisor.supervision.machine import SupervisorMachine
from supervisor.supervision.subtree import beginning
from supervisor.tree import SUBTREE, is_within, path_of

if TYPE_CHECKING:
    from supervisor.charter import Charter
    from supervisor.messages import ClusterView
    from supervisor.recipes import SubtreeRecipe
    from supervisor.supervision.ledger import Ledger

_RETRY_S = 0.05
_FLUSH_S = 5.0
_ANNOUNCE_S = 30.0
_FAREWELL_S = 0.2
"""How long the answers to those who watch may take to leave this process, seconds."""


class SubtreeActor(LeadingShell):
    """One life of a subtree's supervisor. What lives of its children when it begins, it adopts.

    Args:
        name: Its name.
        leader: The incarnation of the supervisor above.
        charter: What the whole supervisor is made of.
        recipe: The groups and children that it began with.
        ledgers: What its earlier life left, and those of subtrees below it, by path.
        era: The number of the cluster's session.
    """

    def __init__(
        self, name: str, leader: int, charter: Charter, recipe: SubtreeRecipe, ledgers: dict[str, Ledger], *, era: int
    ) -> None:
        super().__init__(name, leader)
        self._path = self.identity.child
        self._asked_to_stop = threading.Event()
        self._root_incarnation = 0
        self._ports = ClusterPorts(charter.name, era=era)
        self._emitter = Emitter(LogTransport(self._ports.writer), clock=SYSTEM_CLOCK, flush_s=RECORDS_WAIT_S)
        actors = tuple(actor for actor in _inventory(charter.name) if self._is_mine(actor.key))
        any_alive = any(actor.alive for actor in actors)
        begun = beginning(recipe.groups, recipe.children, recipe.order, ledgers.get(self._path), any_alive=any_alive)
        machine = SupervisorMachine(
            supervisor=charter.name,
            incarnation=self.identity.incarnation,
            groups=begun.groups,
            children=begun.children,
            order=begun.order,
            rng=random.Random(),  # noqa: S311 - jitter, not secrets
            ledger=begun.ledger,
            now=SYSTEM_CLOCK.now(),
        )
        self.make_engine(
            charter,
            machine,
            self._emitter,
            publish=self._publish,
            replicate=self._publish,
            verify=self._make_sure,
            depose=self._depose,
            rank=lambda: self._root_incarnation,
        )
        self._subtrees.inherit({path: ledger for path, ledger in ledgers.items() if path != self._path})
        self._link = follow(charter, 1, self._hear)
        self._engine.begin(
            m.LeaderStarted(
                actors=self._engine.runner.with_members(actors), nodes=living_nodes(), succeeds=begun.succeeds
            )
        )
        NodeWatch(charter.name, self._engine.post, self._engine.finished).start()
        vital_thread(self._wait_for_end, name="supervisor-end").start()

    def _is_mine(self, key: str) -> bool:
        return is_within(path_of(key), self._path) and key != f"{SUBTREE}{self._path}"

    def _hear(self, replica: Replica) -> None:
        """The leader's view: where the node agents are, and in whose name they are asked."""
        view: ClusterView = pickle.loads(replica.payload)  # noqa: S301 - our own leader made it
        self._root_incarnation = view.incarnation
        self._engine.runner.reach.know(view.agents)

    def _publish(self) -> None:
        ledgers = {**self._subtrees.ledgers(), self._path: self._engine.machine.ledger()}
        self._views.publish(pickle.dumps((self.whole_view(), ledgers)))

    # -- ending -----------------------------------------------------------------------------------------------------

    def on_stop(self) -> None:
        """Every child ends, in reverse order; what is on record of that is in the log."""
        self._asked_to_stop.set()
        self._engine.end()
        self._link.stop()
        self._emitter.flush(_FLUSH_S)

    def _wait_for_end(self) -> None:
        """Over its intensity, or because its significant children ended: the supervisor above decides what follows.

        Who watches is told by the failure of that. While nobody leads it stays, for the next one to hear the same: the
        kernel would only tell of a death.
        """
        self._engine.finished.wait()
        if self._asked_to_stop.is_set():
            return
        exit_class, reason = self._engine.machine.ending
        self._engine.end()
        self._emitter.flush(_FLUSH_S)
        self.fail_watches(GroupEndedError(self.identity.key, exit_class=exit_class, reason=reason))
        until = SYSTEM_CLOCK.now() + _ANNOUNCE_S
        while not self._ports.tell_of_exit(str(self.identity), exit_class) and SYSTEM_CLOCK.now() < until:
            sleep(_RETRY_S)
        sleep(_FAREWELL_S)
        os._exit(0)

    # -- being replaced ---------------------------------------------------------------------------------------------

    def _make_sure(self) -> None:
        """This process was stopped: it must not act before it knows that this life is still its parent's."""
        while not (self._engine.finished.is_set() or self._asked_to_stop.is_set()):
            accepted = self._is_accepted()
            if accepted:
                return
            if accepted is False:
                self._depose()
            sleep(_RETRY_S)

    def _is_accepted(self) -> bool | None:
        """What Ray's table and the one above say of this life; None while one of them is silent."""
        try:
            own = self.identity
            lives = [each for each in inventory(self._charter.name) if each.key == own.key and each.alive]
            if any(each.incarnation > own.incarnation for each in lives):
                return False
            leader = find_leader(self._charter.name)
            return None if leader is None else ray.get(leader[1].accepts.remote(str(self.identity)), timeout=OFFICE_S)
        except (RayError, RuntimeError, GetTimeoutError):
            return None

    @staticmethod
    def _depose() -> None:
        """There is a later life, or the one above has given this one up: it must not act any more."""
        os._exit(0)


def _inventory(supervisor: str) -> tuple[m.KnownActor, ...]:
    while True:
        try:
            return inventory(supervisor)
        except (RayError, RuntimeError):
            sleep(_RETRY_S)


def subtree_actor() -> Any:
    """The Ray actor class."""
    return as_actor(SubtreeActor, extra_groups=GROUPS)
