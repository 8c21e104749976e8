"""One replicated value on a board: as who writes it lays it, and as a process of the node follows it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from actors.runtime.board import BoardReader, BoardSlot, BoardUnavailableError, BoardWriter
from actors.runtime.board_pages import join, page_name, pages
from actors.runtime.clock import SYSTEM_CLOCK, Clock
from actors.runtime.errors import SupervisorError
from actors.runtime.replicated import Replica, unpack_word

OWN_NAMES = 64
OWN_BYTES = 1 << 20


def lay(board: BoardWriter, name: str, replica: Replica) -> None:
    """Lay a value, in as many pages as it takes.

    Raises:
        BoardFullError: No room; who reads finds nothing, or the former value.
        BoardFencedError: Another writer has taken over.
    """
    for page, payload in pages(name, replica.payload):
        board.put(page, replica.word, payload)


class OwnBoard:
    """The board of one process, beside that of its node's agent: who is on its node need not wait for the agent.

    The agent brings the same to every node a few milliseconds later. So what cannot be laid here is no trouble.

    Args:
        path: The file.
        names: See `BoardWriter`.
        blob_bytes: See `BoardWriter`.
    """

    def __init__(self, path: Path, *, names: int = OWN_NAMES, blob_bytes: int = OWN_BYTES) -> None:
        self._board: BoardWriter | None = None
        with suppress(SupervisorError):
            self._board = BoardWriter(path, names=names, blob_bytes=blob_bytes)

    def lay(self, name: str, replica: Replica) -> None:
        """Show a value to the processes of this node."""
        if self._board is not None:
            with suppress(SupervisorError):
                lay(self._board, name, replica)

    def close(self) -> None:
        """Take it away."""
        if self._board is not None:
            self._board.close(unlink=True)
            self._board = None


class BoardValue:
    """A value on a board, followed by one process. `news` costs 40 ns where there is none.

    Args:
        path: The board's file.
        name: The value's.
        clock: What leases are counted by.
    """

    def __init__(self, path: Path, name: str, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._path = path
        self._name = name
        self._clock = clock
        self._reader: BoardReader | None = None
        self._slot: BoardSlot | None = None
        self._seen = 0

    def open(self) -> bool:
        """Look for the file and the value, also when they are other ones by now; whether the value is there."""
        try:
            if self._reader is None:
                self._reader = BoardReader(self._path)
            elif self._reader.is_stale():
                self._reader.reopen()
                self._slot = None
            if self._slot is None or self._slot.word() == 0:
                self._slot, self._seen = self._reader.slot(page_name(self._name, 0)), 0
        except (BoardUnavailableError, OSError):
            self._reader = self._slot = None
        return self._slot is not None

    def is_alive(self, lease_s: float) -> bool:
        """Whether the board's writer was heard within `lease_s` seconds."""
        reader = self._reader
        try:
            return reader is not None and reader.writer_alive(self._clock.now_ns(), int(lease_s * 1e9))
        except (BoardUnavailableError, OSError):
            return False

    def news(self) -> Replica | None:
        """The value, if it is another one than that returned last."""
        slot, reader = self._slot, self._reader
        if slot is None or reader is None or slot.word() == self._seen:
            return None
        try:
            found = join(self._name, reader.read)
        except SupervisorError:
            self._slot = None
            return None
        if found is None:
            return None  # its pages are being changed
        self._seen = found[0]
        return Replica(*unpack_word(found[0]), found[1])
