"""The node's board as a process's breakers read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from actors.breaker.parcels import BOARD_PREFIX, CHANGES, read_laid
from actors.breaker.places import Place
from actors.runtime.board import BoardReader, BoardSlot
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import SupervisorError

LEASE_S = 3.0
"""A board whose writer was not heard for so long is not believed to be written any more, seconds."""


class Noticeboard:
    """Finds the words of breakers, and follows the board when it is replaced.

    Attributes:
        is_alive: Whether there is a board, and its writer lives.

    Args:
        path: The board's file; None where this process has none.
    """

    def __init__(self, path: Callable[[], Path] | None) -> None:
        self._path = path
        self._reader: BoardReader | None = None
        self._changes: BoardSlot | None = None
        self._seen = 0
        self._looked: set[str] = set()
        self.is_alive = False

    def anew(self) -> Noticeboard:
        """The same board for a forked child, whose parent may have held a lock of this one."""
        return Noticeboard(self._path)

    def look_round(self, places: Iterable[Place]) -> None:
        """Tell the followers of these names whatever is new on the board."""
        moved = self._open()
        if self._reader is None:
            if moved:
                for place in places:
                    place.move_to(None)
            return
        if self._changes is None:
            self._changes = self._reader.slot(CHANGES)
        word = 0 if self._changes is None else self._changes.word()
        news = moved or word != self._seen
        self._seen = word
        for place in places:
            if moved:
                place.move_to(None)
            if news or place.slot is None:
                self._find(place)
            if news:
                place.look()

    def look(self, places: Iterable[Place]) -> None:
        """Tell the followers of names that are new here what the board has of them."""
        if self._reader is not None:
            for place in places:
                self._find(place)
                place.look()

    def _find(self, place: Place) -> None:
        if (place.slot is not None and place.slot.word() != 0) or self._reader is None:
            return
        slot = self._reader.slot(f"{BOARD_PREFIX}{place.name}")
        if slot is not None or place.slot is not None:
            place.move_to(slot)
            place.look()

    def _open(self) -> bool:
        """Make sure of the board; whether it is another one than before."""
        before = self._reader
        moved = False
        try:
            if self._path is None:
                return False
            if self._reader is None:
                self._reader, moved = BoardReader(self._path()), True
            elif self._reader.is_stale():
                self._reader.reopen()
                moved = True
            self.is_alive = self._reader.writer_alive(SYSTEM_CLOCK.now_ns(), int(LEASE_S * 1e9))
        except (SupervisorError, OSError):
            self._reader, self.is_alive = None, False
            moved = before is not None
        if moved:
            self._changes, self._seen = None, 0
        return moved


def states_on_board(path: Path) -> dict[str, str]:
    """The state of each breaker that lies on a board, by name; none without a board."""
    found: dict[str, str] = {}
    try:
        reader = BoardReader(path)
        for laid in reader.names():
            record = reader.read(laid) if laid.startswith(BOARD_PREFIX) else None
            if record is not None:
                said = read_laid(laid.removeprefix(BOARD_PREFIX), record[1], SYSTEM_CLOCK.now_ns())
                found[said.name] = said.published.state
    except (SupervisorError, OSError, ValueError):
        return found
    return dict(sorted(found.items()))
