"""The board against a dict: every order of puts, removals, successors and crashes, cut at any byte."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from actors.runtime.board import (
    BoardFencedError,
    BoardFullError,
    BoardReader,
    BoardSlot,
    BoardSlotGoneError,
    BoardWriter,
)
from actors.runtime.board_layout import Memory

NAMES, BLOB_BYTES = 3, 1024
STORES_OF_A_PUT_MAX = 400
Value = tuple[int, bytes]
Act = Callable[[BoardWriter], object]


class Killed(BaseException):
    """Where SIGKILL hit; not an Exception, so that nothing on the way mistakes it for a fault to handle."""


class Life:
    """A process that makes so many stores, one for each word and one for each octet of a copy, and then none."""

    def __init__(self, stores: int | None = None) -> None:
        self.left = stores
        self.made = 0
        self.over = False

    def spend(self, stores: int) -> int:
        """How many of these come through.

        Raises:
            Killed: None does, for the first time.
        """
        granted = 0 if self.over else stores if self.left is None else min(stores, self.left)
        self.made += granted
        self.left = None if self.left is None else self.left - granted
        return granted

    def end(self) -> None:
        if not self.over:
            self.over = True
            raise Killed


class MortalMemory(Memory):
    """Memory whose stores cease in the middle of one."""

    __slots__ = ("_life",)

    def __init__(self, buffer: memoryview, life: Life) -> None:
        super().__init__(buffer)
        self._life = life

    def store_word(self, index: int, value: int) -> None:
        if self._life.spend(1):
            super().store_word(index, value)
        else:
            self._life.end()

    def store_octets(self, offset: int, data: bytes) -> None:
        granted = self._life.spend(len(data))
        super().store_octets(offset, data[:granted])
        if granted < len(data):
            self._life.end()


def mortal(path: Path, life: Life) -> BoardWriter:
    return BoardWriter(path, names=NAMES, blob_bytes=BLOB_BYTES, memory=lambda buffer: MortalMemory(buffer, life))


def bury(writer: BoardWriter, life: Life) -> None:
    """Take the lock from a killed writer, as the kernel does; nothing it does reaches the file any more."""
    life.over = True
    writer.close()


def values(reader: BoardReader) -> dict[str, Value]:
    found = {name: reader.slot(name) for name in reader.names()}
    return {name: slot.read() for name, slot in found.items() if slot is not None}


def killed_at(path: Path, prepare: Act, act: Act, stores: int) -> bool:
    """Run `act` on a fresh board in a process that makes `stores` stores in it; False when it survived."""
    path.unlink(missing_ok=True)
    life = Life()
    writer = mortal(path, life)
    prepare(writer)
    life.left = stores
    try:
        act(writer)
    except Killed:
        bury(writer, life)
        return True
    bury(writer, life)
    return False


def wear_out(writer: BoardWriter) -> None:
    writer.put("b", 5, b"stays")
    for _ in range(11):
        writer.put("a", 1, b"old")
        writer.remove("a")


ACTS: dict[str, tuple[Act, Act, list[dict[str, Value]]]] = {
    "first put": (lambda w: None, lambda w: w.put("a", 1, b"new" * 20), [{}, {"a": (1, b"new" * 20)}]),
    "second put": (
        lambda w: w.put("a", 1, b"old"),
        lambda w: w.put("a", 2, b"new" * 20),
        [{"a": (1, b"old")}, {"a": (2, b"new" * 20)}],
    ),
    "put into the spare record": (
        lambda w: [w.put("a", word, b"old%d" % word) for word in (1, 2)],
        lambda w: w.put("a", 3, b"new3"),
        [{"a": (2, b"old2")}, {"a": (3, b"new3")}],
    ),
    "put into another's spare record": (
        lambda w: [w.put("b", word, bytes(200)) for word in (1, 2)],
        lambda w: w.put("a", 1, bytes(400)),
        [{"b": (2, bytes(200))}, {"b": (2, bytes(200)), "a": (1, bytes(400))}],
    ),
    "remove": (lambda w: w.put("a", 1, b"old"), lambda w: w.remove("a"), [{"a": (1, b"old")}, {}]),
    "put into a new file": (
        wear_out,
        lambda w: w.put("a", 2, b"new"),
        [{"b": (5, b"stays")}, {"b": (5, b"stays"), "a": (2, b"new")}],
    ),
}


@pytest.mark.parametrize("name", ACTS)
def test_a_write_cut_anywhere_happened_or_did_not(tmp_path: Path, name: str) -> None:
    """At every single store and octet: readers see the old or the new value, and so does the successor, for good."""
    prepare, act, allowed = ACTS[name]
    path, stores, killed, seen = tmp_path / "board", 0, True, dict[str, Value]()
    while killed:
        killed = killed_at(path, prepare, act, stores)
        reader = BoardReader(path)
        seen = values(reader)
        assert seen in allowed, f"after {stores} stores"
        successor = mortal(path, Life())
        reader.reopen()
        assert values(reader) == seen, f"the successor after {stores} stores"
        assert all((slot := reader.slot(name)) and slot.word() == word for name, (word, _) in seen.items())
        successor.put("c", 9, b"goes on")
        reader.reopen()
        assert values(reader) == {**seen, "c": (9, b"goes on")}
        successor.close()
        stores += 1
    assert seen == allowed[-1]
    assert stores > 2


class BoardAgainstDict(RuleBasedStateMachine):
    """A writer with its crashes and successors, a dict that says what must be there, a reader, and slots kept long."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="board-"))
        self.path = self.folder / "board"
        self.model: dict[str, Value] = {}
        self.life = Life()
        self.writer = mortal(self.path, self.life)
        self.reader = BoardReader(self.path)
        self.slots: list[tuple[str, BoardSlot]] = []

    names = st.sampled_from(["a", "b", "ä/c", "d"])
    words = st.integers(1, 2**64 - 1)
    payloads = st.one_of(st.binary(max_size=24), st.integers(0, 500).map(bytes))
    cuts = st.integers(0, STORES_OF_A_PUT_MAX)

    @rule(name=names, word=words, payload=payloads)
    def put(self, name: str, word: int, payload: bytes) -> None:
        try:
            self.writer.put(name, word, payload)
        except BoardFullError:
            return
        self.model[name] = (word, payload)

    @rule(name=names)
    def remove(self, name: str) -> None:
        assert self.writer.remove(name) == (self.model.pop(name, None) is not None)

    @rule(name=names, times=st.integers(1, 12))
    def come_and_go(self, name: str, times: int) -> None:
        self.remove(name)
        for _ in range(times):
            self.put(name, 1, b"")
            self.remove(name)

    @rule(name=names, word=words, payload=payloads, cut=cuts)
    def die_in_put(self, name: str, word: int, payload: bytes, cut: int) -> None:
        self._die(lambda: self.writer.put(name, word, payload), {**self.model, name: (word, payload)}, cut)

    @rule(name=names, cut=st.integers(0, 6))
    def die_in_remove(self, name: str, cut: int) -> None:
        after = {key: value for key, value in self.model.items() if key != name}
        self._die(lambda: self.writer.remove(name), after, cut)

    @rule(cut=cuts)
    def die_in_take_over(self, cut: int) -> None:
        self._die(lambda: None, self.model, 0)
        self.writer.close()
        self.life = Life(cut)
        try:
            bury(mortal(self.path, self.life), self.life)
        except Killed:
            pass
        self._succeed()

    @rule()
    def hand_over(self) -> None:
        self.writer.close()
        self._succeed()

    @rule()
    def be_fenced(self) -> None:
        former = self.writer
        self._succeed()
        with pytest.raises(BoardFencedError):
            former.put("a", 1, b"stale")
        former.close()

    @rule(name=names)
    def keep_slot(self, name: str) -> None:
        self._follow()
        slot = self.reader.slot(name)
        assert (slot is not None) == (name in self.model)
        if slot is not None:
            self.slots.append((name, slot))

    @rule()
    def reopen(self) -> None:
        self.reader.reopen()

    @invariant()
    def readers_agree(self) -> None:
        self._follow()
        assert values(self.reader) == self.model
        assert values(BoardReader(self.path)) == self.model

    @invariant()
    def kept_slots_are_right_or_zero(self) -> None:
        for name, slot in self.slots:
            if slot.word():
                assert slot.read() == self.model[name]
                assert slot.word() == self.model[name][0]
            else:
                with pytest.raises(BoardSlotGoneError):
                    slot.read()

    def teardown(self) -> None:
        self.writer.close()
        shutil.rmtree(self.folder)

    def _follow(self) -> None:
        if self.reader.is_stale():
            self.reader.reopen()
        assert not self.reader.is_stale()

    def _die(self, act: Callable[[], object], after: dict[str, Value], cut: int) -> None:
        self.life.left = cut
        try:
            act()
        except (Killed, BoardFullError):
            pass
        bury(self.writer, self.life)
        seen = values(BoardReader(self.path))
        assert seen in (self.model, after)
        self.model = seen
        self._succeed()

    def _succeed(self) -> None:
        self.life = Life()
        self.writer = mortal(self.path, self.life)


BoardAgainstDict.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestBoardAgainstDict = BoardAgainstDict.TestCase
