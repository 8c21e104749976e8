"""The ledger's board, beside its file: what is on by it, and what its disk had no room for.

The file is the ledger: nothing is armed that does not stand there. The board is what is left where the file is lost or
damaged, and where its disk is full: its room is there since the first entry, so that an undo can be written down still.

    standing   the entries that say what goes on and what is on; counts where the file is lost or damaged
    owed       entries that make less of it and are not in the file, into which they go next
"""

from __future__ import annotations

import zlib
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from actors.runtime.board import BoardReader, BoardWriter
from actors.runtime.board_pages import join
from actors.runtime.board_value import lay
from actors.runtime.errors import SupervisorError
from actors.runtime.replicated import Replica
from experiments.ledger.entry import decode_all, encode
from experiments.ledger.standing import what_is_on

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from experiments.ledger.entry import Entry

NAMES = 256
BYTES = 4 << 20
"""Room for a file's worth of entries, twice."""

_STANDING, _OWED = "standing", "owed"
_READS = 3
"""How often what is being changed is read again."""


class LedgerBoard:
    """See the module. Written under the lock of the ledger's file; read by anybody.

    Args:
        path: Its file; it is made when something is laid.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def standing(self) -> list[Entry] | None:
        """What goes on and what is on; None where nobody has laid it."""
        return self._read(_STANDING)

    def owed(self) -> list[Entry]:
        """What the file lacks."""
        return self._read(_OWED) or []

    def lay(self, standing: Iterable[Entry], owed: Iterable[Entry] = ()) -> bool:
        """Lay both.

        Returns: False where there is no room for them; what lay there before may lie there still.
        """
        try:
            with closing(BoardWriter(self._path, names=NAMES, blob_bytes=BYTES)) as board:
                for name, entries in ((_STANDING, what_is_on(standing)), (_OWED, owed)):
                    payload = b"".join(encode(entry) for entry in entries)
                    lay(board, name, Replica(1, zlib.crc32(payload), payload))
        except SupervisorError:
            return False
        return True

    def take_away(self) -> None:
        """Take it away: it could not be brought up to date, and would mislead."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _read(self, name: str) -> list[Entry] | None:
        try:
            reader = BoardReader(self._path)
            for _ in range(_READS):
                found = join(name, reader.read)
                if found is not None:
                    return decode_all(found[1])[0]
        except SupervisorError:
            return None
        return None
