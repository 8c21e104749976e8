"""A function is pickled at its first submit, and known from then on."""

from __future__ import annotations

import json
import pickle
import sys
from typing import Any

import pytest

from actors.runtime.wire import loads
from supervisor.tasks.functions import FunctionBook


def double(x: int) -> int:
    return 2 * x


class Point:
    """An argument of this module's own making."""

    def __init__(self, x: int) -> None:
        self.x = x


def test_a_function_is_pickled_once() -> None:
    book = FunctionBook()
    known = book.get(double)
    assert book.get(double) is known
    assert known.fn is double
    assert known.callee.name.endswith("test_functions.double")
    assert len(known.callee.digest) == 16
    assert pickle.loads(known.callee.data) is double


def test_later_changes_of_what_it_closes_over_are_not_seen() -> None:
    factor = [2]

    def scale(x: int) -> int:
        return factor[0] * x

    book = FunctionBook()
    before = book.get(scale).callee
    factor[0] = 99
    assert book.get(scale).callee is before
    assert pickle.loads(before.data)(3) == 6


def test_different_functions_of_one_name_are_told_apart() -> None:
    def make(n: int) -> Any:
        return lambda: n

    book = FunctionBook()
    one, two = make(1), make(2)
    assert book.get(one).callee.name == book.get(two).callee.name
    assert book.get(one).callee.digest != book.get(two).callee.digest


def test_the_least_recently_used_function_leaves_first() -> None:
    book = FunctionBook(limit=2)
    kept, left = book.get(len), book.get(abs)
    book.get(len)
    book.get(max)
    assert book.get(len) is kept
    assert book.get(abs) is not left


def test_a_function_that_just_left_the_book_is_still_good_to_whoever_holds_its_entry() -> None:
    """Another thread may push it out between the look-up and its use."""
    book = FunctionBook(limit=1)
    book.get(len)
    book.get(abs)
    book._use(len)
    assert list(book._by_identity) == [id(abs)]


def test_a_function_that_cannot_travel_says_so() -> None:
    generator = (x for x in ())

    def closes_over_a_generator() -> Any:
        return generator

    with pytest.raises(TypeError, match="generator"):
        FunctionBook().get(closes_over_a_generator)


def test_what_is_installed_everywhere_is_proven_and_a_users_own_module_is_not() -> None:
    book = FunctionBook()
    assert [book.get(fn).unproven for fn in (json.dumps, len, double)] == [False, False, True]


def test_a_function_without_a_module_travels_whole_and_needs_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    def local() -> int:
        return 1

    monkeypatch.setattr(local, "__module__", None)
    assert FunctionBook().get(local).unproven is False
    monkeypatch.setattr(local, "__module__", "__main__")
    assert FunctionBook().get(local).unproven is False


def test_once_a_worker_has_run_it_a_function_is_proven() -> None:
    book = FunctionBook()
    known = book.get(double)
    book.prove(double)
    assert known.unproven is False
    book.prove(len)


def test_a_function_by_value_takes_its_module_along_and_so_do_its_arguments() -> None:
    book = FunctionBook()
    by_reference = book.get(double)
    known = book.by_value(double)
    assert book.get(double) is known
    assert (known.by_value, known.unproven) == (True, False)
    assert known.callee.digest != by_reference.callee.digest
    data, refs = known.pickle_arguments((Point(3),), {})
    module = sys.modules.pop(__name__)
    try:
        (point,), _ = loads(data, refs)
        assert pickle.loads(known.callee.data)(4) == 8
    finally:
        sys.modules[__name__] = module
    assert point.x == 3


def test_arguments_travel_plain_where_they_can() -> None:
    data, refs = FunctionBook().get(double).pickle_arguments((1,), {"x": 2})
    assert loads(data, refs) == ((1,), {"x": 2})
    assert list(refs) == []


def test_a_function_that_took_the_place_of_another_in_memory_is_not_taken_for_it() -> None:
    """Identities are reused; the book holds its functions so that theirs are not, and looks twice."""
    book = FunctionBook()
    known = book.get(double)
    book._by_identity[id(abs)] = known
    assert book.get(abs).fn is abs


def test_the_last_used_functions_are_taught_and_unproven_ones_are_not():
    book = FunctionBook()
    for fn in (len, pow, sum):
        book.get(fn)
    book.get(len)
    digests = [book.get(fn).callee.digest for fn in (sum, len)]
    assert list(book.recent(2)) == digests[::-1]
    unproven = book.get(test_the_last_used_functions_are_taught_and_unproven_ones_are_not)
    assert unproven.unproven
    assert unproven.callee.digest not in book.recent(10)
