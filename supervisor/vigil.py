"""A standby's watch over its leader: it hears everything the leader announces, and learns of its end at once.

On the leader's node the kernel tells of its death (0.3 to 2 ms after SIGKILL), elsewhere a call of ours at the leader
fails (11 ms). A leader that is silent is looked at, its process and its row in Ray's table, should both notices have
been lost; one that hangs is killed first, and succeeded when it is dead. Everything that a takeover needs is done
ahead: agents and children are met, so that their connections are open.

Who stands by holds the name of the next leader, so nobody else can be made while it lives. Therefore one that neither
watches nor leads ends, whatever the reason: an error that nobody expects, or a thread that stands still.
"""

from __future__ import annotations

import faulthandler
import logging
import pickle
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ray.exceptions import ActorDiedError, RayError

from actors.runtime.actor_table import actor_rows
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.death_watch import DeathWatch
from actors.runtime.errors import StaleIncarnationError
from actors.runtime.process import ProcessEvidence
from actors.runtime.replicated import Replica
from actors.runtime.replies import when_answered
from actors.runtime.vital_threads import steady_thread
from supervisor.election import actor_by_name, leader_name, living_nodes, root_lives
from supervisor.reach import Reach
from supervisor.succession import Standstill, Step, Watch, newest
from supervisor.tree import Location

if TYPE_CHECKING:
    from actors.runtime.ids import ActorName
    from actors.runtime.shell import Description
    from supervisor.messages import ClusterView

_TICK_S = 0.25
_GUARD_S = 1.0
_LOG = logging.getLogger("supervisor")

_Decision = Callable[[], Step]


