"""Flags: there or not, whoever looks; a name is no way out of the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.node_agent import flags
from actors.runtime.board import BoardWriter
from actors.runtime.board_halt import is_halted
from tests.unit.node_agent.full_disk import full_disk


def test_a_flag_says_the_latest_text_until_it_is_taken_down(tmp_path: Path) -> None:
    board = tmp_path / "sup-n1.board"
    flags.put_up(board, "chaos-halt", b"first")
    flags.put_up(board, "chaos-halt", b"second")
    path = tmp_path / "sup-n1.chaos-halt"
    assert path.read_bytes() == b"second"
    assert path.stat().st_mode & 0o777 == 0o600
    flags.take_down(board, "chaos-halt")
    flags.take_down(board, "chaos-halt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 200])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="names no flag"):
        flags.put_up(tmp_path / "s.board", name, b"")


def test_a_text_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorten it"):
        flags.put_up(tmp_path / "s.board", "halt", b"x" * (flags.BYTES_MAX + 1))


def test_a_halt_is_a_word_on_the_board_too_and_another_flag_is_none(tmp_path: Path) -> None:
    board = tmp_path / "s-1.board"
    BoardWriter(board, names=1, blob_bytes=4096).close()
    flags.put_up(board, "chaos-stop-r1", b"")
    assert not is_halted(board)
    flags.put_up(board, flags.HALT, b"why")
    assert is_halted(board)
    flags.flag_path(board, flags.HALT).unlink()
    assert flags.is_up(board, flags.HALT), "whoever clears a folder up allows nothing"
    flags.take_down(board, flags.HALT)
    assert not flags.is_up(board, flags.HALT)


def test_a_halt_needs_no_room_on_the_disk(tmp_path: Path) -> None:
    board = tmp_path / "s-1.board"
    BoardWriter(board, names=1, blob_bytes=4096).close()
    with full_disk():
        with pytest.raises(OSError, match="File too large"):
            flags.put_up(board, "chaos-stop-r1", b"why")
        flags.put_up(board, flags.HALT, b"why")
    assert flags.is_up(board, flags.HALT)
    assert flags.text_of(board, flags.HALT) is None
    assert list(tmp_path.iterdir()) == [board], "nothing half written is left"
    flags.take_down(board, flags.HALT)
    assert not flags.is_up(board, flags.HALT)
    with full_disk(), pytest.raises(OSError, match="File too large"):
        flags.put_up(tmp_path / "none.board", flags.HALT, b"why")
