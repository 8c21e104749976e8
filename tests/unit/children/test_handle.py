"""Handles: what users write."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from actors.recovery.retry import Retry
from actors.runtime.errors import ConfigError
from supervisor.children.handle import ChildHandle, PoolHandle
from supervisor.children.interface import ChildInterface
from supervisor.children.settings import CALL_RETRY, CallOptions
from supervisor.handle import Supervisor
from tests.unit.children.rig import KEY, Cart


class Callee:
    """What stands behind a handle; notes the calls."""

    def __init__(self, key: str = KEY, **fields: Any) -> None:
        self.key = key
        self.supervisor = "default"
        self.interface = ChildInterface.of(Cart, **fields)
        self.made: list[tuple[str, tuple[Any, ...], dict[str, Any], Retry, CallOptions]] = []

    def call(
        self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], *, retry: Retry, options: CallOptions
    ) -> str:
        self.made.append((method, args, kwargs, retry, options))
        return "response"


def test_a_method_is_called_by_remote() -> None:
    callee = Callee()
    cart = ChildHandle(callee)
    assert cart.add.remote(1, two=2) == "response"
    assert callee.made == [("add", (1,), {"two": 2}, CALL_RETRY, CallOptions())]
    cart.add.remote(self=3)
    assert callee.made[-1][2] == {"self": 3}, "the method's names are its own"
    assert cart.add is cart.add
    with pytest.raises(TypeError, match=r"call it by add.remote\(...\): child/cart lives in another process"):
        cart.add(1)


def test_options_change_one_call_and_add_up() -> None:
    callee = Callee(retry=Retry(attempts=7))
    cart = ChildHandle(callee)
    cart.add.options(timeout_s=2).options(unknown="never").remote()
    cart.add.options(retry=Retry(attempts=2)).options(resume=True).remote()
    cart.add.remote()
    retries = [(retry.attempts, retry.unknown) for *_, retry, _ in callee.made]
    assert retries == [(7, "never"), (2, "retry"), (7, "retry")]
    assert [options.timeout_s for *_, options in callee.made] == [2, None, None]


def test_what_a_spec_says_of_a_method_is_looked_up_at_each_call() -> None:
    """It may be changed while a handle, one of its methods or their options are held."""
    callee = Callee(retry=Retry(attempts=7))
    cart = ChildHandle(callee)
    add, hurried, own = cart.add, cart.add.options(unknown="never"), cart.add.options(retry=Retry(attempts=2))
    callee.interface = ChildInterface.of(Cart, retries={"add": Retry(attempts=3)})
    for method in (add, hurried, own):
        method.remote()
    assert [(retry.attempts, retry.unknown) for *_, retry, _ in callee.made] == [
        *((3, "retry"), (3, "never"), (2, "retry"))
    ]


def test_wrong_options_and_names_fail_at_once() -> None:
    cart = ChildHandle(Callee())
    with pytest.raises(ConfigError, match=r"child/cart: add.options\(...\): timeout_s.*; tries: unknown key"):
        cart.add.options(timeout_s=-1, tries=3)
    with pytest.raises(AttributeError, match="did you mean 'add'"):
        _ = cart.ad
    with pytest.raises(AttributeError, match="private"):
        _ = cart._secret
    assert not hasattr(cart, "__len__")


def test_it_says_what_it_is() -> None:
    cart = ChildHandle(Callee())
    assert repr(cart) == "<child/cart of supervisor 'default', a tests.unit.children.rig.Cart>"
    assert repr(cart.add) == "<method add of child/cart>"
    assert dir(cart) == ["add", "items"]
    assert cart == ChildHandle(Callee())
    assert cart != ChildHandle(Callee("child/other"))
    assert len({cart, ChildHandle(Callee())}) == 1


def test_a_pool_is_called_like_a_child_and_shows_its_members() -> None:
    callee = Callee("shop.carts")
    members = {"child/shop.carts-0": ChildHandle(Callee())}
    pool = PoolHandle(callee, lambda: members)
    assert pool.add.remote(1) == "response"
    assert pool.all_members() == members
    assert repr(pool) == "<pool shop.carts of supervisor 'default'>"
    assert dir(pool) == ["add", "all_members", "items"]
    assert not hasattr(pool, "__len__")
    with pytest.raises(AttributeError, match="no method"):
        _ = pool.zzz


def test_they_cross_processes_and_connect_there_with_their_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[str] = []

    class Connected:
        def __init__(self, name: str) -> None:
            connected.append(name)

        def child(self, key: str) -> ChildHandle:
            return ChildHandle(Callee(key))

        def pool_of(self, pool: str) -> PoolHandle:
            return PoolHandle(Callee(pool), dict)

    monkeypatch.setattr(Supervisor, "connect", Connected)
    sent = ChildHandle(Callee()), PoolHandle(Callee("p"), dict)
    arrived = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(sent))))
    assert arrived[0] == sent[0]
    assert hash(arrived[0]) == hash(sent[0])
    assert [repr(each) for each in arrived] == ["<child/cart of supervisor 'default'>", repr(sent[1])]
    assert connected == []
    assert [each.add.remote(1) for each in arrived] == ["response"] * 2
    assert arrived[1].all_members() == {}
    assert connected == ["default", "default"]
    assert repr(arrived[0]) == repr(sent[0])


def test_who_finds_that_another_thread_has_connected_goes_on_with_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads use it for the first time: one has missed an attribute when the other one connects."""

    class Connected:
        child = staticmethod(lambda key: ChildHandle(Callee(key)))

    monkeypatch.setattr(Supervisor, "connect", lambda _name: Connected())
    arrived = pickle.loads(pickle.dumps(ChildHandle(Callee())))
    add = arrived.add
    assert arrived.__getattr__("_callee").key == KEY
    assert arrived.__getattr__("add") is add
    assert arrived.__getattr__("items").remote() == "response"
