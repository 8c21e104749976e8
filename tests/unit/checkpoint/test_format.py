from __future__ import annotations

import json
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.checkpoint import format as wire
from actors.checkpoint.format import MAGIC, PRELUDE_BYTES, Checkpoint, Damage, decode, encode

CHECKPOINT = Checkpoint(
    key="child/shop.cart",
    incarnation=3,
    number=17,
    class_name="shop.Cart",
    state_version=2,
    at_us=1_700_000_000_000_000,
    state=b"\x80\x05state",
)


def kind(data: bytes) -> str:
    read = decode(data)
    return read.kind if isinstance(read, Damage) else "good"


@given(key=st.text(), class_name=st.text(), state=st.binary(), number=st.integers(0, 2**63))
def test_what_is_encoded_is_decoded(key: str, class_name: str, state: bytes, number: int):
    checkpoint = replace(CHECKPOINT, key=key, class_name=class_name, state=state, number=number)
    assert decode(encode(checkpoint)) == checkpoint


def test_every_cut_is_told_as_cut_short():
    data = encode(CHECKPOINT)
    assert {kind(data[:length]) for length in range(len(data))} == {"truncated"}


def test_every_changed_bit_is_found_and_never_taken_for_a_cut():
    data = encode(CHECKPOINT)
    for position in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[position] ^= 1 << bit
            assert kind(bytes(changed)) == ("foreign" if position < len(MAGIC) else "damaged")


@pytest.mark.parametrize(
    ("data", "kind", "reason"),
    [
        (b"", "truncated", "it is empty"),
        (b"hello", "foreign", "it does not begin as one"),
        (b"PK\x03\x04" + b"x" * 200, "foreign", "it does not begin as one"),
        (encode(CHECKPOINT)[:-1], "truncated", "of "),
        (encode(CHECKPOINT) + b"!", "damaged", "1 bytes too many"),
    ],
)
def test_the_reason_is_told(data: bytes, kind: str, reason: str):
    read = decode(data)
    assert isinstance(read, Damage)
    assert read.kind == kind
    assert reason in read.reason


def test_a_later_format_is_told_from_damage(monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as later:
        later.setattr(wire, "FORMAT_VERSION", 9)
        data = encode(CHECKPOINT)
    assert decode(data) == Damage("newer", "it has checkpoint format 9, and this version reads 1")


@pytest.mark.parametrize("header", [b"[]", b"{}", b"not json", json.dumps({"key": 1}).encode(), b"\xff"])
def test_a_sound_file_with_a_strange_header_is_foreign(header: bytes):
    prelude = wire._PRELUDE.pack(MAGIC, 1, 0, len(header), 0, wire._digest(header, b""))
    assert kind(prelude + wire._SUM.pack(zlib.crc32(prelude)) + header) == "foreign"


def test_values_of_the_wrong_kind_are_foreign():
    assert kind(encode(replace(CHECKPOINT, number="17"))) == "foreign"
    assert kind(encode(replace(CHECKPOINT, number=True))) == "foreign"


def test_the_overhead_is_small():
    assert len(encode(CHECKPOINT)) - len(CHECKPOINT.state) < PRELUDE_BYTES + 200
