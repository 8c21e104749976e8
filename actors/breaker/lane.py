"""What the calls of one ticket share: whether they pass without asking, and how many have succeeded.

A lane is read by every call under no lock, and changed under the circuit's. Successes are counted by `itertools.count`,
one C call that threads share; whoever gathers them takes a number itself and knows from it how many were taken before.
Without a global lock, too, it gives no number twice. Source: CPython 3.13, `Modules/itertoolsmodule.c`, `count_next`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from actors.breaker.errors import Refusing

if TYPE_CHECKING:
    from actors.breaker.gate import Gate

NEVER = -1
"""No word of a board equals it."""

IDLE_LOOKS = 20
"""A circuit is parked after so many looks of the keeper, `reports.REPORT_S` apart, without a call."""

LANES_MAX = 8
"""Tickets of which calls may still be under way; the successes of older ones are not told any more."""

DURATIONS_MAX = 1024
"""Measured calls that wait to be gathered; whoever adds more gathers them."""


class Tally:
    """Counts what any thread does, in one C call each.

    Attributes:
        add: Count one.
    """

    __slots__ = ("_taken", "add")

    def __init__(self) -> None:
        self.add: Callable[[], int] = count().__next__
        self._taken = 0

    def take(self) -> int:
        """How many were counted since the last time; under the circuit's lock."""
        drawn = self.add() - self._taken
        self._taken += drawn + 1
        return drawn


class Lane:
    """The calls of one ticket.

    Attributes:
        ticket: What they are to be told with, see `gate`.
        word: While the owner's word is this, a call passes, and nothing of it needs to be looked at but its errors.
        careful: While it is this, a call passes, and is measured or its result judged.
        shut: While it is this and `until` is not over, no call passes.
        until: Monotonic seconds.
        told: What those are told who are refused so: the state, its generation, whether the process opened itself.
        longest_s: The longest wait that is told, seconds.
        hit: Count a success.
        bounce: Count a refusal.
        durations: How long successes took that were measured, seconds.
    """

    __slots__ = (
        "_hits",
        "_refusals",
        "bounce",
        "careful",
        "durations",
        "hit",
        "longest_s",
        "shut",
        "ticket",
        "told",
        "until",
        "word",
    )

    def __init__(self, ticket: int) -> None:
        self.ticket = ticket
        self.word = self.careful = self.shut = NEVER
        self.until = float("-inf")
        self.told = Refusing()
        self.longest_s = 0.0
        self._hits, self._refusals = Tally(), Tally()
        self.hit, self.bounce = self._hits.add, self._refusals.add
        self.durations: deque[float] = deque()

    def refuse(self, gate: Gate, until: float, *, of_process: bool) -> None:
        """Calls are refused as the gate has it until then, if they find the owner's word to be `shut`."""
        alone, published = gate.opening is not None, gate.published
        state = "open" if alone else published.state
        self.told = Refusing(state, published.generation, alone, of_process=of_process)
        self.until, self.longest_s = until, gate.settings.open_s_max

    def park(self) -> None:
        """Let the next call take the slow way."""
        self.word = self.careful = self.shut = NEVER

    def take_hits(self) -> int:
        """Successes since the last time, those not among them that were measured."""
        return self._hits.take()

    def take_refusals(self) -> int:
        """Refusals since the last time."""
        return self._refusals.take()

    def take_durations(self) -> list[float]:
        """Durations of measured successes since the last time."""
        taken: list[float] = []
        for _ in range(len(self.durations)):
            taken.append(self.durations.popleft())
        return taken
