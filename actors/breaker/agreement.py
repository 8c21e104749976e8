"""How many reporters have opened themselves, of how many that are heard: k of n. Pure.

A reporter is whatever the shell calls one: a process, or a node. Its vote lasts until it takes it back, dies, or is not
heard for `HEARD_S`. Both numbers are bounded: of too many reporters the one that was silent for longest is forgotten.
"""

from __future__ import annotations

from collections import OrderedDict

HEARD_S = 60.0
"""Whoever said nothing for so long is no reporter any more, seconds."""

REPORTERS_MAX = 10_000


class Agreement:
    """The reporters of one breaker, and their votes to open it."""

    def __init__(self) -> None:
        self._heard_at: OrderedDict[str, float] = OrderedDict()
        self._votes: dict[str, None] = {}

    def hear(self, reporter: str, now: float) -> None:
        """It said something."""
        self._heard_at[reporter] = now
        self._heard_at.move_to_end(reporter)
        if len(self._heard_at) > REPORTERS_MAX:
            self.forget(next(iter(self._heard_at)))

    def vote(self, reporter: str, now: float) -> None:
        """It has opened itself."""
        self.hear(reporter, now)
        self._votes[reporter] = None

    def withdraw(self, reporter: str) -> bool:
        """It has recovered by itself; tells whether it had voted."""
        return self._votes.pop(reporter, self) is None

    def forget(self, reporter: str) -> bool:
        """It died, or was forgotten; tells whether it had voted."""
        self._heard_at.pop(reporter, None)
        return self.withdraw(reporter)

    def clear_votes(self) -> None:
        """The breaker's state has changed: votes were about the former one."""
        self._votes.clear()

    def settle(self, now: float) -> None:
        """Forget who was not heard lately."""
        while self._heard_at and now - next(iter(self._heard_at.values())) > HEARD_S:
            self.forget(next(iter(self._heard_at)))

    @property
    def voters(self) -> tuple[str, ...]:
        """Who has opened itself, the first one first."""
        return tuple(self._votes)

    @property
    def heard(self) -> int:
        """How many reporters there are."""
        return len(self._heard_at)
