"""What owners of shared state say, laid on the node's board."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from actors.runtime.board import BoardFencedError, BoardFullError, BoardWriter
from actors.runtime.errors import SupervisorError
from actors.runtime.ids import ActorName
from actors.service.posting import Posting, stamped

OWN_NAMES = 2_400
OWN_BYTES = 2 << 20
"""Room for half of the breakers that a cluster has; whatever finds none lies on the agent's board."""


def own_bulletin(path: Path) -> Bulletin | None:
    """An owner's own, beside those of the agents: the processes of its node need not wait for theirs.

    None where no board can be: the agent brings the same a few milliseconds later.

    Args:
        path: The board's file; what a former life has laid there stays until it is replaced.
    """
    try:
        return Bulletin(BoardWriter(path, names=OWN_NAMES, blob_bytes=OWN_BYTES), threading.Lock())
    except SupervisorError:
        return None


class Bulletin:
    """What owners say on one board.

    Args:
        board: The board.
        lock: Held by whoever writes to it.
    """

    def __init__(self, board: BoardWriter, lock: threading.Lock) -> None:
        self._board = board
        self._lock = lock
        self._lives: dict[str, int] = {}
        self._laid: dict[str, int] = {}
        self._changes: dict[str, int] = {}

    def lay(self, owner: str, postings: Sequence[Posting], now_ns: int, *, changes: str | None = None) -> bool:
        """Lay what is later than what lies there; what an earlier life of the owner sends is dropped.

        Args:
            owner: The owner's full name.
            postings: What it says.
            now_ns: CLOCK_MONOTONIC, nanoseconds.
            changes: The name whose word counts what is laid, if there is one.
        Returns: Whether they all lie there now, or later ones do.
        """
        name = ActorName.parse(owner)
        if name is None or self._lives.get(name.key, 0) > name.incarnation:
            return False
        self._lives[name.key] = name.incarnation
        # On a board that is full, or a successor's, they do not lie, nor does what they replace: that would mislead.
        # Processes ask the owners themselves.
        with self._lock, suppress(BoardFencedError):
            lie = all([self._lay(posting.name, posting.word, posting.octets, now_ns) for posting in postings])
            if changes is not None:
                self._changes[changes] = max(self._changes.get(changes, 0) + 1, now_ns)
                with suppress(BoardFullError):
                    self._board.put(changes, self._changes[changes], b"")
            return lie
        return False

    def close(self) -> None:
        """Take the board away: in an ordered end nothing is to be read there later."""
        with self._lock:
            self._board.close(unlink=True)

    def _lay(self, name: str, word: int, octets: bytes, now_ns: int) -> bool:
        if word <= self._laid.get(name, 0):
            return True
        try:
            self._board.put(name, word, stamped(octets, now_ns))
        except BoardFullError:
            self._board.remove(name)
            self._laid.pop(name, None)
            return False
        self._laid[name] = word
        return True
