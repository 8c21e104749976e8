"""The board in one process: values, bounds, leases, successors, and files that cannot be used."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.runtime import board_layout as layout
from actors.runtime.board import (
    BoardFencedError,
    BoardFullError,
    BoardReader,
    BoardSlot,
    BoardSlotGoneError,
    BoardUnavailableError,
    BoardWriter,
)

NAMES, BLOB_BYTES = 4, 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "board"


@pytest.fixture
def writer(path: Path) -> Iterator[BoardWriter]:
    writer = opened(path)
    yield writer
    writer.close()


def opened(path: Path) -> BoardWriter:
    return BoardWriter(path, names=NAMES, blob_bytes=BLOB_BYTES)


def slot_of(reader: BoardReader, name: str) -> BoardSlot:
    slot = reader.slot(name)
    assert slot is not None
    return slot


def values(reader: BoardReader) -> dict[str, tuple[int, bytes]]:
    return {name: slot_of(reader, name).read() for name in reader.names()}


def damage(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_what_is_put_is_read(path: Path, writer: BoardWriter) -> None:
    reader = BoardReader(path)
    assert reader.slot("payments") is None
    writer.put("payments", 1, b"closed")
    slot = slot_of(reader, "payments")
    assert (slot.word(), slot.read()) == (1, (1, b"closed"))
    for word, payload in ((2, b""), (2**64 - 1, b"x" * 500), (3, b"closed")):
        writer.put("payments", word, payload)
        assert (slot.word(), slot.read()) == (word, (word, payload))


def test_the_largest_name_and_payload_fit(path: Path) -> None:
    writer = BoardWriter(path)
    name, payload = "ä" * 100, os.urandom(64 * 1024)
    writer.put(name, 1, payload)
    assert values(BoardReader(path)) == {name: (1, payload)}
    writer.close()


@pytest.mark.parametrize(
    ("name", "word", "payload", "remedy"),
    [
        ("a", 0, b"", "from 1 to"),
        ("a", 2**64, b"", "from 1 to"),
        ("", 1, b"", "200 bytes"),
        ("ä" * 101, 1, b"", "200 bytes"),
        ("a", 1, bytes(64 * 1024 + 1), "split it"),
    ],
)
def test_arguments_out_of_bounds_change_nothing(
    path: Path, writer: BoardWriter, name: str, word: int, payload: bytes, remedy: str
) -> None:
    with pytest.raises(ValueError, match=remedy):
        writer.put(name, word, payload)
    assert BoardReader(path).names() == ()


@pytest.mark.parametrize(("names", "blob_bytes"), [(0, 1), (1, 0)])
def test_a_board_has_room(path: Path, names: int, blob_bytes: int) -> None:
    with pytest.raises(ValueError, match="a board needs"):
        BoardWriter(path, names=names, blob_bytes=blob_bytes)


def test_a_removed_name_reads_zero_for_ever(path: Path, writer: BoardWriter) -> None:
    """A slot never shows the value of a later owner of its place, not even of the same name and word."""
    reader = BoardReader(path)
    writer.put("a", 1, b"first")
    slot = slot_of(reader, "a")
    assert writer.remove("a") is True
    assert writer.remove("a") is False
    assert (slot.word(), reader.slot("a"), reader.names()) == (0, None, ())
    writer.put("b", 1, b"other")
    writer.put("a", 1, b"second")
    assert slot.word() == 0
    with pytest.raises(BoardSlotGoneError, match="ask slot") as caught:
        slot.read()
    assert caught.value.name == "a"
    assert values(reader) == {"b": (1, b"other"), "a": (1, b"second")}


def test_names_are_bounded(path: Path, writer: BoardWriter) -> None:
    for number in range(NAMES):
        writer.put(f"n{number}", 1, b"")
    with pytest.raises(BoardFullError, match="Raise names") as caught:
        writer.put("one more", 1, b"")
    assert (caught.value.what, caught.value.limit) == ("names", NAMES)
    writer.put("n0", 2, b"known names go on")
    writer.remove("n1")
    writer.put("one more", 1, b"")
    assert BoardReader(path).names() == ("n0", "n2", "n3", "one more")


def test_payload_room_is_bounded_and_a_refused_put_keeps_the_value(path: Path, writer: BoardWriter) -> None:
    writer.put("a", 1, b"kept")
    with pytest.raises(BoardFullError, match="Raise blob_bytes") as caught:
        writer.put("a", 2, bytes(BLOB_BYTES))
    assert (caught.value.name, caught.value.what) == ("a", "blob_bytes")
    with pytest.raises(BoardFullError):
        writer.put("new", 1, bytes(BLOB_BYTES))
    assert values(BoardReader(path)) == {"a": (1, b"kept")}
    writer.put("a", 2, b"again")
    assert values(BoardReader(path)) == {"a": (2, b"again")}


def test_spare_records_make_room_for_others(path: Path, writer: BoardWriter) -> None:
    payload = bytes(BLOB_BYTES // 4)
    for word in (1, 2):
        writer.put("a", word, payload)
    writer.put("b", 1, payload)
    writer.put("c", 1, payload[:100])
    writer.put("b", 2, payload)
    assert {name: word for name, (word, _) in values(BoardReader(path)).items()} == {"a": 2, "b": 2, "c": 1}


def test_worn_places_are_renewed_in_a_new_file(path: Path, writer: BoardWriter) -> None:
    reader = BoardReader(path)
    writer.put("stays", 7, b"payload")
    writer.beat(1000)
    slot = slot_of(reader, "stays")
    for number in range(NAMES * layout.PLACES_PER_NAME):
        writer.put("comes and goes", number + 1, b"")
        writer.remove("comes and goes")
    assert reader.is_stale()
    assert slot.word() == 0
    assert not reader.writer_alive(1000, 10)
    with pytest.raises(BoardSlotGoneError, match="reopen"):
        slot.read()
    reader.reopen()
    writer.beat(2000)
    assert not reader.is_stale()
    assert reader.writer_alive(2000, 10)
    assert values(reader) == {"stays": (7, b"payload")}


def test_the_lease_follows_the_beat(path: Path, writer: BoardWriter) -> None:
    reader = BoardReader(path)
    assert not reader.writer_alive(0, 100)
    writer.beat(1000)
    assert [reader.writer_alive(now, 100) for now in (990, 1100, 1101)] == [True, True, False]
    assert not reader.writer_alive(10, 100), "a beat from before the last boot"
    writer.close()
    assert not reader.writer_alive(1000, 100)


def test_a_successor_goes_on_in_the_same_file(path: Path, writer: BoardWriter) -> None:
    reader = BoardReader(path)
    writer.put("a", 1, b"first")
    slot = slot_of(reader, "a")
    writer.close()
    writer.close()
    assert slot.read() == (1, b"first")
    path.chmod(0o644)
    successor = opened(path)
    assert path.stat().st_mode & 0o777 == 0o600
    successor.put("a", 2, b"second")
    successor.put("b", 1, b"more")
    assert not reader.is_stale()
    assert slot.read() == (2, b"second")
    assert values(reader) == {"a": (2, b"second"), "b": (1, b"more")}
    successor.close()
    with pytest.raises(BoardUnavailableError, match="closed"):
        successor.put("a", 3, b"")


def test_a_successor_never_repeats_a_sequence(path: Path, writer: BoardWriter) -> None:
    """A reader that slept through the change of writers must not take another record for the one it began to copy."""
    at, locators = (layout.place_at(0) + layout.LOCATOR) * 8, list[bytes]()
    writer.put("a", 1, b"")
    writer.put("b", 1, b"")
    writer.remove("b")
    writer.close()
    for word in range(2, 6):
        successor = opened(path)
        successor.put("a", word, b"")
        successor.close()
        locators.append(path.read_bytes()[at + 4 : at + 8])
    assert [int.from_bytes(locator, "little") for locator in locators] == [3, 4, 5, 6]


def test_a_writer_that_may_live_is_fenced_and_its_values_are_kept(path: Path, writer: BoardWriter) -> None:
    reader = BoardReader(path)
    writer.put("a", 1, b"kept")
    writer.put("gone", 1, b"")
    writer.remove("gone")
    slot = slot_of(reader, "a")
    successor = opened(path)
    for refused in (lambda: writer.put("a", 2, b"stale"), lambda: writer.remove("a"), lambda: writer.beat(1)):
        with pytest.raises(BoardFencedError, match="taken over"):
            refused()
    assert (slot.word(), reader.is_stale()) == (0, True)
    reader.reopen()
    assert values(reader) == {"a": (1, b"kept")}
    writer.close(unlink=True)
    assert path.exists(), "a fenced writer must not remove its successor's file"
    successor.close()


def test_a_retired_file_is_never_gone_on_in(path: Path, writer: BoardWriter) -> None:
    writer.put("a", 1, b"kept")
    writer.close()
    damage(path, layout.AT_RETIRED * 8, b"\1")
    reader = BoardReader(path)
    assert reader.is_stale()
    successor = opened(path)
    reader.reopen()
    assert (reader.is_stale(), values(reader)) == (False, {"a": (1, b"kept")})
    successor.close()


def test_a_file_of_another_size_is_replaced(path: Path, writer: BoardWriter) -> None:
    writer.put("a", 1, b"")
    reader = BoardReader(path)
    slot = slot_of(reader, "a")
    writer.close()
    successor = BoardWriter(path, names=NAMES + 1, blob_bytes=BLOB_BYTES)
    assert (slot.word(), reader.is_stale()) == (0, True)
    reader.reopen()
    assert reader.names() == ()
    successor.close()


def test_a_file_of_another_format_is_replaced(path: Path, writer: BoardWriter) -> None:
    reader = BoardReader(path)
    writer.close()
    damage(path, layout.AT_FORMAT * 8, b"\2")
    with pytest.raises(BoardUnavailableError, match="format 1"):
        BoardReader(path)
    successor = opened(path)
    assert reader.is_stale()
    successor.put("a", 1, b"")
    assert BoardReader(path).names() == ("a",)
    successor.close()


@pytest.mark.parametrize("content", [b"", b"abc", b"a text that was never a board " * 40])
def test_a_file_that_is_no_board_is_replaced(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(BoardUnavailableError, match="format 1"):
        BoardReader(path)
    writer = opened(path)
    assert BoardReader(path).names() == ()
    writer.close()


def test_readers_outlive_the_file(path: Path, writer: BoardWriter) -> None:
    reader = BoardReader(path)
    writer.put("a", 1, b"kept")
    slot = slot_of(reader, "a")
    writer.close(unlink=True)
    assert not path.exists()
    assert (slot.word(), slot.read(), reader.is_stale()) == (1, (1, b"kept"), False)
    with pytest.raises(BoardUnavailableError, match="node agent"):
        reader.reopen()
    assert values(reader) == {"a": (1, b"kept")}
    successor = opened(path)
    assert reader.is_stale()
    reader.reopen()
    assert reader.names() == ()
    del reader
    assert slot.read() == (1, b"kept")
    successor.close()


def test_a_writer_notices_that_its_file_was_removed(path: Path, writer: BoardWriter) -> None:
    path.unlink()
    with pytest.raises(BoardFencedError, match="removed"):
        writer.beat(1)


def test_a_damaged_record_is_reported_and_mended_by_the_next_put(path: Path, writer: BoardWriter) -> None:
    writer.put("a", 1, b"payload")
    writer.put("b", 1, b"sound")
    damage(path, layout.Geometry(NAMES, BLOB_BYTES).blob_start * 8 + layout.PAYLOAD * 8, b"P")
    reader = BoardReader(path)
    slot = slot_of(reader, "a")
    with pytest.raises(BoardUnavailableError, match="cannot be read"):
        slot.read()
    fenced, writer_now = writer, opened(path)
    reader.reopen()
    assert values(reader) == {"b": (1, b"sound")}, "a successor beside a living writer copies what is whole"
    fenced.close()
    writer_now.put("a", 2, b"mended")
    assert values(reader) == {"b": (1, b"sound"), "a": (2, b"mended")}
    writer_now.close()


@pytest.mark.parametrize("what", ["payload", "name", "locator"])
def test_a_successor_drops_what_is_damaged(path: Path, writer: BoardWriter, what: str) -> None:
    writer.put("a", 1, b"payload")
    writer.put("b", 1, b"sound")
    writer.close()
    blob = layout.Geometry(NAMES, BLOB_BYTES).blob_start * 8
    match what:
        case "payload":
            damage(path, blob + layout.PAYLOAD * 8, b"P")
        case "name":
            damage(path, (layout.place_at(0) + layout.NAME) * 8, b"A")
        case _:
            damage(path, (layout.place_at(0) + layout.LOCATOR) * 8, bytes(8))
    successor = opened(path)
    assert values(BoardReader(path)) == {"b": (1, b"sound")}
    successor.put("a", 2, b"mended")
    assert values(BoardReader(path)) == {"b": (1, b"sound"), "a": (2, b"mended")}
    successor.close()


def test_a_successor_hands_out_no_room_twice(path: Path, writer: BoardWriter) -> None:
    """A record inside another's payload is a forgery or a fault: one of the two is dropped."""
    inner = layout.Memory(memoryview(bytearray(8 * 8)))
    layout.write_record(inner, 0, place=0, sequence=99, word=9, payload=b"inner")
    writer.put("a", 1, b"")
    writer.put("b", 1, bytes(inner.octets))
    writer.close()
    start = layout.Geometry(NAMES, BLOB_BYTES).blob_start + layout.record_words(0) + layout.PAYLOAD
    damage(path, (layout.place_at(0) + layout.LOCATOR) * 8, layout.locator_of(99, start).to_bytes(8, "little"))
    successor = opened(path)
    assert values(BoardReader(path)) == {"a": (9, b"inner")}
    successor.close()


