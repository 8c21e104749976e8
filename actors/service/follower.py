"""One state of a service as a process follows it: on its node's board, or by asking the owner where there is none.

What was read once goes on being readable when the owner, the leader and the board's writer are dead.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from actors.runtime.board_pages import page_name
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import SupervisorError
from actors.runtime.replicated import Replica, supersedes
from actors.service.posting import read_posted, state_name

if TYPE_CHECKING:
    from actors.runtime.board import BoardReader, BoardSlot
    from actors.service.node_board import NodeBoard

_UNKNOWN = 0
_NO_BOARD: Sequence[int] = (_UNKNOWN,)


class StateFollower:
    """One topic of one service, in one process.

    Attributes:
        topic: Which.
        replica: The latest that is known, or None.
        words: What the hot path compares: while `words[at]` is `seen`, nothing is new. No system call, no lock.
        at: See `words`.
        seen: See `words`.

    Args:
        key: The service.
        topic: Which of its states.
        board: This node's board.
        on_change: Called with each later replica, by whoever looked; not under the lock.
        own: The board that the owner itself writes, if it is on this node.
    """

    def __init__(
        self,
        key: str,
        topic: str,
        board: NodeBoard,
        on_change: Callable[[Replica], None] | None = None,
        *,
        own: NodeBoard | None = None,
    ) -> None:
        self.topic = topic
        self._name = state_name(key, topic)
        self._board = board
        self._on_change = on_change
        self._lock = threading.Lock()
        self._reader: BoardReader | None = None
        self._slot: BoardSlot | None = None
        self._places = [_Place(each) for each in (own, board) if each is not None]
        self.replica: Replica | None = None
        self._laid_at = 0.0
        self.words, self.at, self.seen = _NO_BOARD, 0, _UNKNOWN

    @property
    def is_on_board(self) -> bool:
        """Whether what is known lies on a board whose writer lives; else the owner is to be asked.

        What cannot be read there is not known: of a state that the board has no room for, pages are missing.
        """
        slot = self._slot
        return slot is not None and self._board.is_alive and slot.word() == self.seen != _UNKNOWN

    @property
    def known(self) -> tuple[int, int]:
        """The incarnation and version of what is known; (0, 0): nothing."""
        replica = self.replica
        return (0, 0) if replica is None else (replica.incarnation, replica.version)

    @property
    def age_s(self) -> float:
        """How long ago what is known was laid, or heard from the owner, seconds; 0 while nothing is."""
        return 0.0 if self.replica is None else SYSTEM_CLOCK.now() - self._laid_at

    def look(self) -> Replica | None:
        """The latest that is known; reads the board if something is new there."""
        if self.words[self.at] != self.seen or self._slot is None:
            self._read()
        return self.replica

    def find(self) -> None:
        """Make sure of the boards: there may be others, or some at last. What is said later counts."""
        with self._lock:
            places = [place for place in self._places if place.find(page_name(self._name, 0))]
            # The owner's own comes first: of two that say the same it is the one that will say the next sooner.
            latest = max(places, key=lambda place: place.word, default=None)
            slot = None if latest is None else latest.slot
            if latest is None or slot is None:
                self._slot = None
                return
            if self._slot is not None and (self.words, self.at) == (slot.words, slot.at):
                return
            self._reader, self._slot = latest.reader, slot
            self.seen = _UNKNOWN
            self.words, self.at = slot.words, slot.at
        self._read()

    def offer(self, replica: Replica, age_s: float = 0.0) -> bool:
        """The owner said this, so long ago; whether it is news."""
        with self._lock:
            if not supersedes(replica, self.replica):
                return False
            self._laid_at = SYSTEM_CLOCK.now() - age_s
            self.replica = replica
        if self._on_change is not None:
            self._on_change(replica)
        return True

    def _read(self) -> None:
        slot, reader = self._slot, self._reader
        if slot is None or reader is None:
            return
        word = slot.word()
        try:
            posted = read_posted(self._name, reader.read, SYSTEM_CLOCK.now_ns())
        except (SupervisorError, ValueError):
            return
        if posted is None:
            return  # its pages are being changed
        self.offer(posted.replica, posted.age_s)
        if posted.replica.word == word:
            self.seen = word


class _Place:
    """Where the state lies on one board."""

    def __init__(self, board: NodeBoard) -> None:
        self._board = board
        self._turn = -1
        self.reader: BoardReader | None = None
        self.slot: BoardSlot | None = None

    @property
    def word(self) -> int:
        """What stands there."""
        return _UNKNOWN if self.slot is None else self.slot.word()

    def find(self, name: str) -> bool:
        """Look for it, unless it is known; whether it is there."""
        self._board.open()
        reader, turn = self._board.reader, self._board.turns
        if reader is not None and (turn != self._turn or self.word == _UNKNOWN):
            self.reader, self._turn, self.slot = reader, turn, reader.slot(name)
        return self.word != _UNKNOWN
