"""The flag is up until it is taken down, and counts even if it cannot be read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
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


def test_whoever_sees_it_go_up_or_down_is_told_who_put_it_up(tmp_path: Path) -> None:
    """Else a run that looks in that moment is written down as ended by nobody."""
    board = tmp_path / "s-1.board"
    BoardWriter(board, names=1, blob_bytes=4096).close()
    flag = HaltFlag(board)
    seen: set[str] = set()
    with ThreadPoolExecutor(1) as pool:
        for _ in range(300):
            going_up = pool.submit(flag.put_up, Halted(who="ann", why="enough"))
            while (halted := flag.read()) is None:
                pass
            seen.add(halted.who)
            going_up.result()
            going_down = pool.submit(flag.take_down)
            while (halted := flag.read()) is not None:
                seen.add(halted.who)
            going_down.result()
    assert seen == {"ann"}


def test_two_who_put_it_up_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    """One that ends a run is a file alone: nothing else would say that it is up."""
    flag = HaltFlag(tmp_path / "s-1.board", "chaos-stop-r1")
    with ThreadPoolExecutor(4) as pool:
        for _ in range(200):
            for put in [pool.submit(flag.put_up, Halted(who="ann", why="enough")) for _ in range(4)]:
                put.result()
    assert [path.name for path in tmp_path.iterdir()] == ["s-1.chaos-stop-r1"]


def test_no_halt_fails_by_its_reason(tmp_path: Path) -> None:
    flag = HaltFlag(tmp_path / "s-1.board")
    flag.put_up(Halted(who="\U0001f9ef" * 10_000, why="\U0001f9ef" * 10_000))
    halted = flag.read()
    assert halted is not None
    assert halted.why == "\U0001f9ef" * 1000
