"""Following the leader: its view, its death, and its successor.

Whoever follows notices a leader's death within milliseconds, because a call of its own at the leader fails. It then
turns to the standby, which it has met already; where there is none, it makes sure that a successor exists. With a board
on its node a follower reads the view there and only watches; without one it asks the leader itself.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import ray
from ray.exceptions import ActorDiedError, GetTimeoutError, RayError

from actors.health.detector import judge
from actors.runtime import process
from actors.runtime.board import BoardReader
from actors.runtime.board_pages import join
from actors.runtime.board_value import BoardValue
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import StaleIncarnationError, SupervisorError
from actors.runtime.ids import ActorName
from actors.runtime.node import board_path, own_board_path
from actors.runtime.replicated import Replica, ReplicaFollower
from actors.runtime.replies import when_answered
from actors.runtime.vital_threads import steady_thread
from supervisor.election import actor_by_name, elect, find_leader, place_here

if TYPE_CHECKING:
    from supervisor.charter import Charter
    from supervisor.messages import ClusterView

T = TypeVar("T")

VIEW = "view"
"""The name under which the leader's view lies on the board."""

OBSERVE_S = 1.0
SILENCE_S = 3.0
"""How long after its time an answer of the leader may be late, seconds."""

WATCH_S = 0.5
LEASE_S = 3.0
_CONSTRUCTED_S = 30.0
_PAUSE_S = 0.05
_LOOK_S, _LOOK_MAX_S = 0.004, 0.1
"""Between two looks at the boards while an answer is awaited, seconds: at first, and in the end."""


