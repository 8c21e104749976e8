"""An exception arrives as what it was, whatever its `__init__` takes and its attributes hold."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import pytest

from actors.worker.raised import pickle_error


class CodeError(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code


class KeywordError(OSError):
    def __init__(self, *, host: str) -> None:
        super().__init__(f"no answer of {host}")
        self.host = host


class LockedError(Exception):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.lock = threading.Lock()


class SilentError(Exception):
    def __init__(self) -> None:
        super().__init__(threading.Lock())

    def __str__(self) -> str:
        raise ValueError


def throw(error: BaseException) -> None:
    raise error


def arrived(error: BaseException) -> Any:
    with pytest.raises(type(error)) as caught:
        throw(error)
    return pickle.loads(pickle_error(caught.value))


def test_a_plain_exception_keeps_its_arguments_and_shows_where_it_was_raised() -> None:
    found = arrived(KeyError("a", 1))
    assert (type(found), found.args) == (KeyError, ("a", 1))
    assert "test_raised.py" in found.__notes__[0]


@pytest.mark.parametrize(
    ("error", "attributes"), [(CodeError(7, "no luck"), {"code": 7}), (KeywordError(host="h"), {"host": "h"})]
)
def test_one_with_an_init_of_its_own_keeps_type_text_and_attributes(
    error: Exception, attributes: dict[str, Any]
) -> None:
    text = str(error)
    found = arrived(error)
    assert (type(found), str(found)) == (type(error), text)
    assert {name: getattr(found, name) for name in attributes} == attributes
    assert "test_raised.py" in found.__notes__[0]


def test_one_whose_attributes_do_not_pickle_keeps_type_and_text_and_says_so() -> None:
    found = arrived(LockedError("stuck"))
    assert (type(found), str(found)) == (LockedError, "stuck")
    assert found.__notes__[0].startswith("The exception's attributes do not pickle.")


def test_one_that_has_not_even_a_text_is_told_apart_by_its_type() -> None:
    found = arrived(SilentError())
    assert type(found) is SilentError
    assert found.args == ("(its text cannot be had: ValueError)",)


def test_one_of_a_class_that_does_not_pickle_arrives_as_a_text() -> None:
    class HereError(Exception):
        lock = threading.Lock()  # a local class travels by value, and so would this

    found = arrived(HereError("x"))
    assert type(found) is RuntimeError
    assert "x" in str(found)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_what_would_end_the_caller_arrives_as_an_error(error: BaseException) -> None:
    found = arrived(error)
    assert type(found) is RuntimeError
    assert str(found).startswith(f"the task raised {type(error).__name__}")
