"""The flag is up until it is taken down, and counts even if it cannot be read."""

from __future__ import annotations

from pathlib import Path

from experiments.ledger.halt import Halted, HaltFlag


def test_up_and_down(tmp_path: Path) -> None:
    flag = HaltFlag(tmp_path / "halt")
    assert (flag.is_up(), flag.read()) == (False, None)
    flag.take_down()
    flag.put_up(Halted(who="ann", why="enough", at_us=3))
    flag.put_up(Halted(who="bob", why="more than enough", at_us=4))
    assert (flag.is_up(), flag.read()) == (True, Halted(who="bob", why="more than enough", at_us=4))
    assert [path.name for path in tmp_path.iterdir()] == ["halt"]
    flag.take_down()
    assert (flag.is_up(), flag.read()) == (False, None)


def test_what_cannot_be_read_counts(tmp_path: Path) -> None:
    flag = HaltFlag(tmp_path / "halt")
    for what in (b"", b"{}", b"[]", b"\xff"):
        flag.path.write_bytes(what)
        halted = flag.read()
        assert flag.is_up()
        assert halted is not None
        assert "cannot be read" in halted.why
