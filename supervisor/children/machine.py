"""One client's calls to one child: what is sent where and when, and what becomes of it. Pure: time is an argument.

A call:

    waiting --sent--> in flight --answer--------------------------------------------------> answered
       ^                | ^   |--raised, worth another attempt--> resting --timer--> waiting
       |                | |   +--raised, or ended the child--------------------------------> failed
       |        refused,| |resent, same number
       |    unavailable,v |
       |              backlog --incarnation lost: unknown, no attempts left----------------> failed
       +-- (a pool takes it back instead)

Calls are numbered when they are first sent, in the order made, and a child starts them in the order of their numbers.
What is sent again to the same incarnation keeps its number: the child knows it, so it has one effect. When another
incarnation is accepted, everything unanswered goes there, in order and with the old numbers; answers of the earlier one
count no more. A death alone moves nothing: the supervisor says who follows. Out of reach is not dead: after a pause the
same incarnation is asked again.

What the caller gave up (a timeout, a cancellation) keeps its place at the incarnation that has it, so that no number is
missing there. The next incarnation never gets it: what comes behind the gap waits until everything before it is
answered, because then `settled` tells the child that nothing is missing.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from actors.child.protocol import NOT_RUN
from actors.runtime.timers import Timer, Timers
from supervisor.children.call import Call, Command, FailCall, GiveBack, LookOut, ResolveCall, SendCall, Sent
from supervisor.children.errors import ChildExitedError
from supervisor.children.pauses import Pauses
from supervisor.children.sequence import Sequence as CallSequence
from supervisor.children.verdict import broken, failure_of_loss, forgotten, rest_after, timed_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from supervisor.children.settings import CallSettings

TimerKind = Literal["timeout", "pause", "rest", "gone"]


class CallMachine:
    """The calls of one client to one child.

    Args:
        key: The child.
        client: Who calls; unique for each machine.
        settings: The bounds.
        rng: The source of jitter.
        decode: Turns a pickled exception into one; never raises.
        replayable: The child's answers travel with its state ("each_call"): no sending has a second effect.
        concurrency: Calls that may run in the child at a time: those are charged with its death.
        mobile: The child is a pool's member: calls that it cannot answer are given back.
    """

    def __init__(  # noqa: PLR0913 - what a child's spec says about calls
        self,
        key: str,
        client: str,
        settings: CallSettings,
        rng: Random,
        decode: Callable[[bytes], BaseException],
        *,
        replayable: bool = False,
        concurrency: int = 1,
        mobile: bool = False,
    ) -> None:
        self.key = key
        self._client = client
        self._settings = settings
        self._rng = rng
        self._decode = decode
        self._replayable = replayable
        self._concurrency = concurrency
        self._mobile = mobile
        self._waiting: OrderedDict[Call, None] = OrderedDict()
        self._resting: OrderedDict[Call, None] = OrderedDict()
        self._sequence = CallSequence(settings.window)
        self._timers: Timers[TimerKind, Call | None] = Timers(self._means_something)
        self._gone: BaseException | None = None
        self._accepted = 0
        self._host: str | None = None
        self._lost = self._charged = False
        self._pauses = Pauses(settings.pause_s, settings.pause_max_s)
        self.unfinished = 0

    # -- what others may know ---------------------------------------------------------------------------------------

    @property
    def load(self) -> int:
        """Calls that are there or wait to be."""
        return len(self._sequence) + len(self._waiting)

    @property
    def busy(self) -> bool:
        """Whether something is on its way, or waits."""
        return self.unfinished > 0 or len(self._sequence) > 0

    def serves(self, now: float) -> bool:
        """Whether a call would be sent at once."""
        return self._host is not None and not self._lost and not self._pauses.holds(now)

    def next_timer(self) -> float | None:
        """When `timer` is due, monotonic seconds, or None."""
        return self._timers.next_at()

    # -- the caller -------------------------------------------------------------------------------------------------

    def remade(self, *, replayable: bool, concurrency: int) -> None:
        """The child was made anew, by another spec: what may be sent again goes by that one."""
        self._replayable, self._concurrency = replayable, concurrency

    def made(self, call: Call, now: float) -> list[Command]:
        """A call is made, or made again."""
        self.unfinished += 1
        if self._gone is not None:
            self._end(call)
            return [FailCall(call, self._gone)]
        if call.timeout_s is not None and not self._mobile:
            call.deadline_at = now + call.timeout_s
            self._timers.set(call.deadline_at, "timeout", call)
        self._waiting[call] = None
        return self._pump(now)

    def given_up(self, call: Call, error: BaseException | None = None) -> list[Command]:
        """The caller wants no answer any more, or its time is up; what was sent is not stopped."""
        if not self._holds(call):
            call.over = True  # a stream that has begun, if it was not over before
            return []
        self._waiting.pop(call, None)
        self._resting.pop(call, None)
        self._end(call)
        return [] if error is None else [FailCall(call, error)]

    def broke(self, call: Call, now: float) -> list[Command]:
        """A stream that had begun broke; its items up to `call.delivered` are with the caller."""
        if call.over:
            return []
        call.attempts += 1
        error = broken(call, key=self.key)
        if error is None:
            return self.made(call, now)
        call.over = True
        return [FailCall(call, error)]

    # -- answers ----------------------------------------------------------------------------------------------------

    def answered(self, sent: Sent, kind: str, payload: bytes, refs: Sequence[Any], now: float) -> list[Command]:
        """The child answered a sending; see `actors.child.protocol` for the kinds."""
        call = self._of(sent)
        if call is None:
            return []
        self._pauses.answered()
        match kind:
            case "ok":
                commands = self._settle(call, ResolveCall(call, payload, refs))
            case "error":
                commands = self._raised(call, payload, now)
            case "exited":
                self._lost = self._charged = True
                error = ChildExitedError(self.key, method=call.method, exit_class=payload.decode())
                commands = [*self._settle(call, FailCall(call, error)), LookOut(self.key)]
            case "forgotten":
                commands = self._forgotten(call)
            case _:
                commands = self._refused(call, sent, kind, payload, now) if call.awaits(sent) else []
        return commands + self._pump(now)

    def failed(self, sent: Sent, error: BaseException, now: float) -> list[Command]:
        """The hosting actor itself could not handle the call."""
        call = self._of(sent)
        return [] if call is None else self._settle(call, FailCall(call, error)) + self._pump(now)

    def unavailable(self, sent: Sent, now: float) -> list[Command]:
        """The sending, or its answer, was lost on the way; nobody knows which."""
        call = self._of(sent)
        if call is None or not call.awaits(sent):
            return []
        self._sequence.shelve(call)
        self._pause(now)
        return self._hand_back()

    def lost(self, sent: Sent, now: float) -> list[Command]:
        """The incarnation died with the call."""
        if sent.incarnation != self._accepted:
            return []
        commands = self.died(self.key, sent.incarnation, now)
        call = self._of(sent)
        if call is not None and call.awaits(sent):
            commands += self._leave(call)
        return commands

    def _raised(self, call: Call, payload: bytes, now: float) -> list[Command]:
        error = self._decode(payload)
        rest_s = None if call.over else rest_after(call, error, self._rng)
        if rest_s is None:
            return self._settle(call, FailCall(call, error))
        self._sequence.forget(call)
        self._resting[call] = None
        self._timers.set(now + rest_s, "rest", call)
        return []

    def _forgotten(self, call: Call) -> list[Command]:
        error = forgotten(call, key=self.key, host=self._host or self.key, replayable=self._replayable)
        if error is not None or call.over:
            return self._settle(call, error and FailCall(call, error))
        self._sequence.forget(call)
        self._waiting[call] = None
        return []

    def _refused(self, call: Call, sent: Sent, kind: str, payload: bytes, now: float) -> list[Command]:
        """The child has not run this sending; an earlier one may still arrive there and begin, until it is over."""
        call.refusals += 1
        if kind == "stale":
            call.unsure = payload != NOT_RUN
            self._lost = True
            return [*self._leave(call), LookOut(self.key)]
        self._sequence.shelve(call)
        if kind == "standby":
            self._pause(now)
            return [LookOut(self.key), *self._hand_back()]
        for missing in self._sequence.missing(int(payload), call):
            self._sequence.shelve(missing)
        if call.refusals > 1:
            self._pause(now)
        return []

    # -- the supervisor's news --------------------------------------------------------------------------------------

    def routed(self, key: str, incarnation: int, host: str | None, now: float) -> list[Command]:
        """This incarnation is accepted, and `host` is the actor to call; None while there is none to call."""
        if incarnation < self._accepted:
            return []
        commands = self._move_on(incarnation) if incarnation > self._accepted else []
        self._host = host
        return commands + (self._hand_back() if host is None else self._pump(now))

    def died(self, key: str, incarnation: int, now: float) -> list[Command]:
        """This incarnation's process is dead: nothing more is sent there."""
        if incarnation != self._accepted or self._lost:
            return []
        self._lost = True
        self._charge()
        return [LookOut(self.key), *self._hand_back()]

    def gone(self, key: str, error: BaseException, now: float, *, patient: bool = False) -> list[Command]:
        """The child is gone for good: its calls fail, or go elsewhere; `patient`, what was sent may be answered yet."""
        self._gone, self._host = error, None
        if self._mobile or not patient:
            commands = [command for call in list(self._sequence) for command in self._leave(call)]
        else:
            commands = []
            self._timers.set(now + self._settings.farewell_s, "gone", None)
        if self._mobile:
            self._waiting.update(self._resting)
            self._resting.clear()
            return commands + self._hand_back()
        for call in [*self._waiting, *self._resting]:
            commands += self.given_up(call, error)
        return commands

    def back(self, now: float) -> list[Command]:
        """The child is there again: its calls wait until it runs."""
        self._gone = None
        return []

    def abandon(self, error: BaseException, now: float) -> list[Command]:
        """The caller's process takes no more answers: everything fails."""
        self._mobile = False
        return self.gone(self.key, error, now)

    def _move_on(self, incarnation: int) -> list[Command]:
        if not self._charged:
            self._charge()
        commands: list[Command] = []
        for call in list(self._sequence):
            if call.unsure or self._mobile:
                commands += self._leave(call)
            elif call.over:
                self._sequence.forget(call)
            else:
                self._sequence.shelve(call)
            call.refusals = 0
        self._accepted, self._lost, self._charged = incarnation, False, False
        self._pauses.end()
        self._sequence.begin_anew()
        return commands

    def _charge(self) -> None:
        """Those that can have been running when the incarnation was lost have used up an attempt."""
        self._charged = True
        for call in islice((call for call in self._sequence if call.unsure), self._concurrency):
            call.attempts += 1

    # -- time -------------------------------------------------------------------------------------------------------

    def timer(self, now: float) -> list[Command]:
        """Something is due."""
        commands: list[Command] = []
        while (timer := self._timers.take_due(now)) is not None:
            call = timer.subject
            if call is None:
                if timer.kind == "gone" and self._gone is not None:
                    commands += self.gone(self.key, self._gone, now)
                continue
            if timer.kind == "timeout":
                if self._holds(call) and now >= call.deadline_at:
                    commands += self.given_up(call, timed_out(call, key=self.key))
            elif call in self._resting:
                del self._resting[call]
                self._waiting[call] = None
                self._waiting.move_to_end(call, last=False)
        return commands + (self._pump(now) if self.serves(now) else self._hand_back())

    def _pause(self, now: float) -> None:
        until = self._pauses.begin(now)
        if until is not None:
            self._timers.set(until, "pause", None)

    def _means_something(self, timer: Timer[TimerKind, Call | None]) -> bool:
        return timer.subject is None or not timer.subject.over

    # -- sending ----------------------------------------------------------------------------------------------------

    def _pump(self, now: float) -> list[Command]:
        """Send what may be sent: what was numbered before, then what waits."""
        commands: list[Command] = []
        if self._host is None or not self.serves(now):
            return commands
        while (call := self._sequence.take()) is not None:
            commands.append(self._send(call, self._host))
        while self._waiting and self._sequence.has_room:
            call, _ = self._waiting.popitem(last=False)
            self._sequence.admit(call)
            commands.append(self._send(call, self._host))
        return commands

    def _send(self, call: Call, host: str) -> SendCall:
        self._sequence.sent(call)
        call.incarnation = self._accepted
        sent = Sent(self.key, self._accepted, call.number, call.sending)
        header = (self._client, call.number, self._sequence.settled, call.method, self._accepted)
        return SendCall(call, host, sent, header)

    # -- one call ---------------------------------------------------------------------------------------------------

    def _holds(self, call: Call) -> bool:
        """Whether the caller still waits for the call's answer (a stream's: for its first item)."""
        return not call.over and (call.number > 0 or call in self._waiting or call in self._resting)

    def _of(self, sent: Sent) -> Call | None:
        """The call that an answer is for; None when its incarnation is not accepted any more, or it has one already."""
        return self._sequence.get(sent.number) if sent.incarnation == self._accepted else None

    def _leave(self, call: Call) -> list[Command]:
        """The call's incarnation is lost: does it wait for the next one, go elsewhere, or end?"""
        if call.over:
            self._sequence.forget(call)
            return []
        error = failure_of_loss(call, key=self.key, host=self._host or self.key, replayable=self._replayable)
        if error is None and not self._mobile:
            error = self._gone
        if error is not None:
            return self._settle(call, FailCall(call, error))
        if self._mobile:
            self._sequence.forget(call)
            self.unfinished -= 1
            return [GiveBack(call)]
        self._sequence.shelve(call)
        return []

    def _hand_back(self) -> list[Command]:
        """A pool's calls that wait here may go elsewhere; those that may begin here only when this one is lost."""
        if not self._mobile:
            return []
        commands: list[Command] = []
        for call in list(self._sequence):
            if not call.in_flight and (self._lost or not (call.unsure or call.over)):
                commands += self._leave(call)
        commands += [GiveBack(call) for call in self._waiting]
        self.unfinished -= len(self._waiting)
        self._waiting.clear()
        return commands

    def _settle(self, call: Call, command: ResolveCall | FailCall | None) -> list[Command]:
        self._sequence.forget(call)
        if call.over or command is None:
            return []
        self._end(call, streaming=call.streaming and isinstance(command, ResolveCall))
        return [command]

    def _end(self, call: Call, *, streaming: bool = False) -> None:
        """The caller has its answer; a stream that has begun goes on without this machine."""
        call.over = not streaming
        self.unfinished -= 1
