"""What owners lay on boards is read back whole, with its age."""

from __future__ import annotations

import pytest

from actors.runtime.board_pages import PAGE_BYTES, Page
from actors.runtime.replicated import Replica
from actors.service.posting import Posted, later_of, postings_of, read_posted, stamped, state_name, unstamped

NAME = state_name("echo/main", "kept")


def board(replica: Replica, laid_ns: int) -> dict[str, Page]:
    return {each.name: (each.word, stamped(each.octets, laid_ns)) for each in postings_of(NAME, replica)}


@pytest.mark.parametrize("size", [0, 5, PAGE_BYTES, 3 * PAGE_BYTES + 1])
def test_a_state_of_any_size_is_read_as_it_was_laid(size):
    replica = Replica(2, 7, bytes(range(256)) * (size // 256) + b"x" * (size % 256))
    laid = board(replica, 1_000_000_000)
    assert read_posted(NAME, laid.get, 3_500_000_000) == Posted(replica=replica, age_s=2.5)
    assert all(name.startswith(f"{NAME}/") for name in laid)


def test_pages_that_do_not_belong_together_are_no_state():
    first, second = Replica(1, 1, b"a" * (PAGE_BYTES + 1)), Replica(1, 2, b"b" * (PAGE_BYTES + 1))
    mixed = board(first, 1) | {f"{NAME}/1": board(second, 1)[f"{NAME}/1"]}
    assert read_posted(NAME, mixed.get, 1) is None
    assert read_posted(NAME, dict[str, Page]().get, 1) is None


def test_a_clock_of_another_boot_makes_nothing_younger_than_new():
    assert unstamped(stamped(b"x", 5_000), 1_000) == (0.0, b"x")
    with pytest.raises(ValueError, match="run one release"):
        unstamped(b"short", 0)


def test_the_later_one_counts():
    old, new = Posted(replica=Replica(1, 9, b""), age_s=1.0), Posted(replica=Replica(2, 1, b""), age_s=5.0)
    assert later_of(old, new) is later_of(new, old) is new
    assert later_of(None, old) is later_of(old, None) is old
    assert later_of(None, None) is None
    assert later_of(old, Posted(replica=Replica(1, 9, b""), age_s=0.0)) is old
