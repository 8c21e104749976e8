from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from actors.checkpoint.names import (
    claim_name,
    file_name,
    folder_name,
    parse_claim_name,
    parse_file_name,
    parse_temporary_name,
    temporary_name,
)

ORDER = st.tuples(st.integers(0, 10**14 - 1), st.integers(0, 10**8 - 1), st.integers(0, 10**12 - 1))


def test_a_key_stays_readable():
    assert folder_name("child/shop.cart") == "child~2fshop.cart"


@given(st.text(max_size=300))
def test_every_key_is_a_safe_name(key: str):
    name = folder_name(key)
    assert re.fullmatch(r"[A-Za-z0-9_~-][A-Za-z0-9_.~-]{0,119}", name)


@given(st.lists(st.text("a./~2fé", max_size=8), unique=True), st.text(min_size=130, max_size=140))
def test_no_two_keys_share_a_name(keys: list[str], long: str):
    found = {folder_name(key) for key in [*keys, long, long + "x"]}
    assert len(found) == len(keys) + 2


def test_names_lead_nowhere_else():
    assert folder_name("..") == "~2e."
    assert folder_name("../../etc") == "~2e.~2f..~2fetc"
    assert folder_name("") == "~"
    assert folder_name(".hidden") == "~2ehidden"


@given(ORDER)
def test_names_are_read_back_each_as_what_it_is(order: tuple[int, int, int]):
    parsers = (parse_file_name, parse_claim_name, parse_temporary_name)
    made = (file_name(order), claim_name(order), temporary_name(order, "ab12"))
    for index, name in enumerate(made):
        assert [parse(name) for parse in parsers] == [order if place == index else None for place in range(3)]


@given(ORDER, ORDER)
def test_names_sort_as_checkpoints_do(one: tuple[int, int, int], other: tuple[int, int, int]):
    assert (file_name(one) < file_name(other)) == (one < other)


def test_other_files_are_not_ours():
    for name in ("", "notes.txt", "1-2-3", "1-2-3.ckpt.bak", "x1-2-3.ckpt", "1-2.ckpt", "-1-2-3.ckpt"):
        assert parse_file_name(name) is parse_claim_name(name) is parse_temporary_name(name) is None
