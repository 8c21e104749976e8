"""The board's file: private, ours alone, and an error that says so where it cannot be."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.runtime import board, board_file
from actors.runtime.board import BoardReader, BoardUnavailableError, BoardWriter


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "board"


@pytest.fixture
def writer(path: Path) -> Iterator[BoardWriter]:
    writer = opened(path)
    yield writer
    writer.close()


def opened(path: Path) -> BoardWriter:
    return BoardWriter(path, names=4, blob_bytes=4096)


def test_a_file_is_private(path: Path, writer: BoardWriter) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["board"]


def test_what_killed_creators_left_is_swept(path: Path) -> None:
    ended = path.with_name("board.999999999.00000000.new")
    living = path.with_name(f"board.{os.getpid()}.00000000.new")
    for left in (ended, living):
        left.touch()
    opened(path).close()
    assert (ended.exists(), living.exists()) == (False, True)


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"precious")
    path.symlink_to(target)
    for cls in (BoardWriter, BoardReader):
        with pytest.raises(BoardUnavailableError, match="symbolic links"):
            cls(path)
    assert target.read_bytes() == b"precious"


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_refused(path: Path, make: object) -> None:
    assert callable(make)
    make(path)
    for cls in (BoardWriter, BoardReader):
        with pytest.raises(BoardUnavailableError):
            cls(path)


def test_another_users_board_is_refused(path: Path, writer: BoardWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_file.os, "geteuid", lambda: 12345)
    for cls in (BoardWriter, BoardReader):
        with pytest.raises(BoardUnavailableError, match="user 12345"):
            cls(path)


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    for cls in (BoardWriter, BoardReader):
        with pytest.raises(BoardUnavailableError, match="No such file"):
            cls(tmp_path / "missing" / "board")


def test_no_room_is_met_before_any_store(path: Path, writer: BoardWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full /dev/shm is an error, not a SIGBUS, and the board that could not be replaced goes on."""

    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    writer.put("a", 1, b"kept")
    monkeypatch.setattr(board_file.os, "posix_fallocate", full)
    with pytest.raises(BoardUnavailableError, match="No space left") as caught:
        opened(path)
    assert caught.value.path == str(path)
    writer.put("a", 2, b"goes on")
    slot = BoardReader(path).slot("a")
    assert slot is not None
    assert slot.read() == (2, b"goes on")
    assert [entry.name for entry in path.parent.iterdir()] == ["board"]


def test_a_file_that_keeps_being_replaced_is_given_up(
    path: Path, writer: BoardWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "leads_to", lambda *_: False)
    with pytest.raises(BoardUnavailableError, match="one node agent"):
        opened(path)
