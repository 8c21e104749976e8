"""The node's board as a process finds it: opened when there is one, and followed when it is replaced."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from actors.runtime.board import BoardReader
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import SupervisorError
from actors.runtime.node import board_path
from actors.service.posting import Posted, read_posted

LEASE_S = 3.0
"""A board whose writer was not heard for so long is not believed to be written any more, seconds."""

_READS = 3
"""How often a state's pages are read again when they were being changed."""


class NodeBoard:
    """One process's.

    Attributes:
        reader: The board, or None where there is none.
        is_alive: Whether there is a board, and its writer lives.
        turns: How often it was another one than before: what was found on it is to be looked for again.

    Args:
        path: The board's file; None where this process has none.
    """

    def __init__(self, path: Callable[[], Path] | None) -> None:
        self._path = path
        self.reader: BoardReader | None = None
        self.is_alive = False
        self.turns = 0

    def anew(self) -> NodeBoard:
        """The same board for a forked child, whose parent may have held a lock of this one."""
        return NodeBoard(self._path)

    def open(self) -> bool:
        """Make sure of the board; whether it is another one than before."""
        before = self.reader
        if self._path is None:
            return False
        moved = False
        try:
            if self.reader is None:
                self.reader, moved = BoardReader(self._path()), True
            elif self.reader.is_stale():
                self.reader.reopen()
                moved = True
            self.is_alive = self.reader.writer_alive(SYSTEM_CLOCK.now_ns(), int(LEASE_S * 1e9))
        except (SupervisorError, OSError):
            self.reader, self.is_alive = None, False
            moved = before is not None
        self.turns += moved
        return moved


def posted_on(supervisor: str, name: str, now_ns: int) -> Posted | None:
    """The state of this name on this node's board, whoever laid it last; None without one."""
    try:
        reader = BoardReader(board_path(supervisor))
        for _ in range(_READS):
            found = read_posted(name, reader.read, now_ns)
            if found is not None:
                return found
    except (SupervisorError, OSError, ValueError):
        return None
    return None
