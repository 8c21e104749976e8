"""The board's format: records that are whole or nothing, and room that is never handed out twice."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime import board_layout as layout
from actors.runtime.board_layout import Extents, Geometry, Memory

SEQUENCE = 7
LOCATOR = layout.locator_of(SEQUENCE, 8)


def written(payload: bytes) -> Memory:
    memory = Memory(memoryview(bytearray(64 * 8)))
    layout.write_record(memory, 8, place=3, sequence=SEQUENCE, word=42, payload=payload)
    return memory


@given(st.binary(max_size=200))
def test_a_record_is_read_as_written(payload: bytes) -> None:
    assert layout.read_record(written(payload), 3, LOCATOR) == (42, payload)


@given(st.integers(8 * 8, 12 * 8 + 19), st.integers(1, 255))
def test_any_changed_octet_is_found(offset: int, flip: int) -> None:
    memory = written(b"twenty bytes of data")
    memory.octets[offset] ^= flip
    assert layout.read_record(memory, 3, LOCATOR) is None


@pytest.mark.parametrize(
    ("place", "locator"),
    [
        (2, LOCATOR),
        (3, layout.locator_of(SEQUENCE + 1, 8)),
        (3, layout.locator_of(SEQUENCE, 9)),
        (3, layout.locator_of(SEQUENCE, 61)),
        (3, layout.locator_of(SEQUENCE, 2**32 - 1)),
    ],
)
def test_a_record_of_somebody_else_is_none(place: int, locator: int) -> None:
    assert layout.read_record(written(b"payload"), place, locator) is None


def test_a_record_that_cannot_end_is_none() -> None:
    memory = written(b"payload")
    memory.store_word(8 + layout.TAG, 3 << 32 | layout.PAYLOAD_BYTES_MAX)
    assert layout.read_record(memory, 3, LOCATOR) is None


def test_a_voided_record_is_none() -> None:
    memory = written(b"payload")
    layout.void_record(memory, 8)
    assert layout.read_record(memory, 3, LOCATOR) is None


@given(st.integers(0, layout.PAYLOAD_BYTES_MAX))
def test_room_is_rounded_up_by_a_quarter_at_most(length: int) -> None:
    need = layout.PAYLOAD + (length + 7) // 8
    assert need <= layout.record_words(length) <= max(need * 1.25, need + 7)


def test_a_header_is_believed_only_when_it_fits_the_file() -> None:
    geometry = Geometry(names=2, blob_bytes=64)
    memory = Memory(memoryview(bytearray(geometry.size)))
    assert Geometry.of(memory) is None
    for at, value in (
        (layout.AT_MAGIC, layout.MAGIC),
        (layout.AT_FORMAT, layout.FORMAT),
        (layout.AT_NAMES, 2),
        (layout.AT_BLOB_BYTES, 64),
    ):
        memory.store_word(at, value)
    assert Geometry.of(memory) == geometry
    memory.store_word(layout.AT_USED, geometry.places + 1)
    assert Geometry.of(memory) is None
    memory.store_word(layout.AT_USED, geometry.places)
    memory.store_word(layout.AT_NAMES, 3)
    assert Geometry.of(memory) is None
    assert Geometry.of(Memory(memoryview(b""))) is None


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30)), max_size=60))
def test_room_is_never_handed_out_twice_and_all_comes_back(steps: list[tuple[bool, int]]) -> None:
    extents, taken = Extents(10, 110), dict[int, int]()
    for take, size in steps:
        if take and (start := extents.take(size)) is not None:
            taken[start] = size
        elif not take and taken:
            start = sorted(taken)[size % len(taken)]
            extents.give(start, taken.pop(start))
        ranges = sorted([*extents.gaps, *((start, start + size) for start, size in taken.items())])
        assert [ranges[0][0], ranges[-1][1]] == [10, 110]
        assert all(left[1] == right[0] for left, right in pairwise(ranges))
        assert all(left[1] < right[0] for left, right in pairwise(extents.gaps))


def test_room_can_be_reserved_where_it_is_free() -> None:
    extents = Extents(0, 100)
    asked = ((10, 20), (0, 10), (25, 10), (90, 11), (90, 10))
    assert [asked_for for asked_for in asked if extents.reserve(*asked_for)] == [(10, 20), (0, 10), (90, 10)]
    assert extents.gaps == ((30, 90),)
    assert Extents(5, 5).take(1) is None
    assert not Extents(5, 5).reserve(5, 1)


def test_a_record_is_void_before_it_is_written_over() -> None:
    """Also where the new one has the same octets: what is half written must not look like either."""
    memory = written(b"payload")
    stores: list[tuple[int, int]] = []

    class Watched(Memory):
        def store_word(self, index: int, value: int) -> None:
            stores.append((index, value))
            super().store_word(index, value)

    layout.write_record(Watched(memory.octets), 8, place=3, sequence=SEQUENCE + 1, word=42, payload=b"payload")
    assert stores[0] == (8 + layout.SEQUENCE, 0)
    assert stores[-1] == (8 + layout.SEQUENCE, SEQUENCE + 1)


def test_a_copy_that_the_writer_came_into_is_none() -> None:
    """Although its checksum is right: the sequence is looked at again after the copy."""

    class Lapped(Memory):
        @property
        def octets(self) -> memoryview:  # the moment of the copy
            copy = memoryview(bytes(memory.octets))
            layout.void_record(memory, 8)
            return copy

        @octets.setter
        def octets(self, value: memoryview) -> None: ...

    memory = written(b"payload")
    assert layout.read_record(Lapped(memory.octets), 3, LOCATOR) is None
    assert layout.read_record(written(b"payload"), 3, LOCATOR) is not None
