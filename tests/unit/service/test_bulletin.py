"""What owners say lies on the board in the order in which they say it, and nothing there misleads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.runtime.board import BoardReader, BoardWriter
from actors.runtime.replicated import Replica
from actors.service.bulletin import Bulletin, own_bulletin
from actors.service.posting import Posting, postings_of, read_posted

OWNER = "s/echo/main#2"


@pytest.fixture
def board(tmp_path: Path) -> Iterator[BoardWriter]:
    made = BoardWriter(tmp_path / "board", names=16, blob_bytes=256 * 1024)
    yield made
    made.close()


@pytest.fixture
def reader(board: BoardWriter, tmp_path: Path) -> BoardReader:
    return BoardReader(tmp_path / "board")


@pytest.fixture
def bulletin(board: BoardWriter) -> Bulletin:
    return Bulletin(board, threading.Lock())


def test_later_words_replace_earlier_ones_and_are_not_replaced_by_them(bulletin: Bulletin, reader: BoardReader):
    assert bulletin.lay(OWNER, [Posting("a", 5, b"five")], 1)
    assert bulletin.lay(OWNER, [Posting("a", 4, b"four"), Posting("b", 1, b"one")], 2)
    found = reader.read("a")
    assert found is not None
    assert (found[0], found[1][8:]) == (5, b"five")
    assert reader.read("b") is not None


def test_what_an_earlier_life_sends_is_dropped(bulletin: Bulletin, reader: BoardReader):
    bulletin.lay(OWNER, [Posting("a", 5, b"")], 1)
    assert not bulletin.lay("s/echo/main#1", [Posting("b", 1, b"")], 2)
    assert not bulletin.lay("nonsense", [Posting("b", 1, b"")], 2)
    assert reader.read("b") is None


def test_changes_are_counted_for_who_reads_many_names(bulletin: Bulletin, reader: BoardReader):
    words: list[int] = []
    for number in range(1, 4):
        bulletin.lay(OWNER, [Posting("a", number, b"")], 7, changes="all")
        found = reader.read("all")
        assert found is not None
        words.append(found[0])
    assert words == sorted(set(words))


def test_what_has_no_room_takes_with_it_what_it_replaces(bulletin: Bulletin, reader: BoardReader):
    small, large = Replica(2, 1, b"small"), Replica(2, 2, bytes(300 * 1024))
    assert bulletin.lay(OWNER, postings_of("echo/main/state", small), 1)
    found = read_posted("echo/main/state", reader.read, 1)
    assert found is not None
    assert found.replica == small
    assert not bulletin.lay(OWNER, postings_of("echo/main/state", large), 2)
    assert read_posted("echo/main/state", reader.read, 2) is None
    assert bulletin.lay(OWNER, postings_of("echo/main/state", Replica(2, 3, b"small again")), 3)


def test_an_ordered_end_takes_the_board_away_and_a_successors_stays(tmp_path: Path):
    path = tmp_path / "own"
    first = own_bulletin(path)
    assert first is not None
    assert first.lay(OWNER, [Posting("a", 1, b"one")], 1)
    successor = own_bulletin(path)
    first.close()
    assert successor is not None
    assert BoardReader(path).read("a") is not None, "a successor has it by now"
    successor.close()
    assert not path.exists()
    assert own_bulletin(tmp_path / "no" / "folder") is None
