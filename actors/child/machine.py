"""One incarnation of a child: which calls may start, which are repeats, and whether it is the accepted one. Pure.

    standby --- activate ---> active --- stop ---> stopping
       |                        |                     |
       +------------------------+---------------------+--- fence, or a later incarnation accepted ---> over

A stopping one lets no call begin and ends those that run; what one that is over still runs is told to nobody.

A call starts when its number is the next of its client. It is *concluded* when its outcome is known and *released* when
that may be told; between the two lies the replication of the state it left. What is remembered of answered calls is
bounded: by the client's word that it has them (`settled`), by number, by clients and by bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from actors.child.protocol import FORGOTTEN, STALE, STALE_NOT_RUN, STANDBY, expected

if TYPE_CHECKING:
    from actors.child.protocol import Answer, CallHeader

ANSWERS_KEPT = 1_000
"""Answers remembered per client; a repeat of an older call is answered "forgotten"."""

CLIENTS_KEPT = 1_000
"""Clients remembered; beyond it the one that was silent for longest is forgotten, unless a call of its still runs."""

BYTES_KEPT = 64 * 2**20
"""Bytes of remembered answers, of all clients together; beyond it those of the most silent clients leave first."""

Phase = Literal["standby", "active", "stopping", "over"]

TableRow = tuple[str, int, "tuple[tuple[int, Answer], ...]", tuple[int, ...]]
"""One client as it is replicated: id, next number, remembered answers, numbers that had begun and not ended."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The call is not run; this is its answer."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Start:
    """Run it now."""


@dataclass(frozen=True, slots=True)
class Promote:
    """The caller accepts this standby: activate, and ask again."""


@dataclass(frozen=True, slots=True)
class Pending:
    """The same call is running: its answer will be this one's too."""


@dataclass(frozen=True, slots=True)
class Early:
    """Earlier calls of its client have not arrived; the answer is for when they do not come."""

    answer: Answer


Verdict = Reply | Start | Promote | Pending | Early

START = Start()
PROMOTE = Promote()
PENDING = Pending()
_REPLY_STALE = Reply(STALE)
_REPLY_NOT_RUN = Reply(STALE_NOT_RUN)
_REPLY_STANDBY = Reply(STANDBY)
_REPLY_FORGOTTEN = Reply(FORGOTTEN)


@dataclass(frozen=True, slots=True)
class Kept:
    """State that the accepted incarnation gave to this standby."""

    incarnation: int
    number: int
    blob: bytes

    @property
    def order(self) -> tuple[int, int]:
        """The greater one is the newer."""
        return (self.incarnation, self.number)


class _Client:
    __slots__ = ("answers", "expected", "interrupted", "running", "settled")

    def __init__(self, expected_number: int) -> None:
        self.expected = expected_number
        self.settled = expected_number - 1
        self.running: set[int] = set()
        self.answers: dict[int, Answer] = {}
        self.interrupted: set[int] = set()
        """Numbers that had begun in the life whose state this one took over: they may start once more."""


