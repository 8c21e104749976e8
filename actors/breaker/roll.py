"""Which breakers there are in the whole cluster, as a process knows them, and whether there is room for another. Pure.

What lies on the node's board is all that any owner has taken; whoever asks adds what it knows itself. What is on its
way to the board is missing for milliseconds: names that are new in several processes at once may be a few too many.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from actors.breaker.errors import TooManyBreakersError

SETTING = "breaker_names_max"
"""The field of the supervisor's configuration that says how many there may be."""

READ_S = 0.2
"""The board's names are read again after this, seconds, and only when somebody has a new one."""

EXAMPLES = 3


class Roll:
    """All names, of whatever owner.

    Args:
        on_board: The names on the node's board; none without one.
        names_max: How many there may be.
    """

    def __init__(self, on_board: Callable[[], Iterable[str]], names_max: Callable[[], int]) -> None:
        self._on_board = on_board
        self._names_max = names_max
        self._read = frozenset[str]()
        self._read_at = float("-inf")

    def check(self, name: str, mine: Collection[str], now: float) -> None:
        """See that there is this breaker already, or room for it.

        Args:
            name: A breaker.
            mine: Those that the asker knows of itself.
            now: Monotonic seconds.

        Raises:
            TooManyBreakersError: There is neither.
        """
        if name in mine:
            return
        limit = self._names_max()
        if now - self._read_at > READ_S:
            self._read, self._read_at = frozenset(self._on_board()), now
        if len(mine) + len(self._read) < limit:
            return
        known = self._read.union(mine)
        if name not in known and len(known) >= limit:
            examples = tuple(sorted(known)[:EXAMPLES])
            raise TooManyBreakersError(name, limit=limit, scope="the cluster", examples=examples, setting=SETTING)
