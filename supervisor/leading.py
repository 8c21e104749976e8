"""What every supervisor actor answers, the leader and the subtrees that are actors of their own."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import ray

from actors.runtime.fault_passing import pass_point, through
from actors.runtime.fault_points import ON, SUPERVISOR_CALL
from actors.runtime.ids import ActorName
from actors.runtime.long_poll import LongPoll
from actors.runtime.replicated import OwnedState, Replica
from actors.runtime.shell import ActorShell
from supervisor import messages as m
from supervisor.change_feed import CHANGES_THREADS
from supervisor.engine import Engine
from supervisor.subtrees import Subtrees

if TYPE_CHECKING:
    from actors.runtime.emitter import Emitter
    from supervisor.changes import ChangeBatch
    from supervisor.charter import Charter
    from supervisor.messages import ClusterView
    from supervisor.supervision.machine import SupervisorMachine
    from supervisor.tree import ExitClass

POLL_THREADS = 32
DESK_THREADS = 32

GROUPS = {"poll": POLL_THREADS, "desk": DESK_THREADS, "changes": CHANGES_THREADS}
"""The concurrency groups of a supervisor actor beside those of every shell."""


SUBJECT = "supervisor"
"""Whose calls these are at the fault point `supervisor.call`."""


class LeadingShell(ActorShell):
    """Runs an engine, and answers whoever follows it or asks for changes."""

    _charter: Charter
    _engine: Engine
    _subtrees: Subtrees
    _views: LongPoll

    def make_engine(  # noqa: PLR0913 - each a port of its own
        self,
        charter: Charter,
        machine: SupervisorMachine,
        emitter: Emitter,
        *,
        publish: Callable[[], None],
        replicate: Callable[[], None],
        verify: Callable[[], None],
        depose: Callable[[], None],
        rank: Callable[[], int],
    ) -> None:
        """Prepare to lead; `Engine` says what the arguments are."""
        self._charter = charter
        self._views = LongPoll(OwnedState(self.identity.incarnation), waiters_max=POLL_THREADS)
        self._subtrees = Subtrees(self.identity.supervisor)
        self._engine = self._subtrees.engine = Engine(
            charter,
            self.identity,
            machine=machine,
            publish=publish,
            replicate=replicate,
            verify=verify,
            depose=depose,
            emitter=emitter,
            subtrees=self._subtrees,
            rank=rank,
        )

    @ray.method(concurrency_group="poll")
    def observe(self, known_incarnation: int, known_version: int, timeout_s: float) -> Replica | None:
        """Wait for a view newer than the known one; None when time is out. A standby has its leader's views."""
        if ON:
            pass_point(SUPERVISOR_CALL, SUBJECT)
        return self._views.observe(known_incarnation, known_version, timeout_s)

    @ray.method(concurrency_group="changes")
    def changes(self, known_incarnation: int, known_seq: int, timeout_s: float) -> ChangeBatch | None:
        """Wait for changes of children's states after the known one; see `ChangeFeed.changes`."""
        if ON:
            pass_point(SUPERVISOR_CALL, SUBJECT)
        return self._engine.feed.changes(known_incarnation, known_seq, timeout_s)

    @ray.method(concurrency_group="desk")
    def administer(self, request: str, wish: bytes, timeout_s: float) -> bytes | None:
        """Make a change of the tree, and answer once it is made and outlives this process.

        Args:
            request: Identifies the asking: asked again, here or of a successor, the change is made once.
            wish: The pickled request, see `supervisor.requests`.
            timeout_s: How long to wait, seconds.
        Returns: The pickled answer; None when there is none yet: ask again.
        """
        if ON:
            return through(SUPERVISOR_CALL, SUBJECT, partial(self._administer, request, wish, timeout_s))
        return self._administer(request, wish, timeout_s)

    def _administer(self, request: str, wish: bytes, timeout_s: float) -> bytes | None:
        if not self.wait_for_office(timeout_s):
            return None
        asked = pickle.loads(wish)  # noqa: S301 - our own handle made it
        subtree = self._subtrees.of_request(asked)
        if subtree is not None:
            answer = self._subtrees.administer(subtree, request, wish, timeout_s)
        else:
            told = self._engine.desk.ask(request, asked, timeout_s)
            answer = None if told is None else pickle.dumps(told)
        if answer is not None:
            self.wait_until_kept()
        return answer

    @ray.method(concurrency_group="control")
    def announce_exit(self, actor: str, exit_class: ExitClass) -> bool:
        """Somebody entitled to it is about to end a child; see `ExitAnnounced`.

        Returns: Whether it was taken in; False: say it again, in a moment it will be known whose child that is.
        """
        name = ActorName.parse(actor)
        if name is None:
            return True
        subtree = self._subtrees.of_member(name.key)
        if subtree is not None:
            return self._subtrees.announce_exit(subtree, actor, exit_class)
        self.note(m.ExitAnnounced(key=name.key, incarnation=name.incarnation, exit_class=exit_class))
        return self._engine.begun.is_set()

    @ray.method(concurrency_group="control")
    def report_sick(self, actor: str, detail: str) -> bool:
        """The health monitor has verified that a child is sick: it is replaced, as one is that says so itself.

        Args:
            actor: The full name of the incarnation that was checked; a later one is left alone.
            detail: What its checks said.
        Returns: Whether it was taken in; False: say it again.
        """
        name = ActorName.parse(actor)
        if name is None:
            return True
        subtree = self._subtrees.of_member(name.key)
        if subtree is not None:
            return self._subtrees.report_sick(subtree, actor, detail)
        self.note(m.ChildUnhealthy(key=name.key, incarnation=name.incarnation, detail=detail))
        return self._engine.begun.is_set()

    @ray.method(concurrency_group="control")
    def accepts(self, actor: str) -> bool | None:
        """Whether a life is one of this tree's, and not over or replaced; None: that cannot be known now."""
        name = ActorName.parse(actor)
        if name is None or not self._engine.begun.is_set():
            return None
        subtree = self._subtrees.of_member(name.key)
        if subtree is not None:
            return self._subtrees.accepts(subtree, actor)
        return self._engine.machine.has_life(name.key, name.incarnation)

    def note(self, event: m.Event) -> None:
        """Tell the machine."""
        self._engine.post(event)

    def wait_for_office(self, timeout_s: float) -> bool:
        """Wait until this actor leads; False when time is out first."""
        del timeout_s
        return True

    def wait_until_kept(self) -> None:
        """Wait until the present state outlives this process, for a moment at most."""

    def whole_view(self) -> ClusterView:
        """What the machine announces, with what is below its subtrees."""
        return self._subtrees.complete(self._engine.machine.view())
