"""One small actor per node: lays replicated state on the node's board, looks at processes, and kills what is fenced.

It follows the leader, so it also sees to a successor when that dies. What it holds, the leader's view and ledger, lies
on the board: its own successor continues with the same file.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import ray

from actors.health.checked import CHECK_GROUP, Checked
from actors.node_agent import flags
from actors.node_agent.minding import Minding
from actors.node_agent.registry import Registry
from actors.runtime import process
from actors.runtime.actor_table import actor_rows
from actors.runtime.board import BoardFencedError, BoardFullError, BoardReader, BoardWriter
from actors.runtime.board_pages import join, page_name
from actors.runtime.board_value import lay
from actors.runtime.clock import SYSTEM_CLOCK, Clock
from actors.runtime.errors import SupervisorError
from actors.runtime.node import board_path
from actors.runtime.process import ProcessEvidence, ProcessIdentity
from actors.runtime.replicated import Replica, supersedes, unpack_word
from actors.runtime.shell import ActorShell, as_actor
from actors.runtime.vital_threads import steady_thread
from actors.service.boards import Postings
from actors.service.bulletin import Bulletin
from actors.service.node_board import posted_on
from actors.service.posting import Posted

BEAT_S = 0.5
BOARD_NAMES = 5_000
BOARD_BYTES = 8 << 20
"""Room for as many breakers as a cluster has (`actors.breaker.names`), beside the view and the ledger."""

VIEW = "view"
LEDGER = "ledger"

_READS = 3
"""How often the ledger's pages are read again when they were being changed."""

Follow = Callable[[Callable[[Replica], None]], Any]
"""The port to the leader: calls back with each newer replica of its view."""


