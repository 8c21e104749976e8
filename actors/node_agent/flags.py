"""Flags of a node: small files beside its board that say something while every actor is dead.

Whoever looks needs one system call, and no Ray. A flag is there or it is not; what stands in it is for people. `HALT`
is a word on the board as well: it goes up where no file can be written any more.
"""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from actors.runtime.board_halt import is_halted, set_halted

HALT = "chaos-halt"
"""While it is up nothing is injected on this node, and what is on is undone."""

BYTES_MAX = 16_384
_NAME = re.compile(r"[a-z0-9][A-Za-z0-9_.-]{0,127}")


def flag_path(board: Path, flag: str) -> Path:
    """The file of a flag.

    Raises:
        ValueError: That is no name of a flag.
    """
    if _NAME.fullmatch(flag) is None:
        raise ValueError(f"{flag!r} names no flag: letters, digits, '_', '.', '-', at most 128")
    return board.with_name(f"{board.stem}.{flag}")


def is_up(board: Path, flag: str) -> bool:
    """Whether a flag is up."""
    return os.path.lexists(flag_path(board, flag)) or (flag == HALT and is_halted(board))


def text_of(board: Path, flag: str) -> bytes | None:
    """What a flag says; None where no file says anything.

    Raises:
        OSError: Its file cannot be read.
    """
    try:
        return flag_path(board, flag).read_bytes()
    except FileNotFoundError:
        return None


def put_up(board: Path, flag: str, text: bytes) -> None:
    """Put a flag up; one that is up says the new text from now on.

    Raises:
        ValueError: That is no name of a flag, or the text is too long.
        OSError: It could not be written, and there is no board that says as much.
    """
    path = flag_path(board, flag)
    if len(text) > BYTES_MAX:
        raise ValueError(f"the text of flag {flag!r} has {len(text)} octets, at most {BYTES_MAX} are taken; shorten it")
    try:
        _write(path, text)
    except OSError:
        if not (flag == HALT and set_halted(board, halted=True)):
            raise
    else:
        if flag == HALT:
            set_halted(board, halted=True)  # behind its words: whoever sees it up is told who put it up


def take_down(board: Path, flag: str) -> None:
    """Take a flag down; where none is up it does nothing.

    Raises:
        OSError: Its file cannot be removed; it is up still.
    """
    if flag == HALT:
        set_halted(board, halted=False)  # before its words, as it is set behind them
    with suppress(FileNotFoundError):
        flag_path(board, flag).unlink()


def _write(path: Path, text: bytes) -> None:
    """Nothing is synced: a crash of the machine ends all that a flag speaks of, and a halt waits for no slow disk."""
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".new")
    try:
        with open(descriptor, "wb") as file:
            file.write(text)
        os.replace(fresh, path)
    except OSError:
        with suppress(OSError):
            os.unlink(fresh)
        raise
