"""What makes a supervisor machine run: its mailbox, its thread, its hands, its desk, and its notifications.

The leader of a supervisor has one, and so has each subtree that is a supervisor actor of its own.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.vital_threads import vital_thread
from supervisor import messages as m
from supervisor.change_feed import ChangeFeed
from supervisor.changes import ChildChange
from supervisor.commands import ClusterRunner
from supervisor.desk import Desk
from supervisor.subtree_views import states_of
from supervisor.succession import BLIND_S
from supervisor.tree import SUBTREE

if TYPE_CHECKING:
    from actors.runtime.emitter import Emitter
    from actors.runtime.ids import ActorName
    from supervisor.charter import Charter
    from supervisor.subtrees import Subtrees
    from supervisor.supervision.machine import SupervisorMachine
    from supervisor.tree import ChildPlan, GroupPlan

_LOG = logging.getLogger("supervisor")

_AWAKE_S = BLIND_S / 2

_SETTLE_S = 2.0
"""The longest that an answer waits for the machine's thread, seconds; what it tells of has been done in any case."""

_IDLE = (m.AskHeartbeat, m.LookAtProcess, m.LookForRoom, m.RecordChild, m.RecordRestart)
"""Commands that say nothing of a change in the state that a successor needs."""

_CALLERS_FIRST_S = 0.03
"""How long after a promotion the tree is handed on, seconds: till then its callers have the processor. A successor that
did not hear of it finds who serves by asking, and who serves has claimed the states: nobody else who was promoted for
the same child keeps any."""


