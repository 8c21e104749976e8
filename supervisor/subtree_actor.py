"""The shell of a group that is a supervisor actor of its own: its parent supervises it like any child."""

from __future__ import annotations

import os
import pickle
import random
import threading
from typing import TYPE_CHECKING, Any

from ray.exceptions import RayError

from actors.event_log.transport import LogTransport
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.emitter import Emitter
from actors.runtime.replicated import Replica
from actors.runtime.shell import as_actor
from supervisor import messages as m
from supervisor.child_ports import ClusterPorts
from supervisor.election import inventory, living_nodes
from supervisor.leading import GROUPS, LeadingShell
from supervisor.link import follow
from supervisor.node_watch import NodeWatch
from supervisor.recording import RECORDS_WAIT_S
from supervisor.supervision.machine import SupervisorMachine
from supervisor.tree import SUBTREE, TOP, GroupPlan, is_within, path_of

if TYPE_CHECKING:
    from supervisor.charter import Charter
    from supervisor.messages import ClusterView
    from supervisor.recipes import SubtreeRecipe
    from supervisor.supervision.ledger import Ledger

_RETRY_S = 0.05


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
        emitter = Emitter(LogTransport(self._ports.writer), clock=SYSTEM_CLOCK, flush_s=RECORDS_WAIT_S)
        machine = SupervisorMachine(
            supervisor=charter.name,
            incarnation=self.identity.incarnation,
            groups=[GroupPlan(path=TOP, parent=None, intensity=0), *recipe.groups],
            children=list(recipe.children),
            order=recipe.order,
            rng=random.Random(),  # noqa: S311 - jitter, not secrets
            ledger=ledgers.get(self._path),
            now=SYSTEM_CLOCK.now(),
        )
        self.make_engine(
            charter,
            machine,
            emitter,
            publish=self._publish,
            replicate=self._publish,
            verify=lambda: None,
            depose=self._depose,
            rank=lambda: self._root_incarnation,
        )
        self._subtrees.inherit({path: ledger for path, ledger in ledgers.items() if path != self._path})
        actors = tuple(actor for actor in _inventory(charter.name) if self._is_mine(actor.key))
        self._link = follow(charter, 1, self._hear)
        self._engine.begin(
            m.LeaderStarted(
                actors=self._engine.runner.with_members(actors), nodes=living_nodes(), succeeds=bool(actors)
            )
        )
        NodeWatch(self._engine.post, self._engine.finished).start()
        threading.Thread(target=self._wait_for_end, name="supervisor-end", daemon=True).start()

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
        """Every child ends, in reverse order."""
        self._asked_to_stop.set()
        self._engine.end()
        self._link.stop()

    def _wait_for_end(self) -> None:
        """Over its intensity, or because its significant children ended: the supervisor above decides what follows."""
        self._engine.finished.wait()
        if not self._asked_to_stop.is_set():
            self._ports.announce_exit(str(self.identity), "shutdown")
            os._exit(0)

    @staticmethod
    def _depose() -> None:
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
