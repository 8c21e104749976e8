"""The supervisor's shell: a mailbox, one thread that runs the machine, and the runner that carries its commands out."""

from __future__ import annotations

import os
import pickle
import queue
import random
import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError

from actors.event_log.transport import LogTransport
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.emitter import Emitter
from actors.runtime.ids import ActorName
from actors.runtime.long_poll import LongPoll
from actors.runtime.process import this_process
from actors.runtime.replicated import OwnedState, Replica
from actors.runtime.shell import ActorShell, as_actor
from supervisor import messages as m
from supervisor.commands import ClusterRunner
from supervisor.config import plan
from supervisor.election import inventory, living_nodes, located
from supervisor.link import view_on_board
from supervisor.machine import SupervisorMachine
from supervisor.tree import Location
from supervisor.version import package_version

if TYPE_CHECKING:
    from supervisor.charter import Charter
    from supervisor.tree import ExitClass

NODES_EVERY_S = 1.0
POLL_THREADS = 32


class SupervisorActor(ActorShell):
    """One incarnation of the supervisor. Its office is its name; a successor takes the next one."""

    def __init__(self, name: str, leader: int, charter: Charter, *, succeeds: bool = False) -> None:
        super().__init__(name, leader)
        self._clock = SYSTEM_CLOCK
        self._charter = charter
        specs, groups, pools = plan(charter.config)
        self._machine = SupervisorMachine(
            supervisor=charter.name,
            incarnation=leader,
            specs=specs,
            groups=groups,
            pools=pools,
            rng=random.Random(),  # noqa: S311 - jitter, not secrets
        )
        self._views = LongPoll(OwnedState(leader), waiters_max=POLL_THREADS)
        self._mailbox: queue.SimpleQueue[m.Event] = queue.SimpleQueue()
        self._emitter = Emitter(LogTransport(self._log_handle), clock=self._clock)
        self._runner = ClusterRunner(
            charter,
            self.identity,
            post=self._mailbox.put,
            publish=self._publish,
            depose=self._depose,
            emitter=self._emitter,
        )
        self._where = Location(
            process=this_process(), node_id=ray.get_runtime_context().get_node_id(), host=socket.gethostname()
        )
        self._stopping = threading.Event()
        self._mailbox.put(
            m.LeaderStarted(
                actors=located(inventory(charter.name), view_on_board(charter.name)),
                nodes=living_nodes(),
                succeeds=succeeds,
            )
        )
        threading.Thread(target=self._run, name="supervisor-machine", daemon=True).start()
        threading.Thread(target=self._look_at_nodes, name="supervisor-nodes", daemon=True).start()

    # -- what others ask --------------------------------------------------------------------------------------------

    @ray.method(concurrency_group="poll")
    def observe(self, known_incarnation: int, known_version: int, timeout_s: float) -> Replica | None:
        """Wait for a view newer than the known one; None when time is out."""
        return self._views.observe(known_incarnation, known_version, timeout_s)

    @ray.method(concurrency_group="control")
    def version(self) -> str:
        """This package's version here; asked before anything that is pickled by it."""
        return package_version()

    @ray.method(concurrency_group="control")
    def charter(self) -> Charter:
        """What this supervisor is made of."""
        return self._charter

    @ray.method(concurrency_group="control")
    def announce_exit(self, actor: str, exit_class: ExitClass) -> None:
        """Somebody entitled to it is about to end a child; see `ExitAnnounced`."""
        name = ActorName.parse(actor)
        if name is not None:
            self._mailbox.put(m.ExitAnnounced(key=name.key, incarnation=name.incarnation, exit_class=exit_class))

    def shutdown(self) -> None:
        """End every child in reverse order; returns when all have ended."""
        self._mailbox.put(m.ShutdownRequested())
        self._stopping.wait()
        self._runner.wait()

    # -- the machine's thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            event = self._next_event()
            for command in self._machine.handle(event, self._clock.now()):
                self._runner.run(command)
            if isinstance(event, m.ShutdownRequested):
                self._stopping.set()

    def _next_event(self) -> m.Event:
        due = self._machine.next_timer()
        if due is None:
            return self._mailbox.get()
        try:
            return self._mailbox.get(timeout=max(0.0, due - self._clock.now()))
        except queue.Empty:
            return m.TimePassed()

    def _publish(self) -> None:
        self._views.publish(pickle.dumps(replace(self._machine.view(), leader_location=self._where)))

    def _look_at_nodes(self) -> None:
        known: tuple[str, ...] = ()
        while not self._stopping.wait(NODES_EVERY_S):
            try:
                nodes = tuple(sorted(living_nodes()))
            except RayError:
                continue
            if nodes != known:
                known = nodes
                self._mailbox.put(m.NodesSeen(nodes=nodes))

    def _log_handle(self) -> Any | None:
        return self._runner.log_handle()

    @staticmethod
    def _depose() -> None:
        """A child follows a later incarnation: this one has been replaced, and must not act any more."""
        os._exit(0)


SupervisorProcess = as_actor(SupervisorActor, extra_groups={"poll": POLL_THREADS})
