"""The boards of the node as a process's breakers read them: the agent's, and those of the owners that are here.

The agent's has the words of all owners; an owner's own has its words some milliseconds sooner, and what a killed one
has left. Of a name that is on both the greater word is the later one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from actors.breaker.parcels import BOARD_PREFIX, CHANGES, read_laid
from actors.breaker.places import Place
from actors.runtime.board import BoardReader, BoardSlot
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import SupervisorError
from actors.runtime.ids import ActorName
from actors.service.near import near_address
from actors.service.node_board import NodeBoard


class _Sheet:
    """One board, and whether something on it is new."""

    def __init__(self, board: NodeBoard) -> None:
        self.board = board
        self._changes: BoardSlot | None = None
        self._seen = 0

    def look(self) -> bool:
        """Make sure of the board; whether anything has changed on it since the last time."""
        moved = self.board.open()
        reader = self.board.reader
        if moved:
            self._changes, self._seen = None, 0
        if self._changes is None and reader is not None:
            self._changes = reader.slot(CHANGES)
        word = 0 if self._changes is None else self._changes.word()
        news = moved or word != self._seen
        self._seen = word
        return news

    def slot(self, name: str) -> BoardSlot | None:
        """A breaker's place on it."""
        reader = self.board.reader
        return None if reader is None else reader.slot(f"{BOARD_PREFIX}{name}")


class Noticeboard:
    """Finds the words of breakers, and follows the boards when they are replaced.

    Args:
        path: The file of the agent's board, or of the own board of the owner of this key.
    """

    def __init__(self, path: Callable[[str | None], Path]) -> None:
        self._path = path
        self._node = _Sheet(NodeBoard(partial(path, None)))
        self._own: dict[str, _Sheet] = {}
        self._owners: dict[str, str | None] = {}

    @property
    def is_alive(self) -> bool:
        """Whether there is an agent's board, and its writer lives."""
        return self._node.board.is_alive

    def near_address(self, owner: str) -> bytes:
        """Where an owner serves its node, if it is this one."""
        return near_address(self._path(None), owner)

    def anew(self) -> Noticeboard:
        """The same boards for a forked child, whose parent may have held a lock of these."""
        return Noticeboard(self._path)

    def names(self) -> Iterable[str]:
        """All breakers of the cluster whose words lie on the agent's board."""
        return names_on_board(self._path(None))

    def look_round(self, places: Iterable[Place]) -> None:
        """Tell the followers of these names whatever is new on the boards."""
        places = list(places)
        news = self._node.look()
        fresh = {key for key, sheet in list(self._own.items()) if sheet.look()}
        for place in places:
            owner = place.owner
            key = _key_of(owner)
            known = self._owners.get(place.name) == owner and self._is_on_owners(place, key)
            if news or place.slot is None or key in fresh or not known:
                self._owners[place.name] = owner
                self._find(place, key)
                place.look()

    def look(self, places: Iterable[Place]) -> None:
        """Tell the followers of names that are new here what the boards have of them."""
        for place in places:
            self._find(place, _key_of(place.owner))
            place.look()

    def _find(self, place: Place, key: str | None) -> None:
        found = [self._node.slot(place.name)]
        if key is not None:
            found.append(self._sheet(key).slot(place.name))
        slots = [slot for slot in found if slot is not None and slot.word() != 0]
        latest = max(reversed(slots), key=BoardSlot.word, default=None)  # of two that say the same, the owner's own
        if not _is_same(latest, place.slot):
            place.move_to(latest)

    def _sheet(self, key: str) -> _Sheet:
        sheet = self._own.get(key)
        if sheet is None:
            made = _Sheet(NodeBoard(partial(self._path, key)))
            made.look()
            sheet = self._own.setdefault(key, made)
        return sheet

    def _is_on_owners(self, place: Place, key: str | None) -> bool:
        """Whether it reads the owner's own board, if there is one: a thread that attached may have moved it away."""
        if key is None or place.slot is None:
            return key is None
        reader = self._sheet(key).board.reader
        return reader is None or reader.has(place.slot)


def _key_of(owner: str | None) -> str | None:
    name = None if owner is None else ActorName.parse(owner)
    return None if name is None else name.key


def _is_same(one: BoardSlot | None, other: BoardSlot | None) -> bool:
    """Whether both are the same place in the same file."""
    if one is None or other is None:
        return one is other
    return one.words is other.words and one.at == other.at


def names_on_board(path: Path) -> list[str]:
    """The breakers that lie on a board; none without a board."""
    try:
        laid = BoardReader(path).names()
    except (SupervisorError, OSError):
        return []
    return [name.removeprefix(BOARD_PREFIX) for name in laid if name.startswith(BOARD_PREFIX)]


def states_on_board(path: Path) -> dict[str, str]:
    """The state of each breaker that lies on a board, by name; none without a board."""
    found: dict[str, str] = {}
    try:
        reader = BoardReader(path)
        for laid in reader.names():
            record = reader.read(laid) if laid.startswith(BOARD_PREFIX) else None
            if record is not None:
                said = read_laid(laid.removeprefix(BOARD_PREFIX), record[1], SYSTEM_CLOCK.now_ns())
                found[said.name] = said.published.state
    except (SupervisorError, OSError, ValueError):
        return found
    return dict(sorted(found.items()))
