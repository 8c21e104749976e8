"""How a process finds the words of its breakers, on real boards: the agent's, and those that owners write."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from actors.breaker.link import Word
from actors.breaker.noticeboard import Noticeboard, states_on_board
from actors.breaker.packing import pack_settings
from actors.breaker.parcels import CHANGES, Said, posting
from actors.breaker.places import Place
from actors.breaker.published import Published, State
from actors.breaker.settings import BreakerSettings
from actors.runtime.board import BoardWriter
from actors.runtime.replicated import pack_word
from actors.service.bulletin import Bulletin, own_bulletin

KEY = "breaker/payments"
OWNER = f"s/{KEY}#1"
NAME = "payments"
DEFAULT = pack_settings(BreakerSettings())


class Boards:
    """A node's boards, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.agent = Bulletin(BoardWriter(self.path(None), names=64, blob_bytes=1 << 18), threading.Lock())
        self.own = own_bulletin(self.path(KEY))

    def path(self, key: str | None) -> Path:
        return self.folder / ("agent" if key is None else key.replace("/", "-"))

    def say(
        self,
        on: Bulletin | None,
        state: State,
        number: int,
        *,
        life: int = 1,
        name: str = NAME,
        settings: bytes = DEFAULT,
    ) -> None:
        assert on is not None
        published = Published(state=state, generation=(life << 32) + number)
        said = Said(name=name, published=published, settings=settings, owner=KEY)
        assert on.lay(f"s/{KEY}#{life}", [posting(said, pack_word(life, number))], 1, changes=CHANGES)


@pytest.fixture
def boards(tmp_path: Path) -> Boards:
    return Boards(tmp_path)


@pytest.fixture
def place() -> Place:
    made = Place(NAME)
    made.owner = OWNER
    return made


def state(place: Place) -> str | None:
    found = place.read()
    return None if found is None else found[1].published.state


def test_an_owners_own_board_is_believed_before_the_agent_has_it(boards: Boards, place: Place):
    notices = Noticeboard(boards.path)
    boards.say(boards.own, "closed", 1)
    boards.say(boards.agent, "closed", 1)
    notices.look_round([place])
    slot = place.slot
    boards.say(boards.own, "forced_open", 2)
    assert slot is not None
    assert slot.word() == pack_word(1, 2), "a call sees it without anybody looking round"
    assert state(place) == "forced_open"
    boards.say(boards.agent, "forced_open", 2)
    notices.look_round([place])
    assert place.slot is slot, "it does not move for what says the same"


def test_a_successor_elsewhere_is_believed_by_the_agents_board(boards: Boards, place: Place):
    notices = Noticeboard(boards.path)
    boards.say(boards.own, "forced_open", 2)
    notices.look_round([place])
    assert state(place) == "forced_open"
    place.owner = None
    notices.look_round([place])
    assert state(place) in {"forced_open", None}, "nobody has said anything else"
    boards.say(boards.agent, "disabled", 1, life=2)
    place.owner = f"s/{KEY}#2"
    notices.look_round([place])
    assert state(place) == "disabled"


def test_an_owner_of_another_node_has_no_board_here(boards: Boards):
    notices, place = Noticeboard(boards.path), Place("elsewhere")
    place.owner = "s/breaker/elsewhere#1"
    notices.look_round([place])
    assert place.slot is None
    boards.say(boards.agent, "forced_open", 1, name="elsewhere")
    notices.look_round([place])
    assert state(place) == "forced_open"


def test_followers_are_told_what_is_new_once(boards: Boards, place: Place):
    notices, told = Noticeboard(boards.path), list[str]()

    class Follower:
        def follow(self, word: Word) -> None:
            told.append(word.published.state)

        def found(self) -> None: ...
        def lost(self) -> None: ...
        def untold(self, events: object) -> None: ...

    place.attach(Follower())
    boards.say(boards.own, "forced_open", 1)
    for _ in range(3):
        notices.look_round([place])
    boards.say(boards.own, "disabled", 2)
    for _ in range(3):
        notices.look_round([place])
    assert told == ["forced_open", "disabled"]


def test_a_new_life_goes_on_in_the_file_of_the_one_before(boards: Boards, place: Place):
    notices = Noticeboard(boards.path)
    boards.say(boards.own, "forced_open", 5)
    notices.look_round([place])
    successor = own_bulletin(boards.path(KEY))
    notices.look_round([place])
    assert state(place) == "forced_open", "what a dead owner has said stays"
    boards.say(successor, "disabled", 1, life=2)
    notices.look_round([place])
    assert state(place) == "disabled"


def test_states_on_a_board_are_told_by_name(boards: Boards, tmp_path: Path):
    boards.say(boards.agent, "forced_open", 1)
    boards.say(boards.agent, "closed", 1, name="mail")
    assert states_on_board(boards.path(None)) == {"mail": "closed", NAME: "forced_open"}
    assert states_on_board(tmp_path / "none") == {}


def test_a_name_that_was_moved_to_the_agents_board_meanwhile_comes_back_to_its_owners(boards: Boards, place: Place):
    notices = Noticeboard(boards.path)
    boards.say(boards.own, "closed", 1)
    boards.say(boards.agent, "closed", 1)
    notices.look_round([place])
    place.owner = None  # as a thread saw it that attached just then
    notices.look([place])
    place.owner = OWNER
    notices.look_round([place])
    boards.say(boards.own, "forced_open", 2)
    assert place.slot is not None
    assert place.slot.word() == pack_word(1, 2)
