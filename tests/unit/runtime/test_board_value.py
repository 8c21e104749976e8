"""One value on a board, laid and followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.runtime.board import BoardWriter
from actors.runtime.board_pages import PAGE_BYTES
from actors.runtime.board_value import OWN_BYTES, BoardValue, OwnBoard, lay
from actors.runtime.replicated import Replica

SMALL = Replica(1, 1, b"small")
LARGE = Replica(1, 2, b"x" * (2 * PAGE_BYTES + 7))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "own.board"


@pytest.fixture
def value(path: Path) -> BoardValue:
    return BoardValue(path, "view")


def test_each_value_is_news_once(path: Path, value: BoardValue):
    assert not value.open()
    assert value.news() is None
    board = OwnBoard(path)
    board.lay("view", SMALL)
    assert value.open()
    assert (value.news(), value.news()) == (SMALL, None)
    board.lay("view", LARGE)
    assert (value.news(), value.news()) == (LARGE, None)


def test_a_new_writer_is_followed_into_its_file(path: Path, value: BoardValue):
    first = OwnBoard(path)
    first.lay("view", SMALL)
    assert value.open()
    assert value.news() == SMALL
    second = OwnBoard(path)
    second.lay("view", Replica(2, 1, b"of the successor"))
    first.lay("view", Replica(1, 9, b"of who was replaced"))
    assert value.open()
    assert value.news() == Replica(2, 1, b"of the successor")


def test_what_was_taken_away_is_not_there_for_who_comes(path: Path, value: BoardValue):
    board = OwnBoard(path)
    board.lay("view", SMALL)
    board.close()
    board.close()
    board.lay("view", LARGE)
    assert not value.open()


def test_a_value_that_has_no_room_is_no_trouble(path: Path, value: BoardValue):
    board = OwnBoard(path)
    board.lay("view", SMALL)
    board.lay("view", Replica(1, 2, bytes(OWN_BYTES * 2)))
    board.lay("view", Replica(1, 3, b"small again"))
    assert value.open()
    assert value.news() == Replica(1, 3, b"small again")


def test_where_no_board_can_be_nobody_is_troubled(tmp_path: Path):
    board = OwnBoard(tmp_path / "no" / "folder.board")
    board.lay("view", SMALL)
    board.close()


def test_a_half_laid_value_is_no_news(path: Path, value: BoardValue):
    writer = BoardWriter(path)
    lay(writer, "view", LARGE)
    assert value.open()
    writer.put("view/1", Replica(1, 3, b"").word, b"the next one's page")
    assert value.news() is None
    lay(writer, "view", Replica(1, 3, LARGE.payload))
    assert value.news() == Replica(1, 3, LARGE.payload)


def test_the_writers_lease_is_told(path: Path, value: BoardValue):
    writer = BoardWriter(path)
    lay(writer, "view", SMALL)
    assert not value.is_alive(3.0), "nobody has looked"
    value.open()
    assert not value.is_alive(3.0), "it was never heard"
    now_ns = value._clock.now_ns()
    writer.beat(now_ns)
    assert value.is_alive(3.0)
    writer.beat(now_ns - 4 * 10**9)
    assert not value.is_alive(3.0)
