"""The base of a service's actor: it owns some state, publishes it, answers requests, and takes over from its last life.

    constructed --begin--> gathering --copies of its state, or none--> taking over --> answering

    desk:  requests; they wait until it answers. Changes are made one at a time, and each once, over all lives
    news:  processes without a board wait here for what changes

What it publishes lies on every node's board. What it keeps for its next life lies there too, with the requests that it
has carried out; so what was acknowledged and its request are known to the next life, or neither is.

A service derives from this, fills `changes` and `questions`, and calls `begin` at the end of its constructor. It guards
its state by a lock of its own: `lay` and `keep` are called under that, `post` is not, for that calls Ray.
"""

from __future__ import annotations

import logging
import pickle
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import ray

from actors.event_log.asking import ask_writer
from actors.event_log.transport import LogTransport
from actors.runtime.clock import SYSTEM_CLOCK, Clock
from actors.runtime.emitter import Emitter
from actors.runtime.fault_passing import through
from actors.runtime.fault_points import ON, SERVICE_CALL
from actors.runtime.long_poll import LongPoll
from actors.runtime.node import board_path, own_board_path
from actors.runtime.process import ProcessIdentity
from actors.runtime.replicated import OwnedState, Replica
from actors.runtime.shell import ActorShell, as_actor
from actors.runtime.vital_threads import vital_thread
from actors.service.answered import Answered
from actors.service.boards import Boards
from actors.service.bulletin import own_bulletin
from actors.service.errors import ServiceUnreachableError
from actors.service.gathering import BOARDS_S, Gathering
from actors.service.near import NearServer, near_address
from actors.service.node_board import posted_on
from actors.service.ports import ServicePorts
from actors.service.posting import Posted, Posting, postings_of, state_name
from actors.service.surroundings import Surroundings

KEPT = "kept"
"""The topic of what a service keeps for its next life."""

TOPICS_MAX = 100
NEWS_THREADS = 32
DESK_THREADS = 16
GROUPS = {"desk": DESK_THREADS, "news": NEWS_THREADS}

BEGUN_S = 20.0
"""How long a request waits until its service has taken over, seconds."""

LAID_S = 0.5
"""How long the answer to a change waits until a board has it, seconds; it holds in any case."""

RECORDED_S = 2.0
"""How long it waits for the log, where there is no board or somebody is to be told that it is on record, seconds."""

_LOG = logging.getLogger("supervisor.service")

