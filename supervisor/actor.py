"""The supervisor's shell: its office, what it announces, and what others may ask of it. An `Engine` runs its machine.

One that is made to stand by runs no machine: it hears its leader, answers whoever follows already, and begins to lead
when the leader is gone (`supervisor.vigil`).
"""

from __future__ import annotations

import os
import pickle
import random
import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import ray
from ray.exceptions import RayError

from actors.event_log.transport import LogTransport
from actors.node_agent.actor import ledger_on_board
from actors.runtime.actor_table import actor_rows
from actors.runtime.board_value import OwnBoard
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.emitter import Emitter
from actors.runtime.errors import SupervisorError, SupervisorNotFoundError
from actors.runtime.fault_passing import pass_point
from actors.runtime.fault_points import ON, SUPERVISOR_CALL
from actors.runtime.node import own_board_path
from actors.runtime.prestart import WarmWorkers
from actors.runtime.process import this_process
from actors.runtime.replicated import OwnedState, Replica
from actors.runtime.shell import as_actor
from actors.runtime.warm import WarmSettings
from supervisor import messages as m
from supervisor.config import plan
from supervisor.creating import cluster_era
from supervisor.election import inventory, is_replaced, living_nodes, located, root_lives
from supervisor.estate import Estate
from supervisor.inheritance import complete, find_ledger
from supervisor.leading import GROUPS, SUBJECT, LeadingShell
from supervisor.ledger_log import LedgerLog
from supervisor.link import VIEW, view_on_board
from supervisor.node_watch import NodeWatch
from supervisor.recording import RECORDS_WAIT_S
from supervisor.standby import StandbyKeeper
from supervisor.starting import is_ready
from supervisor.succession import Role, may_lead, newest
from supervisor.supervision.machine import SupervisorMachine
from supervisor.tree import Location
from supervisor.version import package_version
from supervisor.vigil import Vigil

if TYPE_CHECKING:
    from supervisor.charter import Charter

TAKEOVER_S = 20.0
"""How long whoever asks a standby for what only a leader does waits for it to lead, seconds."""

_RETRY_S = 0.05
_REPLICATED_S = 2.0
"""How long an answer waits for its change to outlive the leader, seconds; the change is made in any case."""


