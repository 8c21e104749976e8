"""Which requests an owner has carried out: one that is made again is answered, and not carried out again. Pure.

What a later life knows of them travels with the state that they changed: it lies on the boards with it or not at all.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Any

REMEMBERED = 1000
"""Requests whose answers are remembered in one life."""

HANDED_ON = 128
"""Of those, how many a later life is told of; without their answers."""


class Answered:
    """One life's.

    Args:
        inherited: Requests that earlier lives have carried out, the latest last.
    """

    def __init__(self, inherited: Iterable[str] = ()) -> None:
        self._answers: OrderedDict[str, Any] = OrderedDict()
        self._done: deque[str] = deque(maxlen=HANDED_ON)
        self.inherit(inherited)

    def inherit(self, requests: Iterable[str]) -> None:
        """Earlier lives have carried these out, the latest last; what they answered is lost."""
        for request in requests:
            self.note(request, None)

    def __contains__(self, request: str) -> bool:
        return request in self._answers

    def answer_to(self, request: str) -> Any:
        """What was answered to a request that was carried out; None for one that an earlier life carried out."""
        return self._answers[request]

    def note(self, request: str, answer: Any) -> None:
        """It was carried out."""
        self._answers[request] = answer
        self._done.append(request)
        if len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)

    def done(self, under_way: str | None = None) -> tuple[str, ...]:
        """The last requests that were carried out, the latest last.

        Args:
            under_way: One whose change is in the state that this goes with.
        """
        return tuple(self._done) if under_way is None else (*self._done, under_way)[-HANDED_ON:]
