"""Who lives in the scenes `household` and `kept`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.running.work import work

if TYPE_CHECKING:
    from experiments.running.witness import Address


class Cart:
    """Keeps what was put into it, also over its own death."""

    def __init__(self) -> None:
        self._items: list[str] = []
        self._tokens: dict[str, str] = {}

    def order(self, witness: Address, key: str, work_s: float) -> str:
        """Have an effect for a key, once: who has forgotten that asks the witness again. Its token."""
        token = self._tokens.get(key)
        if token is None:
            token = self._tokens[key] = work(witness, key, work_s)
        return token

    def add(self, item: str) -> int:
        """Put something in; how much there is now."""
        self._items.append(item)
        return len(self._items)

    def checkpoint(self) -> tuple[list[str], dict[str, str]]:
        """What is to be kept."""
        return self._items, self._tokens

    def restore(self, state: tuple[list[str], dict[str, str]]) -> None:
        """Go on with what was kept."""
        self._items, self._tokens = state


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


class Till:
    """Knows what it was told; what it was answered for it knows in its next life, too."""

    def __init__(self) -> None:
        self._noted: list[str] = []

    def note(self, key: str) -> int:
        """Note a key; how many there are now."""
        self._noted.append(key)
        return len(self._noted)

    def noted(self) -> list[str]:
        """All keys."""
        return self._noted