def test_a_successor_keeps_one_place_for_a_name(path: Path, writer: BoardWriter) -> None:
    writer.put("a", 1, b"first")
    writer.put("b", 1, b"second")
    writer.close()
    content, size = path.read_bytes(), (layout.PLACE_WORDS - layout.NAME_CHECK) * 8
    first, second = ((layout.place_at(place) + layout.NAME_CHECK) * 8 for place in (0, 1))
    damage(path, second, content[first : first + size])
    successor = opened(path)
    successor.put("a", 2, b"later")
    successor.close()
    successor = opened(path)
    successor.remove("a")
    assert BoardReader(path).names() == ()
    successor.close()


def test_half_a_name_is_not_shown(path: Path, writer: BoardWriter) -> None:
    """On a machine that reorders stores the count may arrive before the name."""
    writer.put("a", 1, b"")
    reader = BoardReader(path)
    at = (layout.place_at(0) + layout.NAME_CHECK) * 8
    whole = path.read_bytes()[at : at + 8]
    for half in (bytes(8), b"\1" + bytes(7), b"\xff" * 8):
        damage(path, at, half)
        assert reader.slot("a") is None
    damage(path, at, whole)
    assert slot_of(reader, "a").read() == (1, b"")


def test_errors_cross_processes(path: Path) -> None:
    errors = [
        BoardUnavailableError(str(path), reason="none"),
        BoardFullError("a", what="names", limit=4),
        BoardFencedError(str(path)),
        BoardSlotGoneError(str(path), name="a"),
    ]
    again = pickle.loads(pickle.dumps(errors))
    assert [(type(e), str(e), vars(e)) for e in again] == [(type(e), str(e), vars(e)) for e in errors]