class ChildMachine:
    """What one incarnation knows of its callers, and of its own standing."""

    def __init__(self, incarnation: int) -> None:
        self.incarnation = incarnation
        self.accepted = 0
        """The latest incarnation of this child that is known to have been accepted."""
        self.phase: Phase = "standby"
        self.kept: Kept | None = None
        self.calls_run = 0
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        self._bytes = 0
        self._forgot_clients = False

    # -- calls ------------------------------------------------------------------------------------------------------

    def admit(self, header: CallHeader, *, streaming: bool = False) -> Verdict:
        """A call arrived. A streaming one cannot share another's answer: its repeat is told "forgotten"."""
        client_id, number, settled, _, accepted = header
        refusal = self._refusal(client_id, number, accepted)
        if refusal is not None:
            return refusal
        client = self._client(client_id, settled)
        if number == client.expected:
            client.expected += 1
            client.running.add(number)
            return START
        if number > client.expected:
            return Early(expected(client.expected))
        if number in client.interrupted:
            client.interrupted.remove(number)
            client.running.add(number)
            return START
        if number in client.running:
            return _REPLY_FORGOTTEN if streaming else PENDING
        answer = client.answers.get(number)
        return _REPLY_FORGOTTEN if answer is None else Reply(answer)

    def conclude(self, client_id: str, number: int, answer: Answer | None) -> None:
        """The outcome of a running call is known (None: it was streamed and cannot be repeated). Not told yet."""
        client = self._clients.get(client_id)
        if client is None or number not in client.running:
            return
        self._forget_answer(client, number)
        if answer is not None and number > client.settled:
            client.answers[number] = answer
            self._bytes += len(answer[1])
            if len(client.answers) > ANSWERS_KEPT:
                self._forget_answer(client, next(iter(client.answers)))
            if self._bytes > BYTES_KEPT:
                self._forget_bytes()

    def release(self, client_id: str, number: int, answer: Answer) -> Answer:
        """A call ends; returns what to tell: the answer, or that this incarnation's time is over.

        Pass STALE_NOT_RUN for one that was let in and never begun: this incarnation was over before its turn.
        """
        client = self._clients.get(client_id)
        if client is not None:
            client.running.discard(number)
        self.calls_run += 1
        return STALE if self.phase == "over" and answer is not STALE_NOT_RUN else answer

    # -- standing ---------------------------------------------------------------------------------------------------

    def fence(self) -> None:
        """This incarnation is over."""
        self.phase = "over"

    def stop(self) -> bool:
        """Let no further call begin; tells whether this was the accepted incarnation."""
        was_active = self.phase == "active"
        if self.phase != "over":
            self.phase = "stopping"
        return was_active

    def notice_accepted(self, incarnation: int) -> None:
        """A leader or caller says which incarnation is accepted; a later one than this ends it."""
        self.accepted = max(self.accepted, incarnation)
        if self.accepted > self.incarnation:
            self.phase = "over"

    def activate(self, table: tuple[TableRow, ...] = ()) -> bool:
        """Become the accepted incarnation, with what was replicated of its callers; False when it is over.

        An active one stays as it is.
        """
        if self.phase == "standby":
            self.phase = "active"
            self.kept = None
            self.load(table)
            self.notice_accepted(self.incarnation)
        return self.phase == "active"

    def keep(self, kept: Kept) -> Literal["kept", "replaced", "not standing by"]:
        """Hold state of the accepted incarnation, unless newer state is held already.

        Returns: "replaced" when a later incarnation than the sender was accepted: the sender's time is over.
        """
        if kept.incarnation < self.accepted:
            return "replaced"
        if self.phase != "standby":
            return "not standing by"
        self.accepted = kept.incarnation
        if self.kept is None or kept.order > self.kept.order:
            self.kept = kept
        return "kept"

    # -- what is replicated -----------------------------------------------------------------------------------------

    def table(self) -> tuple[TableRow, ...]:
        """What a successor must know of the callers, so that a repeated call has one effect."""
        return tuple(
            (
                client_id,
                client.expected,
                tuple((number, _portable(answer)) for number, answer in client.answers.items()),
                tuple(number for number in client.running if number not in client.answers),
            )
            for client_id, client in self._clients.items()
            if client.answers or client.running
        )

    def load(self, table: tuple[TableRow, ...]) -> None:
        """Take over what an earlier incarnation knew."""
        for client_id, next_number, answers, interrupted in table:
            client = self._clients[client_id] = _Client(next_number)
            client.settled = 0
            client.answers.update(answers)
            client.interrupted.update(interrupted)
            self._bytes += sum(len(answer[1]) for _, answer in answers)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _refusal(self, client_id: str, number: int, accepted: int) -> Verdict | None:
        if accepted > self.incarnation:
            self.notice_accepted(accepted)
        if self.phase == "active":
            return None
        if self.phase == "standby":
            return PROMOTE if accepted == self.incarnation else _REPLY_STANDBY
        return _REPLY_STALE if self._may_have_begun(client_id, number) else _REPLY_NOT_RUN

    def _may_have_begun(self, client_id: str, number: int) -> bool:
        client = self._clients.get(client_id)
        return self._forgot_clients if client is None else number < client.expected

    def _client(self, client_id: str, settled: int) -> _Client:
        client = self._clients.get(client_id)
        if client is None:
            if len(self._clients) >= CLIENTS_KEPT:
                self._forget_a_client()
            client = self._clients[client_id] = _Client(settled + 1)
            return client
        self._clients.move_to_end(client_id)
        if settled > client.settled:
            self._settle(client, settled)
        return client

    def _settle(self, client: _Client, settled: int) -> None:
        """The client has its answers up to `settled`."""
        answered = range(client.settled + 1, settled + 1)
        if len(answered) > len(client.answers):
            answered = [number for number in client.answers if number <= settled]
        for number in answered:
            self._forget_answer(client, number)
        client.settled = settled
        client.expected = max(client.expected, settled + 1)
        if client.interrupted:
            client.interrupted = {number for number in client.interrupted if number > settled}

    def _forget_a_client(self) -> None:
        """The one that was silent for longest and has no call running, if there is one."""
        idle = next((client_id for client_id, client in self._clients.items() if not client.running), None)
        if idle is not None:
            self._forgot_clients = True
            self._bytes -= sum(len(answer[1]) for answer in self._clients.pop(idle).answers.values())

    def _forget_answer(self, client: _Client, number: int) -> None:
        answer = client.answers.pop(number, None)
        if answer is not None:
            self._bytes -= len(answer[1])

    def _forget_bytes(self) -> None:
        for client in self._clients.values():
            while client.answers and self._bytes > BYTES_KEPT:
                self._forget_answer(client, next(iter(client.answers)))


def _portable(answer: Answer) -> Answer:
    """ObjectRefs belong to the process that made them: an answer that points into some ends with it."""
    return answer if len(answer) == len(FORGOTTEN) else FORGOTTEN
