"""The word that anybody may set: it needs no writer and no room, and outlives the file it was set on."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.runtime import board as boards
from actors.runtime import board_halt
from actors.runtime.board import BoardReader, BoardWriter
from actors.runtime.board_halt import is_halted, set_halted


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s-1.board"


def test_it_is_set_beside_a_writer_and_after_it(path: Path) -> None:
    writer = BoardWriter(path, names=2, blob_bytes=4096)
    writer.put("payments", 7, b"open")
    assert not is_halted(path)
    assert set_halted(path, halted=True)
    writer.put("payments", 8, b"closed")
    assert is_halted(path)
    writer.close()
    assert BoardReader(path).read("payments") == (8, b"closed")
    assert is_halted(path)
    assert set_halted(path, halted=False)
    assert not is_halted(path)


def test_where_there_is_no_board_nothing_is_set(path: Path) -> None:
    assert not set_halted(path, halted=True)
    assert not is_halted(path)
    path.write_bytes(b"no board at all" * 100)
    assert not set_halted(path, halted=True)
    assert path.read_bytes() == b"no board at all" * 100
    path.unlink()
    path.symlink_to(path.with_name("elsewhere"))
    assert not set_halted(path, halted=True)
    assert not is_halted(path)


@pytest.mark.parametrize("names", [1, 5], ids=["same size", "another size"])
def test_a_writer_that_puts_a_new_file_in_its_place_takes_it_along(path: Path, names: int) -> None:
    former = BoardWriter(path, names=1, blob_bytes=4096)
    set_halted(path, halted=True)
    successor = BoardWriter(path, names=names, blob_bytes=4096)
    assert path.stat().st_ino != boards.os.fstat(former._descriptor).st_ino, "the former holds the lock: a new file"
    assert is_halted(path)
    successor.close()
    former.close()


def test_a_file_that_is_replaced_under_its_eyes_is_left_for_the_new_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = BoardWriter(path, names=1, blob_bytes=4096)
    opened = board_halt._open
    successors: list[BoardWriter] = []

    def replaced_meanwhile(board: Path, flags: int) -> object:
        memory = opened(board, flags)
        if not successors:
            successors.append(BoardWriter(path, names=1, blob_bytes=4096))
        return memory

    monkeypatch.setattr(board_halt, "_open", replaced_meanwhile)
    assert set_halted(path, halted=True)
    assert is_halted(path)
    successors[0].close()
    former.close()
