"""The numbers of one client's calls: which are open, which must be sent again, and when a number may follow. Pure."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.children.call import Call


class Sequence:
    """Open calls in the order of their numbers.

    A call leaves when it is answered or given up for good; a number is never used again. What was sent stays until
    then, either in flight or shelved, that is, to be sent again.

    Args:
        window: Calls that may be open at a time.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._open: OrderedDict[int, Call] = OrderedDict()
        self._shelf: list[int] = []
        self._last = 0
        self._reach = 0
        self._stamp = 0

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Call]:
        return iter(self._open.values())

    def get(self, number: int) -> Call | None:
        """The open call of this number."""
        return self._open.get(number)

    @property
    def settled(self) -> int:
        """Every call up to this number is over."""
        return next(iter(self._open), self._last + 1) - 1

    @property
    def has_room(self) -> bool:
        """Whether a new call may be sent now, behind all the open ones."""
        return len(self._open) < self._window and self._follows(self._last + 1)

    def admit(self, call: Call) -> None:
        """Give a new call its number."""
        self._last = call.number = self._last + 1
        self._open[call.number] = call

    def sent(self, call: Call) -> None:
        """An open call is sent."""
        self._reach = max(self._reach, call.number)
        self._stamp = call.stamp = self._stamp + 1
        call.sending += 1
        call.in_flight = call.unsure = True

    def shelve(self, call: Call) -> None:
        """An open call keeps its number and is to be sent again."""
        if call.in_flight:
            call.in_flight = False
            heapq.heappush(self._shelf, call.number)

    def missing(self, first: int, behind: Call) -> list[Call]:
        """What was sent from `first` on, ahead of `behind`, and not again since."""
        between = (self._open.get(number) for number in range(first, behind.number))
        return [call for call in between if call is not None and call.in_flight and call.stamp < behind.stamp]

    def take(self) -> Call | None:
        """The next call to be sent again, or None when there is none, or it may not follow yet."""
        while self._shelf:
            call = self._open.get(self._shelf[0])
            if call is not None and not call.in_flight:
                if not self._follows(call.number):
                    return None
                heapq.heappop(self._shelf)
                return call
            heapq.heappop(self._shelf)
        return None

    def forget(self, call: Call) -> None:
        """The call's number is over."""
        del self._open[call.number]
        call.number, call.in_flight, call.unsure = 0, False, False

    def begin_anew(self) -> None:
        """Another incarnation gets the calls: it has been sent nothing yet."""
        self._reach = 0

    def _follows(self, number: int) -> bool:
        """Whether the incarnation has been sent everything before this number, or needs none of it.

        A gap is closed by time only: once everything before it is answered, `settled` says that nothing is missing.
        """
        return number <= self._reach + 1 or next(iter(self._open), number) == number
