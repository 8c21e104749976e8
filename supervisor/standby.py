"""A leader's care for its standby and for the copies of its ledger.

It makes the standby once its tree runs, on another node where there is one, hands it every view and every version of
the ledger, speaks to it each second, and makes the next one when it is gone. The ledger goes to all node agents, too:
if leader and standby are lost together, whoever leads next finds it there.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import ActorDiedError, RayError

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import StaleIncarnationError
from actors.runtime.replies import when_answered
from actors.runtime.vital_threads import steady_thread
from supervisor.election import create, leader_name, living_nodes, root_lives
from supervisor.reach import Reach
from supervisor.spread import Spread, Versions
from supervisor.succession import StandbyPlan, may_make, standby_node
from supervisor.tree import Location

if TYPE_CHECKING:
    from actors.runtime.ids import ActorName
    from actors.runtime.process import ProcessEvidence
    from actors.runtime.replicated import Replica
    from actors.runtime.shell import Description
    from supervisor.charter import Charter
    from supervisor.messages import ClusterView

BEAT_S = 1.0

VIEW_AFTER_S = 0.03
"""How long after it is announced the standby is told a view, seconds; a successor also looks at the board."""

_END_S = 5.0
_ON_THE_WAY = ("waiting", "starting", "restarting")


class StandbyKeeper:
    """One leader's standby and copies.

    Args:
        charter: What the standby is made of.
        leader: The leader's name.
        changed: Called when the ready standby is another one, or none any more.
        depose: Called when a later incarnation turns out to lead.
        verify: Called when somebody else holds a later name: finds out whether he leads.
    """

    def __init__(
        self,
        charter: Charter,
        leader: ActorName,
        *,
        changed: Callable[[], None],
        depose: Callable[[], None],
        verify: Callable[[], object],
    ) -> None:
        self._charter = charter
        self._leader = leader
        self._changed, self._depose, self._verify = changed, depose, verify
        self._clock = SYSTEM_CLOCK
        self._rng = random.Random()  # noqa: S311 - placement and jitter, not secrets
        self._plan = StandbyPlan(self._rng, self._clock.now())
        self._reach = Reach()
        self._spread = Spread()
        self._news = threading.Condition(threading.RLock())
        self._ledger: Replica | None = None
        self._view: Replica | None = None
        self._standby: tuple[ActorName, Any] | None = None
        self._place: Location | None = None
        self._node_id = ""
        self._unfit: set[str] = set()
        self._ready = False
        self._stirred = self._ended = False
        self._agent_names: dict[str, str] = {}
        self._thread = steady_thread(self._run, name="supervisor-standby")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Make no standby any more, and end the one there is; returns when it is dead, within 5 s."""
        with self._news:
            self._ended = True
            held, place = self._standby, self._place
            self._news.notify_all()
        if held is None:
            return
        name, handle = held
        watched = handle.watch.remote(f"{self._leader}/end")
        if place is not None:
            self._reach.kill(place, by=self._leader.incarnation, name=str(name))
        ray.kill(handle, no_restart=True)
        ray.wait([watched], timeout=_END_S)

    @property
    def number(self) -> int:
        """The incarnation of the standby that was made, ready or not; 0: none."""
        held = self._standby
        return 0 if held is None else held[0].incarnation

    @property
    def ready(self) -> tuple[str, Location] | None:
        """The standby that can take over now, and where it is."""
        with self._news:
            if self._standby is None or self._place is None or not self._ready:
                return None
            return str(self._standby[0]), self._place

    # -- what the leader hands over ---------------------------------------------------------------------------------

    def offer_ledger(self, ledger: Replica) -> None:
        """This is the state from now on."""
        with self._news:
            self._ledger = ledger
        self._send()

    def offer_view(self, replica: Replica, view: ClusterView) -> None:
        """This is announced from now on."""
        with self._news:
            self._view = replica
            self._agent_names = view.agents
            self._stirred = True
            if view.event_log is not None and not any(child.status in _ON_THE_WAY for child in view.children):
                self._plan.settled(self._clock.now())
            self._news.notify_all()

    def await_replicated(self, version: int, timeout_s: float) -> bool:
        """Wait until that version of the ledger outlives this process; False when time is out first.

        It does once the standby holds it; while there is no standby, once a node agent does.
        """
        with self._news:
            return self._news.wait_for(lambda: self._spread.is_safe(version, self._receiving()), timeout_s)

    def _receiving(self) -> str | None:
        return str(self._standby[0]) if self._standby is not None and self._ready else None

    # -- the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._stirred or self._ended, BEAT_S)
                if self._stirred:  # what it is to hear can wait for those who wait for what has changed
                    self._news.wait_for(lambda: self._ended, VIEW_AFTER_S)
                self._stirred = False
                if self._ended:
                    return
                agents = dict(self._agent_names)
            try:
                self._reach.know(agents)
                self._see_to_standby()
                self._send(beat=True)
            except (RayError, RuntimeError):
                continue  # Ray is out of reach: at the next beat

    def _see_to_standby(self) -> None:
        now = self._clock.now()
        with self._news:
            due = self._charter.config.standby and self._plan.take(now)
            silent = self._standby is not None and self._plan.is_silent(now)
            place = self._place
            late = not self._ready and self._plan.is_late(now, self._charter.config.start_timeout_s)
            held = self._standby
        if due:
            self._make()
        elif late and held is not None:
            ray.kill(held[1], no_restart=True)
            self._lose(held[0])
        elif silent and place is not None:
            self._reach.look(place, self._on_evidence)

    def _make(self) -> None:
        own = self._leader.incarnation
        try:
            lives, nodes = root_lives(self._charter.name), living_nodes()
        except (RayError, RuntimeError):
            with self._news:
                self._plan.lost(self._clock.now())  # Ray is out of reach: it is due again in a moment
            return
        if not may_make(own, lives):
            self._make_later()
            return
        name = leader_name(self._charter.name, max([own, *(life.incarnation for life in lives)]) + 1)
        node = standby_node(nodes, self._reach.node_id, self._unfit, self._rng)
        try:
            # Softly asked for, Ray puts it beside the leader now and then.
            handle = create(self._charter, name, node_id=node, soft=False, follows=own)
        except (ValueError, RayError):
            self._make_later()
            return
        with self._news:
            ended = self._ended
            if not ended:
                self._standby, self._place, self._ready, self._node_id = (name, handle), None, False, node
        if ended:
            ray.kill(handle, no_restart=True)  # under no lock: Ray waits for the thread that brings its answers
            return
        when_answered(handle.describe.remote(), partial(self._on_described, name))
        self._watch(name, handle)

    def _make_later(self) -> None:
        """Somebody holds a later name: the last standby, that is just ending, or a leader that was made meanwhile."""
        with self._news:
            self._plan.lost(self._clock.now())
        self._verify()

    def _watch(self, name: ActorName, handle: Any) -> None:
        when_answered(handle.watch.remote(str(self._leader)), partial(self._on_watch_ended, name, handle))

    def _on_described(self, name: ActorName, reply: Description | BaseException) -> None:
        with self._news:
            if self._standby is None or self._standby[0] != name or isinstance(reply, BaseException):
                return
            self._place = Location(process=reply.process, node_id=reply.node_id, host=reply.host)
            self._plan.answered(self._clock.now())
        self._send(beat=True)

    def _on_watch_ended(self, name: ActorName, handle: Any, reply: object) -> None:
        if isinstance(reply, ActorDiedError):
            self._lose(name)
        elif not self._ended:  # out of reach is not dead
            timer = threading.Timer(BEAT_S, self._watch, (name, handle))
            timer.daemon = True
            timer.start()

    def _lose(self, name: ActorName) -> None:
        with self._news:
            if self._standby is None or self._standby[0] != name:
                return
            self._standby = self._place = None
            was_ready, self._ready = self._ready, False
            if not was_ready:
                self._unfit.add(self._node_id)
            self._plan.lost(self._clock.now())
            self._stirred = True
            self._news.notify_all()
        if was_ready:
            self._changed()

    def _on_evidence(self, found: ProcessEvidence) -> None:
        with self._news:
            held, place = self._standby, self._place
            hung = held is not None and self._plan.is_hung(found)
        if hung and held is not None and place is not None:
            self._reach.kill(place, by=self._leader.incarnation, name=str(held[0]))

    # -- sending ----------------------------------------------------------------------------------------------------

    def _send(self, *, beat: bool = False) -> None:
        """Hand what is new to whom it is new to; at a beat, speak to the standby in any case."""
        agents = self._reach.agents()
        with self._news:
            ledger, view = self._ledger, self._view
            latest = (0 if ledger is None else ledger.version, 0 if view is None else view.version)
            newest: dict[str, Versions] = {name: (latest[0], 0) for name in agents}
            held = self._standby if self._place is not None else None
            if held is not None:
                newest[str(held[0])] = latest
            self._spread.keep_only(newest)
            due = self._spread.to_send(newest)
            if beat and held is not None:
                due += self._spread.speak_to(str(held[0]))
        for name, with_ledger, with_view in due:
            sent = (latest[0] if with_ledger else 0, latest[1] if with_view else 0)
            if held is not None and name == str(held[0]):
                ref = held[1].attend.remote(
                    self._leader.incarnation, view if with_view else None, ledger if with_ledger else None
                )
            else:
                ref = agents[name].keep_ledger.remote(self._leader.incarnation, ledger)
            when_answered(ref, partial(self._on_answer, name, sent))

    def _on_answer(self, name: str, sent: Versions, reply: object) -> None:
        if isinstance(reply, StaleIncarnationError):
            self._depose()
        failed = isinstance(reply, BaseException)
        with self._news:
            self._spread.answered(name, None if failed else sent)
            is_standby = self._standby is not None and str(self._standby[0]) == name
            became_ready = is_standby and not failed and not self._ready
            if is_standby and not failed:
                self._plan.answered(self._clock.now())
                self._ready = True
                self._unfit.clear()
            self._news.notify_all()
        if became_ready:
            self._changed()
        if not failed:
            self._send()
