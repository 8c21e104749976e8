"""The calls of one client to a pool: which member gets each, and where it goes when that one is lost. Pure.

    waiting --a member serves--> at a member (its call machine) --answered, failed--> over
       ^                              |
       +--------- given back ---------+

A call goes to the serving member with the fewest calls; among equals they take turns. Calls of a pool have no order.
It is bound late: while every member has enough in hand it waits here, for whoever is free first.
Each member has a call machine of its own, so that its numbers stay whole; what it loses comes back here.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Literal

from actors.runtime.timers import Timer, Timers
from supervisor.children.call import Call, Command, FailCall, GiveBack, ResolveCall, Sent
from supervisor.children.machine import CallMachine
from supervisor.children.verdict import broken, timed_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from supervisor.children.settings import CallSettings


AHEAD = 4
"""Calls that wait at a member beyond those that it runs: enough to hide the way there, few enough to stay fair."""


class PoolMachine:
    """The calls of one client to one pool.

    Args:
        pool: The pool's name, for messages.
        client: Who calls; each member's machine adds its number.
        settings: The bounds; of the window each member gets what it runs at a time, and AHEAD more.
        rng: The source of jitter.
        decode: Turns a pickled exception into one; never raises.
        concurrency: How many calls may run in a member at a time.
    """

    def __init__(
        self,
        pool: str,
        client: str,
        settings: CallSettings,
        rng: Random,
        decode: Callable[[bytes], BaseException],
        *,
        concurrency: int = 1,
    ) -> None:
        self.key = pool
        self._client = client
        self._settings = self._bounds = settings
        self._rng = rng
        self._decode = decode
        self._concurrency = 0
        self._members: dict[str, CallMachine] = {}
        self._waiting: OrderedDict[Call, None] = OrderedDict()
        self._at: dict[Call, CallMachine] = {}
        self._timers: Timers[Literal["timeout"], Call] = Timers(_means_something)
        self._gone: BaseException | None = None
        self._turn = 0
        self._joined = 0
        self.remade(replayable=False, concurrency=concurrency)

    # -- what others may know ---------------------------------------------------------------------------------------

    @property
    def unfinished(self) -> int:
        """Calls that have no answer."""
        return len(self._waiting) + len(self._at)

    @property
    def busy(self) -> bool:
        """Whether something is on its way, or waits."""
        return bool(self._waiting) or any(member.busy for member in self._members.values())

    def next_timer(self) -> float | None:
        """When `timer` is due, monotonic seconds, or None."""
        due = [self._timers.next_at(), *(member.next_timer() for member in self._members.values())]
        return min((at for at in due if at is not None), default=None)

    # -- the caller -------------------------------------------------------------------------------------------------

    def remade(self, *, replayable: bool, concurrency: int) -> None:
        """The pool was made anew, by another spec: its members that join are called by that one."""
        del replayable  # another member has no answers of this one
        room = min(self._bounds.window, concurrency + AHEAD)
        self._settings, self._concurrency = self._bounds.model_copy(update={"window": room}), concurrency

    def made(self, call: Call, now: float) -> list[Command]:
        """A call is made."""
        if self._gone is not None:
            call.over = True
            return [FailCall(call, self._gone)]
        if call.timeout_s is not None:
            call.deadline_at = now + call.timeout_s
            self._timers.set(call.deadline_at, "timeout", call)
        self._waiting[call] = None
        return self._place(now)

    def given_up(self, call: Call, error: BaseException | None = None) -> list[Command]:
        """The caller wants no answer any more, or its time is up."""
        member = self._at.pop(call, None)
        if member is not None:
            return member.given_up(call, error)
        waited = call in self._waiting
        self._waiting.pop(call, None)
        call.over = True
        return [FailCall(call, error)] if waited and error is not None else []

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
        """A member answered."""
        return self._told(sent, now, lambda member: member.answered(sent, kind, payload, refs, now))

    def failed(self, sent: Sent, error: BaseException, now: float) -> list[Command]:
        """The hosting actor itself could not handle the call."""
        return self._told(sent, now, lambda member: member.failed(sent, error, now))

    def unavailable(self, sent: Sent, now: float) -> list[Command]:
        """The sending, or its answer, was lost on the way."""
        return self._told(sent, now, lambda member: member.unavailable(sent, now))

    def lost(self, sent: Sent, now: float) -> list[Command]:
        """The member died with the call."""
        return self._told(sent, now, lambda member: member.lost(sent, now))

    def _told(self, sent: Sent, now: float, tell: Callable[[CallMachine], list[Command]]) -> list[Command]:
        member = self._members.get(sent.key)
        return [] if member is None else self._pass_on(tell(member), now)

    # -- the supervisor's news --------------------------------------------------------------------------------------

    def routed(self, key: str, incarnation: int, host: str | None, now: float) -> list[Command]:
        """A member's accepted incarnation; `host` is None while there is none to call, or it stands by."""
        member = self._members.get(key)
        if member is None:
            self._joined += 1
            member = self._members[key] = CallMachine(
                key,
                f"{self._client}.{self._joined}",
                self._settings,
                self._rng,
                self._decode,
                concurrency=self._concurrency,
                mobile=True,
            )
        return self._pass_on(member.routed(key, incarnation, host, now), now)

    def died(self, key: str, incarnation: int, now: float) -> list[Command]:
        """A member's process is dead."""
        member = self._members.get(key)
        return [] if member is None else self._pass_on(member.died(key, incarnation, now), now)

    def gone(self, key: str, error: BaseException, now: float, *, patient: bool = False) -> list[Command]:
        """A member is gone for good, or, under the pool's own name, all of it is."""
        if key != self.key:
            member = self._members.pop(key, None)
            return [] if member is None else self._pass_on(member.gone(key, error, now), now)
        self._gone = error
        return self._end_all(error, now)

    def back(self, now: float) -> list[Command]:
        """The pool is there again: its calls wait for a member."""
        self._gone = None
        return []

    def abandon(self, error: BaseException, now: float) -> list[Command]:
        """The caller's process takes no more answers: everything fails."""
        self._gone = error
        return self._end_all(error, now)

    def _end_all(self, error: BaseException, now: float) -> list[Command]:
        commands: list[Command] = []
        for member in self._members.values():
            commands += member.abandon(error, now)
        commands += [FailCall(call, error) for call in self._waiting]
        for call in self._waiting:
            call.over = True
        self._waiting.clear()
        self._at.clear()
        self._members.clear()
        return commands

    # -- time -------------------------------------------------------------------------------------------------------

    def timer(self, now: float) -> list[Command]:
        """Something is due."""
        commands: list[Command] = []
        while (timer := self._timers.take_due(now)) is not None:
            call = timer.subject
            if (call in self._at or call in self._waiting) and now >= call.deadline_at:
                commands += self.given_up(call, timed_out(call, key=self.key))
        for member in list(self._members.values()):
            commands += self._pass_on(member.timer(now), now)
        return commands

    # -- placing ----------------------------------------------------------------------------------------------------

    def _pass_on(self, commands: list[Command], now: float) -> list[Command]:
        """Place again what a member gives back; what is over leaves."""
        kept: list[Command] = []
        back: list[Call] = []
        for command in commands:
            match command:
                case GiveBack(call=call):
                    del self._at[call]
                    back.append(call)
                case ResolveCall(call=call) | FailCall(call=call):
                    self._at.pop(call, None)
                    kept.append(command)
                case _:
                    kept.append(command)
        for call in reversed(back):
            self._waiting[call] = None
            self._waiting.move_to_end(call, last=False)
        return kept + self._place(now)

    def _place(self, now: float) -> list[Command]:
        commands: list[Command] = []
        while self._waiting and (member := self._pick(now)) is not None:
            call, _ = self._waiting.popitem(last=False)
            self._at[call] = member
            commands += member.made(call, now)
        return commands

    def _pick(self, now: float) -> CallMachine | None:
        """The serving member with the fewest calls, beginning with whose turn it is."""
        members = list(self._members.values())
        start = self._turn % len(members) if members else 0
        room = self._settings.window
        in_turn = (*members[start:], *members[:start])
        serving = [member for member in in_turn if member.load < room and member.serves(now)]
        if not serving:
            return None
        chosen = min(serving, key=lambda member: member.load)
        self._turn = members.index(chosen) + 1
        return chosen


def _means_something(timer: Timer[Literal["timeout"], Call]) -> bool:
    return not timer.subject.over
