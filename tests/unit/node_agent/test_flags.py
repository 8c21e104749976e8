"""Flags: there or not, whoever looks; a name is no way out of the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.node_agent import flags


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
        flags.put_up(tmp_path / "s.board", "halt", b"x" * 5000)
