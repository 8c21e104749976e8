"""How many have opened themselves, of how many that are heard: k of n, of processes or of their nodes. Pure.

A process votes by opening itself. Its vote lasts until it takes it back, dies, or is not heard for `HEARD_S`. Where
nodes are counted, those of one node have one vote together, which one of them is enough to give. All is bounded: of too
many reporters the one that was silent for longest is forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from actors.breaker.votes import Electorate, Votes

HEARD_S = 60.0
"""Whoever said nothing for so long is no reporter any more, seconds."""

REPORTERS_MAX = 10_000


class Agreement:
    """The reporters of one breaker, and their votes to open it."""

    def __init__(self) -> None:
        self._heard_at: OrderedDict[str, float] = OrderedDict()
        self._votes: dict[str, None] = {}
        self._nodes: OrderedDict[str, str] = OrderedDict()

    def seat(self, reporter: str, node: str) -> None:
        """It runs there; known until it dies, also while it is silent."""
        self._nodes[reporter] = node
        self._nodes.move_to_end(reporter)
        if len(self._nodes) > REPORTERS_MAX:
            self._nodes.popitem(last=False)

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
        """It is silent; tells whether it had voted."""
        self._heard_at.pop(reporter, None)
        return self.withdraw(reporter)

    def bury(self, reporter: str) -> bool:
        """It died; tells whether it had voted."""
        self._nodes.pop(reporter, None)
        return self.forget(reporter)

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

    def votes(self, *, of: Electorate, needed: int | None) -> Votes:
        """How many of how many."""
        return Votes(agreed=self._count(self._votes, of), needed=needed, known=self._count(self._heard_at, of), of=of)

    def _count(self, reporters: Iterable[str], of: Electorate) -> int:
        """One whose node nobody told is a node of its own."""
        names = list(reporters)
        return len(names) if of == "reporters" else len({self._nodes.get(name, name) for name in names})