class Vigil:
    """One standby's watch.

    Args:
        own: The standby's name.
        follows: The leader's incarnation.
        lead: Called once, on the vigil's thread, when the office is vacant.
        end: Called when this standby is not needed any more.
    """

    def __init__(self, own: ActorName, follows: int, *, lead: Callable[[], None], end: Callable[[], None]) -> None:
        self._own = own
        self._lead, self._end = lead, end
        self._clock = SYSTEM_CLOCK
        self._watch = Watch(own.incarnation, follows, self._clock.now())
        self._lock = threading.Lock()
        self._leader = leader_name(own.supervisor, follows)
        self._place: Location | None = None
        self._decisions: queue.SimpleQueue[_Decision] = queue.SimpleQueue()
        self._views: queue.SimpleQueue[ClusterView | None] = queue.SimpleQueue()
        """What the meeting thread is to meet; None: it is to look for the leader in Ray's table."""
        self._turns = 0
        self._done = threading.Event()
        self._reach = Reach()
        self._met: dict[str, Any] = {}
        self._deaths = DeathWatch(self._on_death)
        self.view: ClusterView | None = None
        self.ledger: Replica | None = None

    @property
    def follows(self) -> int:
        """The leader that this standby stands by for."""
        return self._watch.follows

    def announce(self, replica: Replica) -> None:
        """Tell the nodes' agents who leads now; they lay it on the boards before they notice the old leader's end."""
        for agent in self._reach.agents().values():
            agent.hear.remote(self._own.incarnation, replica)

    def start(self) -> None:
        """Begin to watch."""
        threading.Thread(target=self._run, name="supervisor-vigil", daemon=True).start()
        steady_thread(self._meet, name="supervisor-meet").start()
        steady_thread(self._guard, name="supervisor-vigil-guard").start()

    def hear(self, leader: int, view: Replica | None, ledger: Replica | None) -> None:
        """The leader speaks, and hands over what is new.

        Raises:
            StaleIncarnationError: It has been replaced.
        """
        seen: ClusterView | None = None if view is None else pickle.loads(view.payload)  # noqa: S301 - our own leader made it
        stopping = seen is not None and seen.stopping
        with self._lock:
            step = self._watch.heard(leader, self._clock.now(), stopping=stopping)
            if step == "refuse":
                raise StaleIncarnationError(str(self._own), sent_by=leader, accepted=self._own.incarnation)
            if seen is not None:
                self.view = seen
            self.ledger = newest((self.ledger, ledger))
        if seen is not None:
            self._views.put(seen)
        self._decisions.put(lambda: step)

    def tell_dead(self) -> None:
        """Somebody who cannot err says that the leader is dead."""
        self._decisions.put(partial(self._watch.told_gone, self.follows))

    # -- the thread that decides ------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._keep_watch()
        except Exception:  # noqa: BLE001 - whatever it is, nobody else would take over
            _LOG.exception("%s ends: it cannot stand by for %s", self._own, self._leader)
            self._end()
        self._done.set()

    def _keep_watch(self) -> None:
        self._find()
        while True:
            self._turns += 1
            try:
                decision = self._decisions.get(timeout=_TICK_S)
            except queue.Empty:
                decision = partial(self._watch.tick, self._clock.now())
            with self._lock:
                step = decision()
            if self._act(step):
                return

    def _act(self, step: Step) -> bool:
        """Do what was decided; whether the watch is over."""
        match step:
            case "look":
                self._views.put(None)
                if self._place is not None:
                    self._reach.look(self._place, self._on_evidence)
            case "fence" if self._place is not None:
                self._fence(self._place)
            case "lead":
                if self._place is not None:
                    self._fence(self._place)  # told by Ray alone, it may still run
                self._deaths.close()
                self._lead()
                return True
            case "end":
                self._end()
                return True
            case _:
                pass
        return False

    def _fence(self, where: Location) -> None:
        self._reach.kill(where, by=self._own.incarnation, name=str(self._leader))

    def _find(self) -> None:
        """Get hold of the leader; one that cannot be found any more is dead."""
        handle = actor_by_name(self._leader)
        if handle is None:
            self.tell_dead()
            return
        when_answered(handle.describe.remote(), partial(self._on_described, handle))
        self._watch_by_ray(handle)

    def _on_described(self, handle: Any, reply: Description | BaseException) -> None:
        if isinstance(reply, ActorDiedError):
            self.tell_dead()
        elif isinstance(reply, BaseException):
            timer = threading.Timer(_TICK_S, self._describe_again, (handle,))
            timer.daemon = True
            timer.start()
        else:
            self._place = Location(process=reply.process, node_id=reply.node_id, host=reply.host)
            if reply.node_id == self._reach.node_id:
                self._deaths.watch(str(self._leader), reply.process)

    def _describe_again(self, handle: Any) -> None:
        when_answered(handle.describe.remote(), partial(self._on_described, handle))

    def _watch_by_ray(self, handle: Any) -> None:
        when_answered(handle.watch.remote(str(self._own)), partial(self._on_watch_ended, handle))

    def _on_watch_ended(self, handle: Any, reply: object) -> None:
        if isinstance(reply, ActorDiedError):
            self.tell_dead()
        elif not self._watch.over:  # out of reach is not dead
            timer = threading.Timer(_TICK_S, self._watch_by_ray, (handle,))
            timer.daemon = True
            timer.start()

    def _on_death(self, _name: str) -> None:
        self.tell_dead()

    def _on_evidence(self, found: ProcessEvidence) -> None:
        self._decisions.put(lambda: self._watch.weigh(found, self._clock.now()))

    # -- the thread that guards it ----------------------------------------------------------------------------------

    def _guard(self) -> None:
        """End this process when the thread that decides stands still, and say where it does."""
        standstill = Standstill()
        while not self._done.wait(_GUARD_S):
            if standstill.after(self._turns):
                _LOG.error("%s ends: its watch over %s stands still", self._own, self._leader)
                faulthandler.dump_traceback(file=2, all_threads=True)
                self._end()
                return

    # -- the thread that meets --------------------------------------------------------------------------------------

    def _meet(self) -> None:
        """Open the connections that a takeover needs, and use once what it uses."""
        try:
            actor_rows()
            living_nodes()
        except RayError:
            pass  # it only takes longer then
        while not self._watch.over:
            view = self._views.get()
            try:
                if view is None:
                    self._look_up()
                else:
                    self._reach.know(view.agents)
                    self._meet_children(view)
            except (RayError, RuntimeError):
                continue  # Ray is out of reach

    def _look_up(self) -> None:
        """Both notices of a death can be lost; Ray's table has it all the same."""
        if any(life.incarnation == self.follows and not life.alive for life in root_lives(self._own.supervisor)):
            self.tell_dead()

    def _meet_children(self, view: ClusterView) -> None:
        running = {child.actor for child in view.children if child.status == "running"}
        for name in self._met.keys() - running:
            del self._met[name]
        for name in running - self._met.keys():
            handle = actor_by_name(name)
            if handle is not None:
                handle.describe.remote()
                self._met[name] = handle
