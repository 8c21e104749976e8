"""The base of every actor shell: who it is, that it lives, and how it is asked to stop.

Shells are threaded actors. The methods here run in concurrency groups of their own ("control", "watch"), so that they
answer while the actor's own methods are busy. Wrap a shell with `as_actor(cls)`.
"""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass
from typing import Any

import ray

from actors.runtime.errors import StaleIncarnationError
from actors.runtime.ids import ActorName
from actors.runtime.process import ProcessIdentity, this_process

CONTROL_THREADS = 3
WATCH_THREADS = 2
"""Watching calls never return; those beyond this number wait in the queue, and fail at the death just the same."""


@dataclass(frozen=True, slots=True)
class Description:
    """Where one incarnation of an actor lives."""

    name: str
    pid: int
    started_ticks: int
    witness: int
    node_id: str
    host: str

    @property
    def process(self) -> ProcessIdentity:
        return ProcessIdentity(self.pid, self.started_ticks, self.witness)


class ActorShell:
    """Identity, heartbeat, death watch and orderly stop.

    Args:
        name: The full actor name, incarnation included.
        leader: The supervisor incarnation that created it.
    """

    def __init__(self, name: str, leader: int) -> None:
        parsed = ActorName.parse(name)
        if parsed is None:
            raise ValueError(f"{name!r} is not an actor name of the form supervisor/concern/child#incarnation")
        self.identity = parsed
        self._leader = leader
        self._watchers: dict[str, threading.Event] = {}
        self._shell_lock = threading.Lock()
        self._witness = threading.Thread(target=threading.Event().wait, name="supervisor-witness", daemon=True)
        self._witness.start()

    @ray.method(concurrency_group="control")
    def describe(self) -> Description:
        """Where this incarnation lives. The first answer is slow (lazy imports): a start counts from the second."""
        process = this_process()
        node_id = ray.get_runtime_context().get_node_id()
        return Description(
            name=str(self.identity),
            pid=process.pid,
            started_ticks=process.started_ticks,
            witness=self._witness.native_id or 0,
            node_id=node_id,
            host=socket.gethostname(),
        )

    @ray.method(concurrency_group="control")
    def heartbeat(self, leader: int) -> dict[str, Any]:
        """Answer a supervisor of incarnation `leader`; a newer one is remembered, an older one refused."""
        self._obey(leader)
        return self.vital_signs()

    @ray.method(concurrency_group="control")
    def stop(self, leader: int) -> None:
        """Finish what must be finished (see `on_stop`); the supervisor ends the process afterwards."""
        self._obey(leader)
        self.on_stop()

    @ray.method(concurrency_group="watch")
    def watch(self, watcher: str) -> None:
        """Never return while this actor lives: the call's failure is the death notice.

        A second call of the same `watcher` releases the first.
        """
        release = threading.Event()
        with self._shell_lock:
            earlier = self._watchers.get(watcher)
            self._watchers[watcher] = release
        if earlier is not None:
            earlier.set()
        release.wait()

    def vital_signs(self) -> dict[str, Any]:
        """What the heartbeat carries; shells add their own."""
        return {"pid": os.getpid()}

    def on_stop(self) -> None:
        """Called once before an orderly end; override to flush and close."""

    def _obey(self, leader: int) -> None:
        with self._shell_lock:
            if leader < self._leader:
                raise StaleIncarnationError(str(self.identity), sent_by=leader, accepted=self._leader)
            self._leader = leader


def as_actor(cls: type[Any], *, extra_groups: dict[str, int] | None = None) -> Any:
    """The Ray actor class of a shell, with its control groups."""
    groups = {"control": CONTROL_THREADS, "watch": WATCH_THREADS, **(extra_groups or {})}
    wrap: Any = ray.remote(concurrency_groups=groups)  # pyright: ignore[reportCallIssue] - Ray's stubs lack this argument
    return wrap(cls)
