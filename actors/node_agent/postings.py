"""What owners of breakers say, laid on the node's board."""

from __future__ import annotations

import threading
from contextlib import suppress

from actors.breaker.boards import Words
from actors.breaker.parcels import BOARD_PREFIX, CHANGES, lay
from actors.runtime.board import BoardFencedError, BoardFullError, BoardWriter
from actors.runtime.ids import ActorName


class Postings:
    """The breakers on one board.

    Args:
        board: The board.
        lock: Held by whoever writes to it.
    """

    def __init__(self, board: BoardWriter, lock: threading.Lock) -> None:
        self._board = board
        self._lock = lock
        self._lives: dict[str, int] = {}
        self._laid: dict[str, int] = {}
        self._changes = 0

    def lay(self, owner: str, words: Words, now_ns: int) -> None:
        """Lay words that are later than those that lie there; what an earlier life of the owner sends is dropped.

        Args:
            owner: The owner's full name.
            words: What it says of each breaker.
            now_ns: CLOCK_MONOTONIC, nanoseconds.
        """
        name = ActorName.parse(owner)
        if name is None or self._lives.get(name.key, 0) > name.incarnation:
            return
        self._lives[name.key] = name.incarnation
        # On a board that is full, or a successor's, they do not lie: processes ask the owners themselves.
        with self._lock, suppress(BoardFencedError):
            for word, said in words:
                if word > self._laid.get(said.name, 0):
                    with suppress(BoardFullError):
                        self._board.put(f"{BOARD_PREFIX}{said.name}", word, lay(said, now_ns))
                        self._laid[said.name] = word
            self._changes = max(self._changes + 1, now_ns)
            with suppress(BoardFullError):
                self._board.put(CHANGES, self._changes, b"")