class LeaderLink:
    """One process's connection to whoever leads.

    Args:
        charter: What a successor is made of.
        incarnation: The leader that is known to have been created.
        on_replica: Called with each newer replica of the view, on the link's thread or the refreshing one.
        use_board: Whether to read the view from the node's board.
    """

    def __init__(
        self, charter: Charter, incarnation: int, *, on_replica: Callable[[Replica], None], use_board: bool
    ) -> None:
        self._charter = charter
        self._incarnation = incarnation
        self._leader: Any = None
        self._on_replica = on_replica
        self._follower = ReplicaFollower(LEASE_S)
        self._lock = threading.Lock()
        self._boards: tuple[BoardValue, ...] = ()
        self._watch: tuple[Any, Any] | None = None
        self._place: process.ProcessIdentity | None = None
        self._standby: tuple[int, Any] | None = None
        self._announced_standby: str | None = None
        self._evidence: process.ProcessEvidence | None = None
        self._use_board = use_board
        self._watch_id = f"{ray.get_runtime_context().get_worker_id()}"
        self._stopped = threading.Event()
        self._acting = threading.RLock()
        self.ended = False
        if use_board:
            paths = (board_path(charter.name), own_board_path(charter.name, VIEW))
            self._boards = tuple(BoardValue(path, VIEW) for path in paths)
        self._thread = steady_thread(self._run, name="supervisor-link")

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Follow no more, elect nobody, hand nothing on; a call of its own that is on its way is not waited for."""
        self._stopped.set()
        if self._acting.acquire(timeout=LEASE_S):
            self._acting.release()

    def close(self) -> None:
        """Stop, and wait until no thread of this link is in a call of Ray's: Ray itself may end next."""
        self.stop()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout=2 * max(WATCH_S, OBSERVE_S))

    def leader(self) -> Any:
        """The handle of the leader known last, or None before the first one was found."""
        self.refresh()
        return self._leader

    def ask(self, leader: Any, ref: Any, timeout_s: float) -> Any:
        """What a leader answers. One that is replaced meanwhile is waited for no longer: Ray tells of a death late.

        Args:
            leader: The leader that was asked.
            ref: Its answer.
            timeout_s: How long to wait for it, seconds.

        Raises:
            RayError: It died or is out of reach.
            GetTimeoutError: Time is out.
            StaleIncarnationError: Another one leads by now.
        """
        until, look_s, asked = SYSTEM_CLOCK.now() + timeout_s, _LOOK_S, self._incarnation
        while True:
            left_s = max(0.0, until - SYSTEM_CLOCK.now())
            done, _ = ray.wait([ref], timeout=min(look_s, left_s))
            if done or not left_s:
                return ray.get(ref, timeout=0)
            if self.leader() is not leader:
                raise StaleIncarnationError(self._charter.name, sent_by=asked, accepted=self._incarnation)
            look_s = min(2 * look_s, _LOOK_MAX_S)

    def offer(self, replica: Replica) -> None:
        """Take a view that was asked for elsewhere, if it is newer than the last."""
        self._offer(replica)

    def refresh(self) -> None:
        """Read the boards, where there are any: 40 ns each when nothing is new."""
        for board in self._boards:
            replica = board.news()
            if replica is not None:
                self._offer(replica)

    # -- the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._turn()
            except (RayError, SupervisorError, ValueError, RuntimeError):
                self._stopped.wait(_PAUSE_S)

    def _turn(self) -> None:
        leader = self._leader
        try:
            self._step()
        except ActorDiedError:
            if self._lost(leader):
                self._on_leader_gone()
        except GetTimeoutError:
            self._on_silence()

    def _step(self) -> None:
        if self._leader is None or self._follower.known[0] > self._incarnation:
            self._find(max(self._incarnation, self._follower.known[0]))
        leader = self._leader
        if leader is None:
            return
        self._meet_standby()
        if self._open_boards():
            self._act(self.refresh)
            self._watch_leader(leader)
            return
        known = self._follower.known
        replica: Any = ray.get(leader.observe.remote(*known, OBSERVE_S), timeout=OBSERVE_S + SILENCE_S)
        self._evidence = None
        if replica is not None:
            self._act(partial(self._offer, replica))

    def _act(self, do: Callable[[], T]) -> T | None:
        """Do what may not begin once this link was stopped."""
        with self._acting:
            return None if self._stopped.is_set() else do()

    def _watch_leader(self, leader: Any) -> None:
        """Wait for half a second for the leader's death; a call that outlasts the wait goes on."""
        if self._watch is None or self._watch[0] is not leader:
            self._watch = (leader, leader.watch.remote(self._watch_id))
        watched = self._watch[1]
        done, _ = ray.wait([watched], timeout=WATCH_S)
        if done:
            self._watch = None
            ray.get(watched)

    def _meet_standby(self) -> None:
        """Get hold of the standby that the view announces, and open the connection, while there is time."""
        announced = self._announced_standby
        name = ActorName.parse(announced or "")
        if name is None:
            self._standby = None
        elif self._standby is None or self._standby[0] != name.incarnation:
            handle = actor_by_name(name)
            self._standby = None if handle is None else (name.incarnation, handle)
            if handle is not None:
                when_answered(handle.describe.remote(), lambda _: None)

    def _on_silence(self) -> None:
        """The leader does not answer: another one may have been elected, or this one's process may be hung.

        Out of reach is not dead. Only what the kernel of its own node says ends it; then its death elects a successor.
        """
        if self._stopped.is_set():
            return
        found = find_leader(self._charter.name)
        if found is not None and found[0] > self._incarnation:
            self._turn_to(*found)
            return
        if self._place is None:
            self._place = place_here(self._charter.name, self._incarnation)
        if self._place is None:
            return
        earlier, self._evidence = self._evidence, process.evidence(self._place, SYSTEM_CLOCK.now())
        if judge(earlier, self._evidence, apart_s=OBSERVE_S) == "hung":
            process.kill(self._place)

    def _turn_to(self, incarnation: int, leader: Any) -> None:
        with self._lock:
            if incarnation >= self._incarnation:
                self._incarnation, self._leader = incarnation, leader
                self._place = self._evidence = None

    def _lost(self, leader: Any) -> bool:
        """Its death was told; whether the office is vacant, as far as is known here."""
        with self._lock:
            if self._leader is not leader:
                return False
            self._leader = None
            return True

    def _find(self, incarnation: int) -> None:
        """Find who leads as `incarnation` or later, or make one. One that is being constructed is waited for."""
        standby = self._standby
        if standby is not None and standby[0] == incarnation > self._incarnation:
            self._turn_to(*standby)
            return
        found = find_leader(self._charter.name, after=incarnation - 1)
        if found is None:
            if self.ended:
                self._stopped.set()
                return
            found = self._act(partial(elect, self._charter, after=incarnation))
            if found is None:
                return
        self._turn_to(*found)
        if not self._use_board:
            ray.get(found[1].describe.remote(), timeout=_CONSTRUCTED_S)

    def _on_leader_gone(self) -> None:
        """The office is vacant: turn to the standby, else fill it, unless the supervisor was asked to end."""
        if self.ended or self._stopped.is_set():
            self._stopped.set()
            return
        standby, self._standby, self._announced_standby = self._standby, None, None
        if standby is not None and standby[0] > self._incarnation:
            self._turn_to(*standby)
            return
        try:
            found = self._act(partial(elect, self._charter, after=self._incarnation))
            self._incarnation = self._incarnation if found is None else found[0]
        except (RayError, ValueError, RuntimeError):
            self._stopped.wait(_PAUSE_S)  # another follower was faster, and what it made is not to be seen yet

    def _offer(self, replica: Replica) -> None:
        with self._lock:
            if not self._follower.offer(replica, SYSTEM_CLOCK.now()):
                return
        self._on_replica(replica)
        view: ClusterView = pickle.loads(replica.payload)  # noqa: S301 - our own leader made it
        self.ended, self._announced_standby = view.stopping, view.standby
        standby = self._standby
        if standby is not None and standby[0] == replica.incarnation > self._incarnation:
            self._turn_to(*standby)  # met already, and sooner than the old one's death is told

    def _open_boards(self) -> bool:
        """Whether the node's board can be read and its writer is alive; the leader's own only shows the same sooner."""
        there = [board.open() for board in self._boards]
        return bool(there) and there[0] and self._boards[0].is_alive(LEASE_S)


def view_on_board(supervisor: str) -> ClusterView | None:
    """The view that lies on this node's board, whoever wrote it last; None without one."""
    try:
        found = join(VIEW, BoardReader(board_path(supervisor)).read)
        return None if found is None else pickle.loads(found[1])  # noqa: S301 - our own leader made it
    except SupervisorError:
        return None


def follow(charter: Charter, incarnation: int, on_replica: Callable[[Replica], None]) -> LeaderLink:
    """Follow by asking the leader, for those who write the board themselves. Handed to lower rooms as a port."""
    link = LeaderLink(charter, incarnation, on_replica=on_replica, use_board=False)
    link.start()
    return link


def wait_until(condition: Callable[[], bool], timeout_s: float, *, every_s: float = 0.01) -> bool:
    """Wait for a condition that other threads bring about; False when time is out first."""
    until = SYSTEM_CLOCK.now() + timeout_s
    while not condition():
        if SYSTEM_CLOCK.now() >= until:
            return False
        sleep(every_s)
    return True
