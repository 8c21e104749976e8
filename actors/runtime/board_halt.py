"""The one word of a node's board that anybody may set: chaos is halted here.

All else on a board is laid by its one writer. This word needs none: its room is there since the board was made, so that
a node is halted by whoever may open the file, while every actor is dead and the disk is full.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from actors.runtime.board import OPEN_ATTEMPTS
from actors.runtime.board_file import map_words, open_own
from actors.runtime.board_layout import AT_HALTED, AT_RETIRED, Geometry, Memory


def set_halted(board: Path, *, halted: bool) -> bool:
    """Set the word, or clear it.

    Returns: False where there is no board to set it on: nothing is written then.
    """
    for _ in range(OPEN_ATTEMPTS):
        memory = _open(board, os.O_RDWR)
        if memory is None:
            return False
        memory.store_word(AT_HALTED, int(halted))
        if not memory.words[AT_RETIRED]:
            return True
        # A writer has put a new file in its place, and may have looked at the word before it was set.
    return False


def is_halted(board: Path) -> bool:
    """Whether the word is set; it is not where there is no board."""
    memory = _open(board, os.O_RDONLY)
    return memory is not None and memory.words[AT_HALTED] != 0


def _open(board: Path, flags: int) -> Memory | None:
    """The board's memory; None where there is none that could be used."""
    try:
        descriptor = open_own(board, flags)
        if descriptor is None:
            return None
        try:
            access = mmap.ACCESS_WRITE if flags == os.O_RDWR else mmap.ACCESS_READ
            memory = Memory(map_words(descriptor, access))
        finally:
            os.close(descriptor)
    except OSError:
        return None
    return None if Geometry.of(memory) is None else memory
