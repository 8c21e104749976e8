"""The base of every actor shell: who it is, that it lives, and how it is asked to stop.

Shells are threaded actors. The methods here run in concurrency groups of their own ("control", "watch"), so that they
answer while the actor's own methods are busy. Wrap a shell with `as_actor(cls)`.

A shell whose supervisor is gone for good ends itself, see `actors.runtime.orphan`.
"""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import ray
from ray.exceptions import RayError

from actors.runtime.actor_table import living_names
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import StaleIncarnationError
from actors.runtime.fault_control import FaultControl
from actors.runtime.ids import ROOT_KEY, ActorName
from actors.runtime.orphan import Orphanhood
from actors.runtime.process import ProcessIdentity, this_process
from actors.runtime.raylet_watch import end_with_raylet
from actors.runtime.vital_threads import end_worker, steady_thread

if TYPE_CHECKING:
    from actors.runtime.orphan import Root
    from actors.runtime.ports import RootLookup

CONTROL_THREADS = 3
WATCH_THREADS = 2
"""Watching calls never return; those beyond this number wait in the queue, and fail at the death just the same."""

ORPHAN_TIMEOUT_S = 300.0
"""How long an actor goes on without a leader, until a leader's heartbeat says otherwise, seconds."""

ORPHAN_STOP_S = 30.0
"""How long an orphan may take to stop in order before it ends all the same, seconds."""


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


class NamedRoots:
    """Asks Ray's table of names."""

    def __init__(self, supervisor: str) -> None:
        self._supervisor = supervisor

    def root(self) -> Root:
        if not ray.is_initialized():
            return "unknown"
        try:
            held = any((name.supervisor, name.key) == (self._supervisor, ROOT_KEY) for name in living_names())
        except (RayError, RuntimeError):
            return "unknown"
        return "lives" if held else "gone"


class ActorShell(FaultControl):
    """Identity, heartbeat, death watch, orderly stop, and the way in for chaos experiments.

    Args:
        name: The full actor name, incarnation included.
        leader: The supervisor incarnation that created it.
    """

    has_leader: ClassVar[bool] = True
    """Whether it follows a leader, and ends itself when there is none any more."""

    def __init__(self, name: str, leader: int) -> None:
        parsed = ActorName.parse(name)
        if parsed is None:
            raise ValueError(f"{name!r} is not an actor name of the form supervisor/concern/child#incarnation")
        self.identity = parsed
        self._leader = leader
        self._watchers: dict[str, threading.Event] = {}
        self._ending: Exception | None = None
        self._shell_lock = threading.Lock()
        self._witness = threading.Thread(target=threading.Event().wait, name="supervisor-witness", daemon=True)
        self._witness.start()
        self._heard = threading.Event()
        self._patience_changed = threading.Event()
        self._orphanhood = Orphanhood(ORPHAN_TIMEOUT_S)
        end_with_raylet(self.exit_process)
        if self.has_leader:
            steady_thread(self._mind_the_leader, name="supervisor-orphan").start()

    @ray.method(concurrency_group="control")
    def describe(self, orphan_timeout_s: float | None = None) -> Description:
        """Where this incarnation lives. The first answer is slow (lazy imports): a start counts from the second.

        Args:
            orphan_timeout_s: As for `heartbeat`: whose supervisor dies before its first heartbeat is an orphan, too.
        """
        self._be_patient(orphan_timeout_s)
        return self.description()

    def description(self) -> Description:
        """What `describe` answers; shells add their own."""
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
    def heartbeat(self, leader: int, orphan_timeout_s: float | None = None) -> dict[str, Any]:
        """Answer a supervisor of incarnation `leader`; a newer one is remembered, an older one refused.

        Args:
            leader: The asking incarnation.
            orphan_timeout_s: How long to go on when no leader asks any more, seconds; None: as before.
        """
        self._obey(leader)
        self._be_patient(orphan_timeout_s)
        return self.vital_signs()

    def _be_patient(self, orphan_timeout_s: float | None) -> None:
        if orphan_timeout_s is not None and orphan_timeout_s != self._orphanhood.timeout_s:
            self._orphanhood.timeout_s = orphan_timeout_s
            self._patience_changed.set()

    @ray.method(concurrency_group="control")
    def stop(self, leader: int) -> None:
        """Finish what must be finished (see `on_stop`); the supervisor ends the process afterwards."""
        self._obey(leader)
        self.on_stop()

    @ray.method(concurrency_group="watch")
    def watch(self, watcher: str) -> None:
        """Never return while this actor lives: the call's failure is the death notice.

        A second call of the same `watcher` releases the first. No more of them are noted than threads wait: what is
        noted of a client that died goes with its thread.
        """
        release = threading.Event()
        with self._shell_lock:
            earlier = self._watchers.get(watcher)
            self._watchers[watcher] = release
            if self._ending is not None:
                release.set()
        if earlier is not None:
            earlier.set()
        release.wait()
        with self._shell_lock:
            if self._watchers.get(watcher) is release:
                del self._watchers[watcher]
        if self._ending is not None:
            raise self._ending

    def fail_watches(self, ending: Exception) -> None:
        """End what waits for this actor's death with what it is: Ray lets no process end while its calls run."""
        with self._shell_lock:
            self._ending = ending
            watchers = list(self._watchers.values())
        for release in watchers:
            release.set()

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
        self._heard.set()

    # -- without a leader -------------------------------------------------------------------------------------------

    def roots(self) -> RootLookup:
        """Whom to ask whether anybody leads."""
        return NamedRoots(self.identity.supervisor)

    def _mind_the_leader(self) -> None:
        roots, orphanhood = self.roots(), self._orphanhood
        while True:
            self._patience_changed.wait(orphanhood.look_s)
            self._patience_changed.clear()
            if self._heard.is_set():
                self._heard.clear()
                orphanhood.heard()
            elif orphanhood.look(roots.root(), SYSTEM_CLOCK.now()):
                break
        stopping = threading.Thread(target=self.on_stop, name="supervisor-stop", daemon=True)
        stopping.start()
        stopping.join(ORPHAN_STOP_S)
        self.exit_process()

    def exit_process(self) -> None:
        """End this process at once, in order; see `end_worker`."""
        end_worker(0)


def as_actor(cls: type[Any], *, extra_groups: dict[str, int] | None = None) -> Any:
    """The Ray actor class of a shell, with its control groups.

    Never called while a module is imported: it draws an id, and processes forked after that would all draw the same.
    """
    groups = {"control": CONTROL_THREADS, "watch": WATCH_THREADS, **(extra_groups or {})}
    wrap: Any = ray.remote(concurrency_groups=groups)  # pyright: ignore[reportCallIssue] - Ray's stubs lack this argument
    return wrap(cls)
