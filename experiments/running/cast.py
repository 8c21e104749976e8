"""Who lives in the scene `household`."""

from __future__ import annotations


class Cart:
    """Keeps what was put into it, also over its own death."""

    def __init__(self) -> None:
        self._items: list[str] = []

    def add(self, item: str) -> int:
        """Put something in; how much there is now."""
        self._items.append(item)
        return len(self._items)

    def checkpoint(self) -> list[str]:
        """What is to be kept."""
        return self._items

    def restore(self, state: list[str]) -> None:
        """Go on with what was kept."""
        self._items = state


class Stock:
    """Counts, and begins anew after its death."""

    def __init__(self) -> None:
        self._left = 100

    def take(self) -> int:
        """Take one; how many are left."""
        self._left -= 1
        return self._left


class Audit:
    """Does nothing but be there."""

    def note(self, line: str) -> int:
        """How long a line is."""
        return len(line)