class Engine:
    """Runs one machine.

    Attributes:
        begun: Set once it knows what there is.
        finished: Set once everything has ended.

    Args:
        charter: What the supervisor is made of.
        identity: The name of the actor that it runs in.
        machine: The machine.
        publish: Announces the view; on the machine's thread.
        replicate: Hands the state to whoever would succeed; on the machine's thread.
        verify: Called when this process has not run for a while: it may have been replaced.
        depose: Called when a later incarnation is found.
        emitter: Where records go.
        subtrees: The groups that are supervisor actors of their own.
        rank: The incarnation of the supervisor's leader, in whose name node agents are asked.
    """

    def __init__(  # noqa: PLR0913 - each a port of its own
        self,
        charter: Charter,
        identity: ActorName,
        *,
        machine: SupervisorMachine,
        publish: Callable[[], None],
        replicate: Callable[[], None],
        verify: Callable[[], None],
        depose: Callable[[], None],
        emitter: Emitter,
        subtrees: Subtrees,
        rank: Callable[[], int],
    ) -> None:
        self.machine = machine
        self.feed = ChangeFeed(identity.incarnation)
        self.finished = threading.Event()
        self.begun = threading.Event()
        self._identity = identity
        self._subtrees = subtrees
        self._clock = SYSTEM_CLOCK
        self._publish, self._replicate, self._verify = publish, replicate, verify
        self._mailbox: queue.SimpleQueue[m.Event | threading.Event] = queue.SimpleQueue()
        self.desk = Desk(self.post)
        self.runner = ClusterRunner(
            charter,
            identity,
            plan_of=self.plan_of,
            groups_of=self.groups_of,
            post=self.post,
            publish=publish,
            answer=self.desk.answer,
            finish=self.finished.set,
            verify=verify,
            depose=depose,
            emitter=emitter,
            subtrees=subtrees,
            rank=rank,
        )
        self._awake_at = self._clock.now()
        self._owed_at: float | None = None

    def begin(self, event: m.LeaderStarted) -> None:
        """Start to decide; the first event is this one."""
        self._awake_at = self._clock.now()
        vital_thread(self._run, event, name="supervisor-machine").start()

    def post(self, event: m.Event) -> None:
        """Tell the machine; any thread."""
        self._mailbox.put(event)

    def stir(self) -> None:
        """Announce the view and hand the state over again: something beside the tree has changed. Any thread."""
        self._mailbox.put(threading.Event())

    def settle(self) -> None:
        """As `stir`, and return once it is done: who is answered then may rely on it. Any thread but the machine's."""
        done = threading.Event()
        self._mailbox.put(done)
        done.wait(_SETTLE_S)

    def plan_of(self, key: str) -> ChildPlan | None:
        """What a child is to be; any thread."""
        return self.machine.plan_of(key)

    def groups_of(self, key: str) -> tuple[GroupPlan, ...]:
        """The groups that a child is in, the outermost first; any thread."""
        return self.machine.groups_of(key)

    def end(self) -> None:
        """End every child in reverse order; returns when all have ended."""
        self.post(m.ShutdownRequested())
        self.finished.wait()
        self.runner.wait()
        self.feed.close()

    # -- the machine's thread ---------------------------------------------------------------------------------------

    def _run(self, first: m.LeaderStarted) -> None:
        if not self.begun.is_set():  # begun anew after an error, it goes on
            self._begin(first)
        while not self.finished.is_set():
            event = self._next_event()
            if self._clock.now() - self._awake_at > BLIND_S:
                self._verify()
            self._awake_at = self._clock.now()
            if isinstance(event, threading.Event):
                self._hand_on()
                self._publish()
                event.set()
                continue
            self._carry_out(event)
            if self._owed_at is not None and self._clock.now() >= self._owed_at:
                self._hand_on()

    def _begin(self, event: m.LeaderStarted) -> None:
        self._carry_out(event)
        self._hand_on()  # also of a tree in which there is nothing to do yet
        self._begin_feed()
        self.begun.set()

    def _carry_out(self, event: m.Event) -> None:
        commands = self.machine.handle(event, self._clock.now())
        if not all(isinstance(command, _IDLE) for command in commands):
            promotes = any(isinstance(command, m.PromoteChild) for command in commands)
            if promotes and not any(isinstance(command, m.Answer) for command in commands):
                self._owed_at = self._owed_at or self._clock.now() + _CALLERS_FIRST_S
            else:
                self._hand_on()
        for command in commands:
            try:
                self.runner.run(command)
            except Exception:  # noqa: BLE001 - what one child's command meets must not be the end of all others
                _LOG.exception("%s: %s could not be carried out", self._identity, type(command).__name__)
            if isinstance(command, m.RecordChild):
                self._notify(command)
            elif isinstance(command, m.Escalate):
                self._notify_of_group(command)
        for left in self._subtrees.keep_only(lambda path: self.machine.plan_of(f"{SUBTREE}{path}") is not None):
            self.machine.remember_numbers(left)

    def _hand_on(self) -> None:
        """Whoever would succeed is told the present state."""
        self._owed_at = None
        self._replicate()

    def _next_event(self) -> m.Event | threading.Event:
        """The next one; at least twice a second, so that a gap means that this process did not run."""
        due = min((at for at in (self.machine.next_timer(), self._owed_at) if at is not None), default=None)
        wait_s = _AWAKE_S if due is None else min(_AWAKE_S, max(0.0, due - self._clock.now()))
        try:
            return self._mailbox.get(timeout=wait_s)
        except queue.Empty:
            return m.TimePassed()

    # -- notifications ----------------------------------------------------------------------------------------------

    def _begin_feed(self) -> None:
        at = self._clock.wall_us()
        self.feed.begin([*states_of(self.machine.view(), at), *self._subtrees.told()])

    def _notify(self, command: m.RecordChild) -> None:
        supervisor = self._identity.supervisor
        self.feed.append(
            ChildChange(
                key=command.key,
                name=f"{supervisor}/{command.key}#{command.incarnation}",
                incarnation=command.incarnation,
                event=command.event,
                status=self.machine.status_of(command.key) or "deleted",
                role=command.role,
                exit_class=command.exit_class,
                detail=command.detail,
                at=self._clock.wall_us(),
            )
        )

    def _notify_of_group(self, command: m.Escalate) -> None:
        self.feed.append(
            ChildChange(
                key=command.group,
                name=f"{self._identity.supervisor}/{command.group}",
                incarnation=0,
                event="escalated",
                status="given_up",
                role="service",
                detail=command.reason,
                at=self._clock.wall_us(),
            )
        )
