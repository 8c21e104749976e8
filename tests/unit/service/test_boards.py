"""An owner's way to the boards: its own first, the agents of other nodes at once, that of its node afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ray.exceptions import ActorUnavailableError

from actors.runtime.board import BoardReader
from actors.service.boards import Boards
from actors.service.bulletin import Bulletin, own_bulletin
from actors.service.posting import Posting
from supervisor.link import wait_until

OWNER = "s/breaker/bank#1"


class Agent:
    """What was posted to one node's agent; answers when it is bidden."""

    def __init__(self) -> None:
        self.posted: list[list[str]] = []
        self.callbacks: list[Callable[[Any], None]] = []
        self.post = self

    def remote(self, owner: str, postings: Any, changes: str | None) -> Agent:
        assert (owner, changes) == (OWNER, "breakers")
        self.posted.append([posting.name for posting in postings])
        return self

    def _on_completed(self, callback: Callable[[Any], None]) -> None:
        self.callbacks.append(callback)


class Node:
    """The owner's node `here`, and another one."""

    def __init__(self, own: Bulletin | None) -> None:
        self.agents = {"a/here": Agent(), "a/there": Agent()}
        self.here, self.there = self.agents.values()
        self.everything = [posting("all", 1)]
        self.boards = Boards(
            OWNER,
            lambda: self.everything,
            changes="breakers",
            own=own,
            here="here",
            lookup=self.agents.__getitem__,
        )
        self.boards.follow({"here": "a/here", "there": "a/there"})
        self.here.posted.clear()
        self.there.posted.clear()


def posting(name: str, word: int) -> Posting:
    return Posting(name, word, b"octets")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "own.board"


@pytest.fixture
def node(path: Path) -> Node:
    return Node(own_bulletin(path))


def lay(node: Node, *postings: Posting) -> None:
    node.boards.send(postings, lies_here=node.boards.lay_here(postings))


def test_the_owners_board_has_it_at_once_and_the_nodes_agent_a_little_later(node: Node, path: Path):
    lay(node, posting("bank", 5))
    slot = BoardReader(path).slot("bank")
    assert slot is not None
    assert slot.word() == 5
    assert (node.here.posted, node.there.posted) == ([], [["bank"]])
    assert node.boards.due_at is not None
    lay(node, posting("shop", 6), posting("bank", 7))

    def caught_up() -> bool:
        node.boards.catch_up()
        return bool(node.here.posted)

    assert wait_until(caught_up, 30.0)
    assert node.here.posted == [["bank", "shop"]], "the latest of each, in one call"
    assert node.boards.due_at is None


def test_without_a_board_of_its_own_the_nodes_agent_is_told_at_once():
    node = Node(None)
    lay(node, posting("bank", 5))
    assert node.here.posted == [["bank"]]
    assert node.boards.due_at is None


def test_at_an_orderly_end_the_agent_has_all_that_the_owners_board_had(node: Node, path: Path):
    lay(node, posting("bank", 5))
    node.boards.close()
    assert node.here.posted == [["bank"]]
    assert not path.exists()


def test_an_agent_that_was_out_of_reach_is_told_everything(node: Node):
    lay(node, posting("bank", 5))
    node.there.callbacks[-1](ActorUnavailableError("cut off", None))
    node.boards.catch_up()
    assert node.there.posted == [["bank"], ["all"]]
