"""A line of the ledger is whole, or told apart; a damaged one hides no other."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.ledger.entry import STEPS, Entry, decode, decode_all, encode

ENTRIES = st.builds(
    Entry,
    run=st.text(max_size=5),
    step=st.sampled_from(STEPS),
    fault=st.text(max_size=5),
    data=st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3) | st.none(), max_size=3),
    at_us=st.integers(0, 2**60),
)


@given(st.lists(ENTRIES, max_size=5))
def test_what_is_written_is_read_again(entries: list[Entry]) -> None:
    assert decode_all(b"".join(map(encode, entries))) == (entries, [])


@given(st.lists(ENTRIES, min_size=1, max_size=4), st.data())
def test_a_cut_loses_the_last_line_and_nothing_else(entries: list[Entry], data: st.DataObject) -> None:
    whole = b"".join(map(encode, entries))
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    found, damaged = decode_all(cut)
    assert found == entries[: cut.count(b"\n")]
    assert damaged == []


@given(st.lists(ENTRIES, min_size=1, max_size=4), st.data())
def test_a_changed_bit_is_found_and_the_rest_counts(entries: list[Entry], data: st.DataObject) -> None:
    whole = bytearray(b"".join(map(encode, entries)))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    found, _ = decode_all(bytes(whole))
    assert all(entry in entries for entry in found)
    assert len(found) >= len(entries) - 2, "a changed line feed joins two"


@pytest.mark.parametrize(
    "text", [b"[]", b"{}", b'{"run":"r","step":"x","fault":"","data":{},"at_us":1}', b"\xff", b'{"run":1']
)
def test_what_is_sound_and_not_ours_is_told(text: bytes) -> None:
    assert "it is not one of ours" in str(decode(b"%08x %s\n" % (zlib.crc32(text), text)))
    entries, damaged = decode_all(b"%08x %s\n" % (zlib.crc32(text), text))
    assert (entries, [number for number, _ in damaged]) == ([], [1])
