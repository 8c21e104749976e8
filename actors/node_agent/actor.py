"""One small actor per node: lays the leader's view on the node's board, looks at processes, and kills what is fenced.

It follows the leader, so it also sees to a successor when that dies. It holds no state of its own: its own successor
continues with the same board file.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from typing import Any

import ray

from actors.runtime import process
from actors.runtime.board import BoardFencedError, BoardWriter
from actors.runtime.clock import SYSTEM_CLOCK, Clock
from actors.runtime.node import board_path
from actors.runtime.process import ProcessEvidence, ProcessIdentity
from actors.runtime.replicated import Replica
from actors.runtime.shell import ActorShell, as_actor

BEAT_S = 0.5
VIEW = "view"

Follow = Callable[[Callable[[Replica], None]], Any]
"""The port to the leader: calls back with each newer replica of its view."""


class NodeAgentActor(ActorShell):
    """The node's board writer, witness and executioner."""

    def __init__(self, name: str, leader: int, follow: Follow) -> None:
        super().__init__(name, leader)
        self._clock: Clock = SYSTEM_CLOCK
        self._board = BoardWriter(board_path(self.identity.supervisor))
        self._board_lock = threading.Lock()
        self._ended = threading.Event()
        self._processes: dict[str, ProcessIdentity] = {}
        self._board.beat(self._clock.now_ns())
        self._link = follow(self._lay)
        threading.Thread(target=self._beat, name="supervisor-board", daemon=True).start()

    def _lay(self, replica: Replica) -> None:
        view = pickle.loads(replica.payload)  # noqa: S301 - our own leader made it
        workers = (worker for pool in view.pools.values() for worker in pool.workers)
        self._processes = {worker.name: worker.location.process for worker in workers}
        with self._board_lock:
            self._board.put(VIEW, replica.word, replica.payload)

    def _beat(self) -> None:
        """Renew the board's lease; a board that a successor took over is left to it."""
        while not self._ended.wait(BEAT_S):
            try:
                with self._board_lock:
                    self._board.beat(self._clock.now_ns())
            except BoardFencedError:
                return

    @ray.method(concurrency_group="control")
    def evidence(self, of: ProcessIdentity) -> ProcessEvidence:
        """What this node's kernel says about a process."""
        return process.evidence(of, self._clock.now())

    @ray.method(concurrency_group="control")
    def kill(self, target: ProcessIdentity, leader: int) -> bool:
        """SIGKILL a process that the leader has fenced; False when that life of the pid has ended already.

        Raises:
            StaleIncarnationError: `leader` has been replaced.
        """
        self._obey(leader)
        return process.kill(target)

    @ray.method(concurrency_group="control")
    def kill_worker(self, name: str) -> bool:
        """SIGKILL a worker by its full name, incarnation included; False when no such one is announced on this node."""
        target = self._processes.get(name)
        return target is not None and process.kill(target)

    def on_stop(self) -> None:
        self._link.stop()
        self._ended.set()
        with self._board_lock:
            self._board.close(unlink=True)


NodeAgent = as_actor(NodeAgentActor)
