"""A state is followed on a board, over its replacement, and by what the owner says where there is none."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from actors.runtime.board import BoardWriter
from actors.runtime.replicated import Replica
from actors.service.follower import StateFollower
from actors.service.node_board import NodeBoard
from actors.service.posting import postings_of, stamped, state_name

KEY, TOPIC = "echo/main", "state"


def lay(board: BoardWriter, replica: Replica) -> None:
    for each in postings_of(state_name(KEY, TOPIC), replica):
        board.put(each.name, each.word, stamped(each.octets, time.monotonic_ns()))
    board.beat(time.monotonic_ns())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "board"


@pytest.fixture
def told() -> list[Replica]:
    return []


@pytest.fixture
def follower(path: Path, told: list[Replica]) -> StateFollower:
    return StateFollower(KEY, TOPIC, NodeBoard(lambda: path), told.append)


def test_nothing_is_known_before_there_is_a_board(follower: StateFollower):
    follower.find()
    assert (follower.look(), follower.known, follower.is_on_board) == (None, (0, 0), False)


def test_what_is_laid_is_read_once_and_told(follower: StateFollower, path: Path, told: list[Replica]):
    board = BoardWriter(path)
    first, second = Replica(1, 1, b"first"), Replica(1, 2, b"second")
    lay(board, first)
    follower.find()
    assert follower.look() == first
    assert follower.words[follower.at] == follower.seen
    lay(board, second)
    assert follower.words[follower.at] != follower.seen
    assert follower.look() == second
    assert (follower.is_on_board, follower.known, told) == (True, (1, 2), [first, second])
    board.close()


def test_it_knows_how_old_what_it_knows_is(follower: StateFollower, path: Path):
    assert follower.age_s == 0.0
    board = BoardWriter(path)
    laid_ns = time.monotonic_ns() - 60 * 10**9
    for each in postings_of(state_name(KEY, TOPIC), Replica(1, 1, b"first")):
        board.put(each.name, each.word, stamped(each.octets, laid_ns))
    board.beat(time.monotonic_ns())
    follower.find()
    assert follower.age_s >= 60.0
    assert follower.offer(Replica(1, 2, b"owner"))
    assert follower.age_s < 60.0
    board.close()


def test_it_goes_on_in_the_file_that_takes_the_boards_place(follower: StateFollower, path: Path):
    former = BoardWriter(path)
    lay(former, Replica(1, 1, b"first"))
    follower.find()
    successor = BoardWriter(path)  # the former still holds the file: a new one takes its place
    lay(successor, Replica(1, 2, b"second"))
    assert follower.look() == Replica(1, 1, b"first")
    follower.find()
    assert follower.look() == Replica(1, 2, b"second")
    successor.close()
    former.close()


def test_what_the_owner_says_counts_if_it_is_later(follower: StateFollower, path: Path, told: list[Replica]):
    board = BoardWriter(path)
    lay(board, Replica(2, 1, b"board"))
    follower.find()
    assert not follower.offer(Replica(1, 9, b"earlier life"))
    assert follower.offer(Replica(2, 2, b"owner"))
    assert follower.look() == Replica(2, 2, b"owner")
    assert [replica.payload for replica in told] == [b"board", b"owner"]
    board.close()


def test_without_its_writer_the_owner_is_to_be_asked_and_what_is_known_is_read_on(follower: StateFollower, path: Path):
    board = BoardWriter(path)
    lay(board, Replica(1, 1, b"first"))
    follower.find()
    board.close()
    follower.find()
    assert not follower.is_on_board
    assert follower.look() == Replica(1, 1, b"first")


def test_a_state_of_which_pages_are_missing_is_asked_for(follower: StateFollower, path: Path):
    board = BoardWriter(path)
    lay(board, Replica(1, 1, bytes(200_000)))
    board.remove(f"{state_name(KEY, TOPIC)}/1")
    follower.find()
    assert follower.look() is None
    assert not follower.is_on_board
    board.close()


def test_the_owners_own_board_is_read_while_it_is_ahead_and_the_agents_when_that_is(
    tmp_path: Path, path: Path, told: list[Replica]
):
    agents, own = BoardWriter(path), BoardWriter(tmp_path / "own")
    follower = StateFollower(KEY, TOPIC, NodeBoard(lambda: path), told.append, own=NodeBoard(lambda: tmp_path / "own"))
    first, second, third = Replica(1, 1, b"first"), Replica(1, 2, b"second"), Replica(2, 1, b"a successor elsewhere")
    lay(agents, first)
    lay(own, first)
    follower.find()
    lay(own, second)
    assert follower.words[follower.at] != follower.seen, "seen without a look at the boards"
    assert follower.look() == second
    lay(agents, second)
    follower.find()
    lay(agents, third)
    follower.find()
    assert follower.look() == third
    assert (told, follower.is_on_board) == ([first, second, third], True)
    agents.close()
    own.close()
