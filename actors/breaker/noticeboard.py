"""The node's board as a process's breakers read it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from actors.breaker.parcels import BOARD_PREFIX, CHANGES, read_laid
from actors.breaker.places import Place
from actors.runtime.board import BoardReader, BoardSlot
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import SupervisorError
from actors.service.node_board import NodeBoard


class Noticeboard:
    """Finds the words of breakers, and follows the board when it is replaced.

    Args:
        board: The node's board.
    """

    def __init__(self, board: NodeBoard) -> None:
        self._board = board
        self._changes: BoardSlot | None = None
        self._seen = 0

    @property
    def is_alive(self) -> bool:
        """Whether there is a board, and its writer lives."""
        return self._board.is_alive

    def anew(self) -> Noticeboard:
        """The same board for a forked child, whose parent may have held a lock of this one."""
        return Noticeboard(self._board.anew())

    def look_round(self, places: Iterable[Place]) -> None:
        """Tell the followers of these names whatever is new on the board."""
        moved = self._board.open()
        if moved:
            self._changes, self._seen = None, 0
        reader = self._board.reader
        if reader is None:
            if moved:
                for place in places:
                    place.move_to(None)
            return
        if self._changes is None:
            self._changes = reader.slot(CHANGES)
        word = 0 if self._changes is None else self._changes.word()
        news = moved or word != self._seen
        self._seen = word
        for place in places:
            if moved:
                place.move_to(None)
            if news or place.slot is None:
                self._find(reader, place)
            if news:
                place.look()

    def look(self, places: Iterable[Place]) -> None:
        """Tell the followers of names that are new here what the board has of them."""
        reader = self._board.reader
        if reader is not None:
            for place in places:
                self._find(reader, place)
                place.look()

    @staticmethod
    def _find(reader: BoardReader, place: Place) -> None:
        if place.slot is not None and place.slot.word() != 0:
            return
        slot = reader.slot(f"{BOARD_PREFIX}{place.name}")
        if slot is not None or place.slot is not None:
            place.move_to(slot)
            place.look()


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
