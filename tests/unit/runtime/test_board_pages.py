"""A value over several names is read whole or not at all."""

from __future__ import annotations

import pytest

from actors.runtime.board_pages import PAGE_BYTES, Page, join, page_name, pages


def lay(board: dict[str, Page], word: int, payload: bytes, *, stop_after: int | None = None) -> None:
    for number, (name, data) in enumerate(pages("ledger", payload)):
        if number == stop_after:
            return
        board[name] = (word, data)


@pytest.mark.parametrize("size", [0, 1, PAGE_BYTES, PAGE_BYTES + 1, 5 * PAGE_BYTES + 7])
def test_what_was_laid_is_read(size: int) -> None:
    payload = bytes(n % 251 for n in range(size))
    board: dict[str, Page] = {}
    lay(board, 7, payload)
    assert join("ledger", board.get) == (7, payload)
    assert all(len(data) <= 64 * 1024 for _, data in board.values())


def test_nothing_is_read_where_nothing_lies() -> None:
    assert join("ledger", {}.get) is None
    assert join("ledger", {page_name("ledger", 0): (1, b"abc")}.get) is None


@pytest.mark.parametrize("laid", [1, 2])
def test_half_a_value_is_none(laid: int) -> None:
    board: dict[str, Page] = {}
    lay(board, 7, b"a" * (3 * PAGE_BYTES))
    lay(board, 8, b"b" * (3 * PAGE_BYTES), stop_after=laid)
    assert join("ledger", board.get) is None


def test_a_shorter_value_is_read_beside_the_left_over_pages_of_a_longer_one() -> None:
    board: dict[str, Page] = {}
    lay(board, 7, b"a" * (3 * PAGE_BYTES))
    lay(board, 8, b"b")
    assert join("ledger", board.get) == (8, b"b")


def test_a_missing_or_damaged_page_is_found() -> None:
    board: dict[str, Page] = {}
    lay(board, 7, b"a" * (2 * PAGE_BYTES))
    damaged = board | {page_name("ledger", 1): (7, b"x" * PAGE_BYTES)}
    assert join("ledger", damaged.get) is None
    del board[page_name("ledger", 1)]
    assert join("ledger", board.get) is None
