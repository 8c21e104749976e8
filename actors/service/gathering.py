"""What a new life of an owner waits for before it decides: the copies of its state that others hold. Pure.

    waiting --every board has answered, and there is a copy | nobody can have one | patience has ended--> settled

The latest copy counts. Boards are asked first; processes that have no board bring what they were told themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.service.posting import later_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actors.service.posting import Posted

BOARDS_S = 2.0
"""How long boards are waited for, seconds."""

PROCESSES_S = 1.0
"""How long processes are waited for where no board has a copy, seconds from the last board's answer."""


class Gathering:
    """The copies that one life finds.

    Args:
        life: The number of this life; the first has no predecessor.
        now: Monotonic seconds.
    """

    def __init__(self, life: int, now: float) -> None:
        self._is_first = life <= 1
        self._began_at = now
        self._awaited: set[str] | None = None
        self._heard_at: float | None = None
        self._latest: tuple[float, Posted] | None = None

    def ask(self, nodes: Iterable[str], now: float) -> None:
        """The boards of these nodes are asked; there may be none."""
        if self._awaited is None:
            self._awaited = set(nodes)
            self._note_heard(now)

    def answered(self, node: str, found: Posted | None, now: float) -> None:
        """A board has answered, or cannot."""
        self.found(found, now)
        if self._awaited is not None:
            self._awaited.discard(node)
            self._note_heard(now)

    def found(self, posted: Posted | None, now: float) -> None:
        """There is a copy."""
        latest = None if self._latest is None else self._latest[1]
        if posted is not None and later_of(latest, posted) is posted:
            self._latest = (now, posted)

    def is_settled(self, now: float) -> bool:
        """Whether nothing later can be expected."""
        if self._is_first:
            return True
        if self._heard_at is None:
            return now >= self._began_at + BOARDS_S
        return self._latest is not None or now >= self._heard_at + PROCESSES_S

    def next_at(self) -> float:
        """When patience ends, monotonic seconds."""
        return self._began_at + BOARDS_S if self._heard_at is None else self._heard_at + PROCESSES_S

    def latest(self, now: float) -> tuple[float, Posted] | None:
        """The age of the latest copy, seconds, and the copy."""
        if self._latest is None:
            return None
        at, posted = self._latest
        return posted.age_s + (now - at), posted

    def _note_heard(self, now: float) -> None:
        if not self._awaited and self._heard_at is None:
            self._heard_at = now
