"""What the actor of a child needs of its supervisor. It travels there by name, and finds whoever leads or writes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.checkpoint.folder import FolderStore
from actors.checkpoint.log import LogStore
from actors.checkpoint.spool import Spool
from actors.event_log.transport import LogTransport
from actors.runtime.actor_table import living_names
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.emitter import Emitter
from actors.runtime.ids import ActorName
from actors.runtime.node import spool_path
from supervisor.election import actor_by_name, find_leader
from supervisor.tree import LOG

if TYPE_CHECKING:
    from actors.runtime.ports import CheckpointStore

_ANNOUNCE_S = 2.0
_AGAIN_S = 0.05


class ClusterPorts:
    """The ways from a child to its leader, to the stores and to the log.

    Args:
        supervisor: The supervisor's name.
        era: The number of the cluster's session: incarnations begin anew with each.
        writer: The log writer's handle, if who makes the child knows it: to find it takes a new process 40 ms.
        log: The log's file, for who keeps checkpoints in it: where its writer is on the same node they share a spool.
    """

    def __init__(self, supervisor: str, *, era: int, writer: Any | None = None, log: str | None = None) -> None:
        self._supervisor = supervisor
        self._era = era
        self._lock = threading.Lock()
        self._emitter: Emitter | None = None
        self._told_writer = writer
        self._log = log
        self._writer: tuple[str, Any] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._supervisor, self._era, self._told_writer, self._log)

    def announce_exit(self, name: str, exit_class: str) -> None:
        """Tell the leader before the process ends: the kernel tells deaths faster than Ray tells their cause."""
        until = SYSTEM_CLOCK.now() + _ANNOUNCE_S
        while self.tell_of_exit(name, exit_class) is False and SYSTEM_CLOCK.now() < until:
            sleep(_AGAIN_S)

    def tell_of_exit(self, name: str, exit_class: str) -> bool | None:
        """Tell the leader once; False: it does not know yet whose child that is. None: nobody was reached.

        Nobody leads at this moment, and the next leader reads Ray's own words.
        """
        try:
            leader = find_leader(self._supervisor)
            return None if leader is None else self._tell(leader[1], name, exit_class)
        except (RayError, GetTimeoutError):
            return None

    @staticmethod
    def _tell(leader: Any, name: str, exit_class: str) -> bool:
        return bool(ray.get(leader.announce_exit.remote(name, exit_class), timeout=_ANNOUNCE_S))

    def checkpoints(self, path: str | None) -> CheckpointStore:
        """The store of a folder's URL, or of the event log."""
        if path is None:
            spool = None if self._log is None else Spool(spool_path(self._supervisor, self._log))
            return LogStore(self.writer, era=self._era, known=self._told_writer, spool=spool)
        return FolderStore(path, supervisor=self._supervisor, era=self._era)

    def record(self, name: str, event: str, detail: str) -> None:
        """Write a row of `children`; does not wait for it."""
        parsed = ActorName.parse(name)
        if parsed is None:
            return
        with self._lock:
            if self._emitter is None:
                self._emitter = Emitter(LogTransport(self.writer), clock=SYSTEM_CLOCK)
        row: tuple[Any, ...] = (
            parsed.key,
            parsed.incarnation,
            parsed.concern,
            "service",
            event,
            ray.get_runtime_context().get_node_id(),
            None,
            SYSTEM_CLOCK.wall_us(),
            0,
            detail,
            None,
        )
        self._emitter.emit("children", row)

    def writer(self) -> Any | None:
        """The current log writer's handle, or None."""
        mine = [name for name in living_names() if (name.supervisor, name.key) == (self._supervisor, LOG)]
        if not mine:
            return None
        latest = str(max(mine))
        if self._writer is None or self._writer[0] != latest:
            handle = actor_by_name(latest)
            self._writer = None if handle is None else (latest, handle)
        return None if self._writer is None else self._writer[1]


def _rebuild(supervisor: str, era: int, writer: Any | None, log: str | None) -> ClusterPorts:
    return ClusterPorts(supervisor, era=era, writer=writer, log=log)