class NodeAgentActor(Checked, ActorShell):
    """The node's board writer, witness and executioner."""

    def __init__(self, name: str, leader: int, follow: Follow) -> None:
        super().__init__(name, leader)
        self._clock: Clock = SYSTEM_CLOCK
        self._node_id: str = ray.get_runtime_context().get_node_id()
        self._board = BoardWriter(board_path(self.identity.supervisor), names=BOARD_NAMES, blob_bytes=BOARD_BYTES)
        self._board_lock = threading.Lock()
        self._bulletin = Bulletin(self._board, self._board_lock)
        self._minding = Minding()
        self._ended = threading.Event()
        self._registry = Registry()
        self._view: Replica | None = None
        self._ledger = ledger_on_board(self.identity.supervisor)
        self._board.beat(self._clock.now_ns())
        self._link = follow(self._lay)
        steady_thread(self._beat, name="supervisor-board").start()

    def _lay(self, replica: Replica) -> None:
        with self._board_lock:
            if not supersedes(replica, self._view):
                return
            self._view = replica
            try:
                lay(self._board, VIEW, replica)
            except BoardFullError:  # an old view would mislead: without one, every process asks the leader itself
                self._board.remove(page_name(VIEW, 0))
            self._register(pickle.loads(replica.payload))  # noqa: S301 - our own leader made it

    @ray.method(concurrency_group="control")
    def hear(self, leader: int, replica: Replica) -> None:
        """A new leader announces itself; sooner than this agent's own call at the old one fails.

        Raises:
            StaleIncarnationError: `leader` has been replaced.
        """
        self._obey(leader)
        self._lay(replica)

    def _register(self, view: Any) -> None:
        """Learn which processes of this node are ours: workers, other children, the leader and its standby."""
        found = [(worker.name, worker.location) for pool in view.pools.values() for worker in pool.workers]
        found += [(child.name, child.location) for child in view.children]
        found += [(view.leader, view.leader_location), (view.standby, view.standby_location)]
        self._registry.announce(
            {name: where.process for name, where in found if where is not None and where.node_id == self._node_id}
        )

    def _beat(self) -> None:
        """Renew the board's lease; a board that a successor took over is left to it."""
        while not self._ended.wait(BEAT_S):
            try:
                with self._board_lock:
                    self._board.beat(self._clock.now_ns())
            except BoardFencedError:
                return

    # -- owners of shared state ---------------------------------------------------------------------------------------

    @ray.method(concurrency_group="control")
    def post(self, owner: str, postings: Postings, changes: str | None = None) -> bool:
        """Lay what an owner says on the board; see `Bulletin.lay`."""
        return self._bulletin.lay(owner, postings, self._clock.now_ns(), changes=changes)

    @ray.method(concurrency_group="control")
    def posted(self, name: str) -> Posted | None:
        """A state that lies on the board, for the next life of its owner; None when there is none."""
        return posted_on(self.identity.supervisor, name, self._clock.now_ns())

    @ray.method(concurrency_group="control")
    def mind(self, owner: str, name: str, identity: ProcessIdentity) -> None:
        """Tell an owner when a process of this node dies; see `Minding.mind`."""
        self._minding.mind(owner, name, identity)

    # -- the leader's ledger ----------------------------------------------------------------------------------------

    @ray.method(concurrency_group="control")
    def keep_ledger(self, leader: int, replica: Replica) -> int:
        """Keep the leader's ledger, here and on the board; returns the version that is held.

        Raises:
            StaleIncarnationError: `leader` has been replaced.
        """
        self._obey(leader)
        with self._board_lock:
            if supersedes(replica, self._ledger):
                self._ledger = replica
                # On a board that is full, or a successor's, it does not lie: a new leader asks the agents, too.
                with suppress(BoardFullError, BoardFencedError):
                    lay(self._board, LEDGER, replica)
        return replica.version

    @ray.method(concurrency_group="control")
    def ledger(self) -> Replica | None:
        """The latest ledger that a leader has laid down here; for a leader that has none of its own."""
        return self._ledger

    # -- processes --------------------------------------------------------------------------------------------------

    @ray.method(concurrency_group="control")
    def evidence(self, of: ProcessIdentity) -> ProcessEvidence:
        """What this node's kernel says about a process."""
        return process.evidence(of, self._clock.now())

    @ray.method(concurrency_group="control")
    def load(self) -> float:
        """How busy this node is: the load of the last minute for each CPU, 0 to 1, in tenths."""
        return process.load_share()

    @ray.method(concurrency_group="control")
    def kill(self, target: ProcessIdentity, leader: int, name: str | None = None) -> bool:
        """SIGKILL a process that the leader has fenced, if it is a child of ours on this node.

        A child is what a view announced; what none did yet is killed only if Ray's table has `name` in that process.

        Args:
            target: Pid and start time.
            leader: Who orders it.
            name: The child's full name, incarnation included.
        Returns: False when that life of the pid has ended already, or is no child of ours.
        Raises:
            StaleIncarnationError: `leader` has been replaced.
        """
        self._obey(leader)
        known = self._registry.knows(target) or (name is not None and self._is_child(name, target.pid))
        return known and process.kill(target)

    def _is_child(self, name: str, pid: int) -> bool:
        return any(
            (str(row.name), row.pid, row.node_id) == (name, pid, self._node_id)
            for row in actor_rows()
            if row.name.supervisor == self.identity.supervisor
        )

    @ray.method(concurrency_group="control")
    def kill_worker(self, name: str) -> bool:
        """SIGKILL a worker by its full name, incarnation included; False when no such one is announced on this node."""
        target = self._registry.present(name)
        return target is not None and process.kill(target)

    # -- flags --------------------------------------------------------------------------------------------------------

    @ray.method(concurrency_group="control")
    def put_up(self, flag: str, text: bytes) -> None:
        """Put a flag of this node up; see `actors.node_agent.flags`."""
        flags.put_up(board_path(self.identity.supervisor), flag, text)

    @ray.method(concurrency_group="control")
    def take_down(self, flag: str) -> None:
        """Take a flag of this node down."""
        flags.take_down(board_path(self.identity.supervisor), flag)

    def on_stop(self) -> None:
        self._link.stop()
        self._ended.set()
        self._minding.close()
        with self._board_lock:
            self._board.close(unlink=True)


def ledger_on_board(supervisor: str) -> Replica | None:
    """The ledger that lies on this node's board, whoever wrote it last; None without one."""
    try:
        reader = BoardReader(board_path(supervisor))
        for _ in range(_READS):
            found = join(LEDGER, reader.read)
            if found is not None:
                return Replica(*unpack_word(found[0]), found[1])
    except SupervisorError:
        return None
    return None


def node_agent_actor() -> Any:
    """The Ray actor class of `NodeAgentActor`, with its concurrency groups."""
    return as_actor(NodeAgentActor, extra_groups=CHECK_GROUP)
