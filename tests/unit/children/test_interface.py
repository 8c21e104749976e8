"""What a handle knows of a class."""

from __future__ import annotations

import functools
import pickle
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

from actors.recovery.retry import Retry
from supervisor.children.interface import ChildInterface
from supervisor.children.settings import CALL_RETRY


def logged(method: Any) -> Any:
    @functools.wraps(method)
    def wrapper(*args: Any) -> Any:
        return method(*args)

    return wrapper


class Base:
    def inherited(self) -> None: ...


class Cart(Base):
    class Item: ...

    limit = 3

    def add(self, item: str) -> None: ...
    async def add_soon(self) -> None: ...
    def items(self) -> Generator[int]:
        yield 1

    async def items_soon(self) -> AsyncGenerator[int]:
        yield 1

    @logged
    def logged_items(self) -> Generator[int]:
        yield 1

    @classmethod
    def make(cls) -> None: ...
    @staticmethod
    def check() -> None: ...
    @property
    def size(self) -> int:
        return 1

    def _private(self) -> None: ...


class Anything:
    def __getattr__(self, name: str) -> Any: ...


def test_its_public_methods_and_which_of_them_stream() -> None:
    calls = dict.fromkeys(("add", "add_soon", "check", "inherited", "make"), "call")
    streams = dict.fromkeys(("items", "items_soon", "logged_items"), "stream")
    assert ChildInterface.of(Cart).methods == calls | streams


def test_a_wrong_name_names_the_close_ones() -> None:
    interface = ChildInterface.of(Cart)
    with pytest.raises(AttributeError, match=r"Cart has no method 'ad'; did you mean 'add'"):
        interface.kind("ad")
    with pytest.raises(AttributeError, match=r"it has: add, add_soon, check"):
        interface.kind("zzzzzz")
    with pytest.raises(AttributeError, match="is private"):
        interface.kind("_private")
    with pytest.raises(AttributeError, match="none that is public"):
        ChildInterface.of(object).kind("zzz")


def test_a_class_that_answers_to_any_name_has_any_public_method() -> None:
    interface = ChildInterface.of(Anything)
    assert interface.kind("whatever") == "call"
    with pytest.raises(AttributeError, match="private"):
        interface.kind("_whatever")


def test_each_method_has_its_retry() -> None:
    special = Retry(attempts=9)
    interface = ChildInterface.of(Cart, retries={"add": special})
    assert (interface.retry_of("add"), interface.retry_of("items")) == (special, CALL_RETRY)


def test_it_crosses_processes_without_the_class() -> None:
    interface = ChildInterface.of(Cart, each_call=True)
    data = pickle.dumps(interface)
    assert pickle.loads(data) == interface
    assert b"Base" not in data


def test_the_digest_tells_interfaces_apart_and_nothing_else() -> None:
    """A view announces it: whoever calls by another one looks it up anew."""
    retry = Retry(attempts=2, on=(OSError,))
    same = [ChildInterface.of(Cart, retry=retry, retries={"add": Retry()}).digest for _ in range(2)]
    others = [
        ChildInterface.of(Cart).digest,
        ChildInterface.of(Cart, retry=retry).digest,
        ChildInterface.of(Cart, each_call=True).digest,
        ChildInterface.of(Cart, concurrency=2).digest,
        ChildInterface.of(Cart, breaker="db").digest,
        ChildInterface.of(dict).digest,
    ]
    assert same[0] == same[1]
    assert len({same[0], *others}) == 1 + len(others)
    assert pickle.loads(pickle.dumps(ChildInterface.of(Cart))) == ChildInterface.of(Cart)
