"""Which breakers of an owner have changed since somebody looked last. Pure.

Each change has a number; a reader says the last that it knows and gets the names that changed later, each once.
"""

from __future__ import annotations

from collections import OrderedDict


class ChangeList:
    """The names of one owner's breakers, the one that changed last at the end.

    Attributes:
        number: That of the latest change; 0 before the first.
    """

    def __init__(self) -> None:
        self.number = 0
        self._numbers: OrderedDict[str, int] = OrderedDict()

    def note(self, name: str) -> int:
        """It has changed; returns the number of the change."""
        self.number += 1
        self._numbers[name] = self.number
        self._numbers.move_to_end(name)
        return self.number

    def number_of(self, name: str) -> int:
        """The number of its latest change; 0 if it never changed."""
        return self._numbers.get(name, 0)

    def since(self, number: int) -> list[str]:
        """Those that changed after that change, the latest first."""
        found: list[str] = []
        for name in reversed(self._numbers):
            if self._numbers[name] <= number:
                break
            found.append(name)
        return found