Change = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What an earlier life has kept for this one.

    Attributes:
        payload: As it was given to `keep`.
        age_s: How long ago it was laid, seconds.
    """

    payload: bytes
    age_s: float


class ServiceActor(ActorShell):
    """See the module.

    Attributes:
        hears_near: Whether changes are heard from processes of its node over a socket, too; they must be quick.
        ports: The ways to whoever leads, and the configuration's part for this service.
        records: Where rows for the log go.
        changes: What `change` may be asked for, by name; carried out once for each request.
        recorded: Those of them whose answer waits until their rows are in the log, for a while.
        questions: What `ask` may be asked for, by name; any number at a time, any number of times.

    Args:
        name: The full actor name, incarnation included.
        leader: The supervisor incarnation that created it.
        ports: The ways to whoever leads.
    """

    hears_near = False

    def __init__(self, name: str, leader: int, ports: ServicePorts) -> None:
        super().__init__(name, leader)
        self.ports = ports
        self.clock: Clock = SYSTEM_CLOCK
        self.changes: Mapping[str, Change] = {}
        self.recorded: frozenset[str] = frozenset()
        self.questions: Mapping[str, Callable[..., Any]] = {}
        self._polls: dict[str, LongPoll] = {}
        self._answered = Answered()
        self._turn = threading.Lock()
        self._under_way = threading.local()
        self._outbox: list[Posting] = []
        self._posts = threading.Lock()
        self._laid = threading.Condition()
        self._sent_number = self._laid_number = 0
        own = own_bulletin(own_board_path(self.identity.supervisor, self.identity.key))
        self._boards = Boards(str(self.identity), self._everything, own=own)
        self._surroundings = Surroundings(self._boards.follow)
        self.records = Emitter(LogTransport(self.log_writer), clock=self.clock)
        self._copies = threading.Condition()
        self._gathering = Gathering(self.identity.incarnation, self.clock.now())
        self._begun = threading.Event()
        self._ended = threading.Event()
        self._link: Any = None
        self._near: NearServer | None = None

    # -- what a service says and does itself --------------------------------------------------------------------------

    def begin(self) -> None:
        """Take over from the last life, then answer. Called once, when everything is built."""
        self._link = self.ports.follow(self._surroundings.take)
        if self.hears_near:
            address = near_address(board_path(self.identity.supervisor), str(self.identity))
            with suppress(OSError):  # then what comes through Ray is heard
                self._near = NearServer(address, self._hear_near)
        vital_thread(self._take_over, name="service-begin", fresh_s=0.0).start()

    def take_over(self, left: Left | None) -> None:
        """Go on where the last life was, and publish; called once, before any request.

        Args:
            left: What that has kept; None: no life of this cluster has left anything, so that the log alone may know.
        """
        del left

    def answer_again(self, what: str) -> Any:
        """What is answered to a change that an earlier life has made, whose own answer was lost with it."""
        del what

    def lay(self, topic: str, payload: bytes) -> None:
        """This is the state of a topic from now on; `post` tells the processes. Under the lock that guards it."""
        poll = self._poll(topic)
        before = poll.current
        replica = poll.publish(payload)
        if replica is not before:
            with self._posts:
                self._outbox += postings_of(state_name(self.identity.key, topic), replica)

    def keep(self, payload: bytes) -> None:
        """This is what the next life is to know. Under the lock that guards it, with the change that it tells of."""
        request: str | None = getattr(self._under_way, "request", None)
        self.lay(KEPT, pickle.dumps((payload, self._answered.done(request))))

    def current(self, topic: str) -> Replica:
        """The state of a topic that was laid, for who changed it and reads it before its board tells."""
        replica = self._poll(topic).current
        assert replica is not None, f"{topic} was laid in taking over"
        return replica

    def post(self) -> None:
        """Have on every board what was laid. Under no lock."""
        with self._posts:
            postings, self._outbox = self._outbox, []
        if postings:
            with self._laid:
                self._sent_number += 1
                number = self._sent_number
            self._boards.lay(postings, lambda: self._note_laid(number))

    def mind(self, process: str, node_id: str, identity: ProcessIdentity) -> None:
        """Be told by `on_process_died` when this process is dead."""
        self._boards.mind(process, node_id, identity)

    def on_process_died(self, process: str) -> None:
        """A process that is minded is dead."""
        del process

    @property
    def view(self) -> Any:
        """The leader's latest view, or None before the first."""
        return self._surroundings.view

    @property
    def is_ending(self) -> threading.Event:
        """Set when this life ends in order."""
        return self._ended

    def log_writer(self) -> Any | None:
        """The handle of the log's writer, or None while it is not known."""
        return self._surroundings.log_writer()

    def query(self, sql: str, parameters: tuple[Any, ...] = (), *, patience_s: float = 5.0) -> list[dict[str, Any]]:
        """Rows of the event log.

        Raises:
            EventLogError: It does not answer.
        """
        return ask_writer(self.log_writer, "query", sql, parameters, patience_s=patience_s)

    # -- what processes ask -------------------------------------------------------------------------------------------

    @ray.method(concurrency_group="desk")
    def change(self, request: str, what: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Have something changed, once for each `request`, however often and of however many lives that is asked.

        Raises:
            SupervisorError: It cannot be; nothing has changed.
        """
        if ON:
            return through(
                SERVICE_CALL, self.identity.concern, partial(self._make_change, request, what, arguments, named)
            )
        return self._make_change(request, what, arguments, named)

    def _make_change(self, request: str, what: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        self._wait_begun(what)
        answer = self._change_once(request, what, arguments, named)
        if not self._is_laid() or what in self.recorded:
            self.records.flush(RECORDED_S)
        return answer

    @ray.method(concurrency_group="desk")
    def ask(self, what: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Ask for something that changes nothing."""
        if ON:
            return through(SERVICE_CALL, self.identity.concern, partial(self._answer_question, what, arguments, named))
        return self._answer_question(what, arguments, named)

    def _answer_question(self, what: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        self._wait_begun(what)
        return self.questions[what](*arguments, **named)

    @ray.method(concurrency_group="news")
    def observe(self, topic: str, incarnation: int, version: int, timeout_s: float) -> Replica | None:
        """Wait for a state that is later than the one that is known; see `LongPoll.observe`."""
        return self._poll(topic).observe(incarnation, version, timeout_s)

    @ray.method(concurrency_group="control")
    def introduce(self, kept: Replica) -> None:
        """A process without a board tells what an earlier life has kept."""
        self._take_copy(Posted(replica=kept, age_s=0.0))

    @ray.method(concurrency_group="control")
    def process_died(self, process: str) -> None:
        """An agent tells of the death of a process that it minds."""
        self._boards.forget(process)
        self.on_process_died(process)

    def on_stop(self) -> None:
        """What is on record is kept; who waits is sent home."""
        self._ended.set()
        for poll in list(self._polls.values()):
            poll.close()
        if self._near is not None:
            self._near.close()
        if self._link is not None:
            self._link.stop()
        self._boards.close()
        self.records.close(RECORDED_S)

    # -- changing -----------------------------------------------------------------------------------------------------

    def _change_once(self, request: str, what: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        with self._turn:
            if request in self._answered:
                answer = self._answered.answer_to(request)
                return self.answer_again(what) if answer is None else answer
            self._under_way.request = request
            try:
                answer = self.changes[what](*arguments, **named)
            finally:
                self._under_way.request = None
            self._answered.note(request, answer)
        self.post()
        return answer

    def _hear_near(self, frame: bytes) -> bytes:
        """A change of a process of this node, before it comes through Ray: whoever asks is answered there."""
        if self._begun.is_set() and not ON:  # where faults are injected, calls pass the points where they are
            try:
                self._change_once(*pickle.loads(frame))  # noqa: S301 - a process of the same user, see `near`
            except Exception as refused:  # noqa: BLE001 - nothing has changed, and who asks is told through Ray
                _LOG.debug("%s: %s", self.identity, refused)
        return b""

    # -- taking over --------------------------------------------------------------------------------------------------

    def _take_over(self) -> None:
        kept = state_name(self.identity.key, KEPT)
        self._take_copy(posted_on(self.identity.supervisor, kept, self.clock.now_ns()))
        if self.identity.incarnation > 1:
            self._surroundings.known.wait(BOARDS_S)
            nodes = self._boards.ask_posted(kept, self._on_board_answered)
            with self._copies:
                self._gathering.ask(nodes, self.clock.now())
                while not self._gathering.is_settled(self.clock.now()):
                    self._copies.wait(max(0.0, self._gathering.next_at() - self.clock.now()))
        with self._copies:
            latest = self._gathering.latest(self.clock.now())
        try:
            self.take_over(None if latest is None else self._opened(*latest))
        except Exception:  # noqa: BLE001 - what another version kept may fail in any way: the log is what is left
            _LOG.exception("%s cannot go on from what was kept, and begins from the log", self.identity)
            self.take_over(None)
        self._begun.set()
        self.post()

    def _opened(self, age_s: float, posted: Posted) -> Left:
        payload, done = pickle.loads(posted.replica.payload)  # noqa: S301 - our own former life made it
        self._answered.inherit(done)
        return Left(payload=payload, age_s=age_s)

    def _on_board_answered(self, node: str, reply: object) -> None:
        posted = reply if isinstance(reply, Posted) else None
        self._take_copy(posted, node)

    def _take_copy(self, posted: Posted | None, node: str | None = None) -> None:
        """What this life or a later one has laid tells it nothing."""
        now = self.clock.now()
        if posted is not None and posted.replica.incarnation >= self.identity.incarnation:
            posted = None
        with self._copies:
            if node is None:
                self._gathering.found(posted, now)
            else:
                self._gathering.answered(node, posted, now)
            self._copies.notify_all()

    # -- waiting ------------------------------------------------------------------------------------------------------

    def _wait_begun(self, what: str) -> None:
        if not self._begun.wait(BEGUN_S):
            reason = "it is taking over from its last life"
            raise ServiceUnreachableError(self.identity.key, what=what, waited_s=BEGUN_S, reason=reason)

    def _note_laid(self, number: int) -> None:
        with self._laid:
            self._laid_number = max(self._laid_number, number)
            self._laid.notify_all()

    def _is_laid(self) -> bool:
        """Wait for a board to have what was sent; whether one has."""
        with self._laid:
            number = self._sent_number
            return self._laid.wait_for(lambda: self._laid_number >= number, LAID_S)

    def _poll(self, topic: str) -> LongPoll:
        with self._posts:
            poll = self._polls.get(topic)
            if poll is None:
                if len(self._polls) >= TOPICS_MAX:
                    raise ValueError(f"{self.identity.key} has {TOPICS_MAX} topics already; {topic!r} is one too many")
                poll = self._polls[topic] = LongPoll(OwnedState(self.identity.incarnation), clock=self.clock)
            return poll

    def _everything(self) -> list[Posting]:
        with self._posts:
            polls = list(self._polls.items())
        current = [(topic, poll.current) for topic, poll in polls]
        key = self.identity.key
        return [
            posting
            for topic, replica in current
            if replica is not None
            for posting in postings_of(state_name(key, topic), replica)
        ]


def service_actor(cls: type[ServiceActor], *, extra_groups: dict[str, int] | None = None) -> Any:
    """The Ray actor class of a service, with its concurrency groups."""
    return as_actor(cls, extra_groups={**GROUPS, **(extra_groups or {})})
