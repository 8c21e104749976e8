"""The flag is up until it is taken down, and counts even if it cannot be read."""

from __future__ import annotations

from pathlib import Path

from actors.runtime.board import BoardWriter
from experiments.ledger.halt import Halted, HaltFlag
from tests.unit.node_agent.full_disk import full_disk


def test_up_and_down(tmp_path: Path) -> None:
    flag = HaltFlag(tmp_path / "s-1.board")
    assert (flag.is_up(), flag.read()) == (False, None)
    flag.take_down()
    flag.put_up(Halted(who="ann", why="enough", at_us=3))
    flag.put_up(Halted(who="bob", why="more than enough", at_us=4))
    assert (flag.is_up(), flag.read()) == (True, Halted(who="bob", why="more than enough", at_us=4))
    assert [path.name for path in tmp_path.iterdir()] == ["s-1.chaos-halt"]
    flag.take_down()
    assert (flag.is_up(), flag.read()) == (False, None)


def test_what_cannot_be_read_counts(tmp_path: Path) -> None:
    flag = HaltFlag(tmp_path / "s-1.board")
    for what in (b"", b"{}", b"[]", b"\xff"):
        flag.path.write_bytes(what)
        halted = flag.read()
        assert flag.is_up()
        assert halted is not None
        assert "cannot be read" in halted.why


def test_where_no_words_can_be_written_it_is_up_without_them(tmp_path: Path) -> None:
    board = tmp_path / "s-1.board"
    BoardWriter(board, names=1, blob_bytes=4096).close()
    flag = HaltFlag(board)
    with full_disk():
        flag.put_up(Halted(who="ann", why="enough"))
    halted = flag.read()
    assert flag.is_up()
    assert halted is not None
    assert "could not be written" in halted.why
    flag.take_down()
    assert flag.read() is None


def test_no_halt_fails_by_its_reason(tmp_path: Path) -> None:
    flag = HaltFlag(tmp_path / "s-1.board")
    flag.put_up(Halted(who="\U0001f9ef" * 10_000, why="\U0001f9ef" * 10_000))
    halted = flag.read()
    assert halted is not None
    assert halted.why == "\U0001f9ef" * 1000