class SupervisorActor(LeadingShell):
    """One incarnation of the supervisor. Its office is its name; a successor takes the next one.

    Args:
        name: Its name.
        leader: Its own incarnation.
        charter: What it is made of.
        succeeds: It is made after another one was lost.
        follows: It stands by for this incarnation; None: it leads at once.
    """

    has_leader: ClassVar[bool] = False

    def __init__(
        self, name: str, leader: int, charter: Charter, *, succeeds: bool = False, follows: int | None = None
    ) -> None:
        super().__init__(name, leader)
        self._clock = SYSTEM_CLOCK
        self._ledgers = OwnedState(leader)
        self.make_engine(
            charter,
            self._make_machine(Estate(charter=charter)),
            Emitter(LogTransport(self._log_handle, leader=leader), clock=self._clock, flush_s=RECORDS_WAIT_S),
            publish=self._publish,
            replicate=self._replicate,
            verify=self._make_sure,
            depose=self._depose,
            rank=lambda: leader,
        )
        self._board: OwnBoard | None = None
        """Opened with the first view: who only stands by must not take the leader's file over."""
        self._where = Location(
            process=this_process(), node_id=ray.get_runtime_context().get_node_id(), host=socket.gethostname()
        )
        self._keeper = StandbyKeeper(
            charter, self.identity, changed=self._engine.stir, depose=self._depose, verify=self._verify
        )
        self._nodes = NodeWatch(charter.name, self._engine.post, self._engine.finished)
        self._warm: WarmWorkers | None = None
        self._ledger_log = LedgerLog(charter.name, self._log_handle, era=cluster_era(), ended=self._engine.finished)
        self._early: list[m.Event] = []
        self._leads = threading.Event()
        self._shown = threading.Event()
        """Set with its first ledger, a moment after it leads: until then it knows nobody's plans."""
        self._vigil: Vigil | None = None
        if follows is None:
            actors = inventory(charter.name)
            ledger = find_ledger(charter.name, actors) if succeeds else None
            self._lead(actors, view_on_board(charter.name), living_nodes(), ledger, succeeds=succeeds)
        else:
            self._vigil = Vigil(self.identity, follows, lead=self._take_over, end=self._depose)
            self._vigil.start()

    def _make_machine(self, estate: Estate) -> SupervisorMachine:
        """A machine for this incarnation, with what a predecessor left."""
        self._charter = estate.charter
        groups, children = plan(self._charter.config)
        return SupervisorMachine(
            supervisor=self._charter.name,
            incarnation=self.identity.incarnation,
            groups=groups,
            children=children,
            rng=random.Random(),  # noqa: S311 - jitter, not secrets
            ledger=estate.tree,
            now=self._clock.now(),
        )

    # -- what others ask --------------------------------------------------------------------------------------------

    @ray.method(concurrency_group="control")
    def version(self) -> str:
        """This package's version here; asked before anything that is pickled by it."""
        return package_version()

    @ray.method(concurrency_group="control")
    def office(self) -> tuple[Role, int]:
        """Whether this incarnation leads, and the number of its standby or else of its leader; 0: none."""
        if self._leads.is_set() or self._vigil is None:
            return "leader", self._keeper.number
        return "standby", self._vigil.follows

    @ray.method(concurrency_group="control")
    def charter(self) -> Charter:
        """What this supervisor is made of."""
        return self._charter

    @ray.method(concurrency_group="desk")
    def plans(self, members: tuple[str, ...] | None = None) -> bytes:
        """The pickled plans of members by key or path, of all that users have made when none are named."""
        if ON:
            pass_point(SUPERVISOR_CALL, SUBJECT)
        if not self._shown.wait(TAKEOVER_S):
            raise SupervisorError(f"{self.identity} does not know its tree yet")
        known = self._ledgers.current
        assert known is not None, "it was shown"
        estate: Estate = pickle.loads(known.payload)  # noqa: S301 - made here; the machine's own is its thread's
        return pickle.dumps(estate.plans(members))

    @ray.method(concurrency_group="control")
    def attend(self, leader: int, view: Replica | None, ledger: Replica | None) -> None:
        """The leader speaks to its standby, and hands over what is new.

        Raises:
            StaleIncarnationError: It has been replaced.
        """
        if self._vigil is None:
            self._obey(leader)
            return
        self._vigil.hear(leader, view, ledger)
        if view is not None:
            self._views.inherit(view)

    def note(self, event: m.Event) -> None:
        """Tell the machine; a standby tells it when it leads."""
        with self._shell_lock:
            if not self._leads.is_set():
                self._early.append(event)
                return
        self._engine.post(event)

    def wait_for_office(self, timeout_s: float) -> bool:
        return self._leads.wait(timeout_s)

    def wait_until_kept(self) -> None:
        known = self._ledgers.current
        if known is not None:
            self._keeper.await_replicated(known.version, _REPLICATED_S)

    def shutdown(self) -> None:
        """End the standby and every child in reverse order; returns when all have ended.

        Raises:
            SupervisorNotFoundError: This incarnation stands by, and its leader lives.
        """
        if not self._leads.wait(TAKEOVER_S):
            raise SupervisorNotFoundError(
                self._charter.name, reason=f"{self.identity} only stands by", remedy="Ask its leader"
            )
        if self._warm is not None:
            self._warm.stop()
        self._keeper.end()
        self._engine.end()
        if self._board is not None:
            self._board.close()

    # -- coming into office -----------------------------------------------------------------------------------------

    def _take_over(self) -> None:
        """The leader is dead: on the vigil's thread."""
        assert self._vigil is not None, "only a standby takes over"
        view = self._vigil.view or view_on_board(self._charter.name)
        if view is not None:
            self._proclaim(view, self._vigil)
        while True:
            try:
                rows, nodes = actor_rows(), living_nodes()
                break
            except (RayError, RuntimeError):
                sleep(_RETRY_S)
        if not may_lead(self.identity.incarnation, self._vigil.follows, root_lives(self._charter.name, rows)):
            self._depose()
        actors = inventory(self._charter.name, rows)
        ledger = newest((self._vigil.ledger, ledger_on_board(self._charter.name))) or find_ledger(
            self._charter.name, actors
        )
        self._lead(actors, view, nodes, ledger, succeeds=True)

    def _proclaim(self, view: m.ClusterView, vigil: Vigil) -> None:
        """Who follows hears of the new leader at once, with the tree as the old one left it; adopting takes longer.

        Should a later life lead already, nobody who knows of it listens.
        """
        own = replace(
            view,
            leader=str(self.identity),
            incarnation=self.identity.incarnation,
            leader_location=self._where,
            standby=None,
            standby_location=None,
        )
        vigil.announce(self._show(own))

    def _lead(
        self,
        actors: tuple[m.KnownActor, ...],
        view: m.ClusterView | None,
        nodes: tuple[str, ...],
        ledger: Replica | None,
        *,
        succeeds: bool,
    ) -> None:
        actors = self._engine.runner.with_members(located(actors, view))
        if succeeds:
            left: Estate = Estate(charter=self._charter) if ledger is None else pickle.loads(ledger.payload)  # noqa: S301 - our own leader made it
            estate = complete(left, self._charter.name, actors)
            self._engine.machine = self._make_machine(estate)
            self._subtrees.inherit(estate.subtrees, view)
        self._engine.begin(m.LeaderStarted(actors=actors, nodes=nodes, succeeds=succeeds))
        with self._shell_lock:
            self._leads.set()
            for event in self._early:
                self._engine.post(event)
        self._nodes.start()
        self._keeper.start()
        self._ledger_log.start()

    # -- what it announces: on the machine's thread -----------------------------------------------------------------

    def _publish(self) -> None:
        ready = self._keeper.ready
        view = replace(
            self.whole_view(),
            leader_location=self._where,
            standby=ready[0] if ready else None,
            standby_location=ready[1] if ready else None,
        )
        self._keeper.offer_view(self._show(view), view)
        # Not before: it would take the processor from what all wait for, and the standby would use it up unseen.
        if self._warm is None and is_ready(view) and (ready or not self._charter.config.standby):
            self._keep_warm()

    def _show(self, view: m.ClusterView) -> Replica:
        """To all who follow; on this node without a call in between."""
        replica = self._views.publish(pickle.dumps(view))
        if self._board is None:
            self._board = OwnBoard(own_board_path(self.identity.supervisor, VIEW))
        self._board.lay(VIEW, replica)
        return replica

    def _replicate(self) -> None:
        """Hand the present state to the standby and the agents."""
        known = self._ledgers.current
        estate = Estate(charter=self._charter, tree=self._engine.machine.ledger(), subtrees=self._subtrees.ledgers())
        ledger = self._ledgers.publish(pickle.dumps(estate))
        self._shown.set()
        if ledger is not known:
            self._keeper.offer_ledger(ledger)
            self._ledger_log.offer(ledger)

    def _keep_warm(self) -> None:
        settings = WarmSettings(per_node=self._charter.config.warm_processes)
        warm = self._warm = WarmWorkers(
            settings,
            tell=self._tell_of_warm,
            inherits=self.identity.incarnation > 1,
            avoid=lambda: self._nodes.draining,
        )
        if settings.per_node:
            self._engine.runner.on_started = lambda node, was_warm: warm.used(node, warm=was_warm)
            warm.start()

    def _tell_of_warm(self, reason: str) -> None:
        told = m.RecordChild(
            key=self.identity.key,
            incarnation=self.identity.incarnation,
            event="prestart_unavailable",
            role="leader",
            location=self._where,
            detail=reason,
        )
        self._engine.runner.run(told)

    def _log_handle(self) -> Any | None:
        return self._engine.runner.log_handle()

    # -- being replaced ---------------------------------------------------------------------------------------------

    def _make_sure(self) -> None:
        """This process was stopped: it must not act before it knows that no later one leads by now."""
        while not self._engine.finished.is_set() and self._verify() is None:
            sleep(_RETRY_S)

    def _verify(self) -> bool | None:
        """End if a later incarnation leads; None when that cannot be known now."""
        replaced = is_replaced(self._charter.name, self.identity.incarnation)
        if replaced:
            self._depose()
        return replaced

    @staticmethod
    def _depose() -> None:
        """There is a later leader, or nobody to stand by for: this one must not act any more."""
        os._exit(0)


def supervisor_actor() -> Any:
    """The Ray actor class of `SupervisorActor`, with its concurrency groups."""
    return as_actor(SupervisorActor, extra_groups=GROUPS)
