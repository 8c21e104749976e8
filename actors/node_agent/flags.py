"""Flags of a node: small files beside its board that say something while every actor is dead.

Whoever looks needs one system call, and no Ray. A flag is there or it is not; what stands in it is for people.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

_NAME = re.compile(r"[a-z0-9][A-Za-z0-9_.-]{0,127}")
BYTES_MAX = 4096


def put_up(board: Path, flag: str, text: bytes) -> None:
    """Put a flag up; one that is up says the new text from now on.

    Raises:
        ValueError: That is no name of a flag, or the text is too long.
        OSError: It could not be written.
    """
    path = _path(board, flag)
    if len(text) > BYTES_MAX:
        raise ValueError(f"the text of flag {flag!r} has {len(text)} octets, at most {BYTES_MAX} are taken; shorten it")
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.write(descriptor, text)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.rename(path)


def take_down(board: Path, flag: str) -> None:
    """Take a flag down; where none is up it does nothing."""
    with suppress(FileNotFoundError):
        _path(board, flag).unlink()


def _path(board: Path, flag: str) -> Path:
    if _NAME.fullmatch(flag) is None:
        raise ValueError(f"{flag!r} names no flag: letters, digits, '_', '.', '-', at most 128")
    return board.with_name(f"{board.stem}.{flag}")
