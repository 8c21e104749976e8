"""All children of one process, by one way."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

import pytest
from ray.exceptions import ActorDiedError

from actors.recovery.retry import Retry
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import OutcomeUnknownError, SupervisorClosedError
from supervisor.children.errors import ChildGoneError
from supervisor.children.interface import ChildInterface
from supervisor.children.registry import Children
from tests.unit.children.fakes import Actor, ok
from tests.unit.children.rig import KEY, PATIENCE_S, Cart
from tests.unit.children.test_sightings import Group, Sight, View

INTERFACE = ChildInterface.of(Cart)


class Home:
    """A process that calls children of one supervisor; `latest` is what the leader announced last."""

    def __init__(self) -> None:
        self.actors = {name: Actor() for name in ("cart#1", "cart#2", "p-0#1", "p-1#1")}
        self.latest: View | None = None
        self.children = Children("default", "here", self.refresh, find=self.actors.get)

    def refresh(self) -> None:
        latest, self.latest = self.latest, None
        if latest is not None:
            self.children.on_view(latest)


@pytest.fixture
def home() -> Iterator[Home]:
    made = Home()
    yield made
    made.children.close()


def wait_for(condition: Callable[[], Any]) -> None:
    until = SYSTEM_CLOCK.now() + PATIENCE_S
    while not condition():
        assert SYSTEM_CLOCK.now() < until
        sleep(0.005)


def test_a_call_made_before_the_child_is_announced_goes_out_when_it_is(home: Home) -> None:
    response = home.children.child(KEY, INTERFACE).add.remote(1)
    home.latest = View((Sight(key=KEY, host="cart#1"),))
    wait_for(lambda: home.actors["cart#1"].calls)
    home.actors["cart#1"].calls[0].ref.set(ok(5))
    assert response.result(timeout=PATIENCE_S) == 5


def test_all_handles_of_a_child_share_one_order(home: Home) -> None:
    home.children.on_view(View((Sight(key=KEY, host="cart#1"),)))
    for _ in range(3):
        home.children.child(KEY, INTERFACE).add.remote()
    headers = [call.header for call in home.actors["cart#1"].calls]
    assert [header[1] for header in headers] == [1, 2, 3]
    assert len({header[0] for header in headers}) == 1


def test_a_pools_calls_are_spread_and_its_members_have_handles(home: Home) -> None:
    members = tuple(Sight(key=f"child/p-{n}", role="active", group="p", host=f"p-{n}#1") for n in range(2))
    home.children.on_view(View(members, {"p": Group()}))
    pool = home.children.pool("p", INTERFACE)
    for _ in range(4):
        pool.add.remote()
    assert [len(home.actors[f"p-{n}#1"].calls) for n in range(2)] == [2, 2]
    for handle in pool.all_members().values():
        handle.add.remote("to all")
    assert [home.actors[f"p-{n}#1"].calls[-1].arguments for n in range(2)] == [(("to all",), {})] * 2


def test_what_must_not_run_twice_goes_by_the_spec_that_the_child_was_made_by_last(home: Home) -> None:
    home.children.child(KEY, ChildInterface.of(Cart, each_call=True))
    home.children.on_view(View((Sight(key=KEY, host="cart#1"),)))
    cart = home.children.child(KEY, ChildInterface.of(Cart))  # deleted, and made without checkpoints
    response = cart.add.options(unknown="never").remote()
    home.actors["cart#2"] = Actor()
    home.children.on_view(View((Sight(key=KEY, host="cart#2", incarnation=2),)))
    with pytest.raises(OutcomeUnknownError):
        response.result(timeout=PATIENCE_S)
    assert home.actors["cart#2"].calls == []


def test_what_must_not_run_twice_is_sent_again_where_answers_are_replicated(home: Home) -> None:
    cart = home.children.child(KEY, ChildInterface.of(Cart, each_call=True))
    home.children.on_view(View((Sight(key=KEY, host="cart#1"),)))
    cart.add.options(unknown="never").remote()
    home.actors["cart#2"] = Actor()
    home.children.on_view(View((Sight(key=KEY, host="cart#2", incarnation=2),)))
    assert home.actors["cart#2"].calls[0].header[1] == 1


def test_an_interface_that_was_changed_is_looked_up_anew_and_every_handle_calls_by_it(home: Home) -> None:
    first, second = ChildInterface.of(Cart, retry=Retry(attempts=1)), ChildInterface.of(Cart, retry=Retry(attempts=3))
    asked: list[list[str]] = []

    def look_up(keys: Collection[str]) -> dict[str, ChildInterface]:
        asked.append(sorted(keys))
        return {KEY: second}

    home.children.look_up_by(look_up)
    sight = Sight(key=KEY, host="cart#1", interface=first.digest)
    home.children.on_view(View((sight,)))
    carts = [home.children.child(KEY, first) for _ in range(2)]
    adds = [cart.add for cart in carts]
    home.children.on_view(View((replace(sight, interface=second.digest),)))
    wait_for(lambda: not home.children._calls[KEY].is_behind)
    responses = [add.remote() for add in adds]
    assert asked == [[KEY]]
    assert [response._call.retry.attempts for response in responses] == [3, 3]


def test_what_must_not_run_twice_is_not_sent_again_while_nobody_knows_how_the_child_replicates(home: Home) -> None:
    """Another process has applied `each_call` -> seconds; this one has not looked that up, and cannot just now."""
    known = ChildInterface.of(Cart, each_call=True)
    cart = home.children.child(KEY, known)
    sight = Sight(key=KEY, host="cart#1", interface=known.digest)
    home.children.on_view(View((sight,)))
    home.children.on_view(View((replace(sight, host="cart#2", incarnation=2, interface="another"),)))
    response = cart.add.options(unknown="never").remote()
    third = home.actors["cart#3"] = Actor()
    home.children.on_view(View((replace(sight, host="cart#3", incarnation=3, interface="another"),)))
    with pytest.raises(OutcomeUnknownError):
        response.result(timeout=PATIENCE_S)
    assert third.calls == []


def test_what_must_not_run_twice_goes_by_the_spec_of_the_life_that_was_lost(home: Home) -> None:
    """Of `seconds` -> `each_call` the life that runs knows nothing yet; of the way back the next one does."""
    replicated = ChildInterface.of(Cart, each_call=True)
    cart = home.children.child(KEY, replicated)
    sight = Sight(key=KEY, host="cart#1", interface=replicated.digest, outdated=True)
    home.children.on_view(View((sight,)))
    response = cart.add.options(unknown="never").remote()
    home.children.on_view(View((replace(sight, host="cart#2", incarnation=2, outdated=False),)))
    with pytest.raises(OutcomeUnknownError):
        response.result(timeout=PATIENCE_S)
    cart.add.options(unknown="never").remote()
    home.actors["cart#3"] = Actor()
    home.children.on_view(View((replace(sight, host="cart#3", incarnation=3, outdated=True),)))
    assert len(home.actors["cart#3"].calls) == 1


def test_the_members_of_a_pool_are_called_by_its_present_interface(home: Home) -> None:
    changed = ChildInterface.of(Cart, retry=Retry(attempts=3))
    home.children.look_up_by(lambda keys: dict.fromkeys(keys, changed))
    home.children.on_view(View((Sight(key="child/p-0", role="active", group="p", host="p-0#1"),), {"p": Group()}))
    pool = home.children.pool("p", INTERFACE)
    sight = Sight(key="child/p-0", role="active", group="p", host="p-0#1", interface=changed.digest)
    home.children.on_view(View((sight,), {"p": Group()}))
    wait_for(lambda: not home.children._calls["p"].is_behind)
    (member,) = pool.all_members().values()
    assert member.add.remote()._call.retry.attempts == 3


def known_of(home: Home) -> list[str]:
    gc.collect()
    routes = home.children._routes
    return sorted({*home.children._calls, *routes._routed, *routes._seen, *(key for key, _ in routes._told)})


def test_of_a_deleted_child_nothing_is_kept_once_nobody_holds_its_handle(home: Home) -> None:
    there = View((Sight(key=KEY, host="cart#1"),))
    home.children.on_view(there)
    cart = home.children.child(KEY, INTERFACE)
    response = cart.add.remote(1)
    response.add_done_callback(lambda _: None)
    home.children.on_view(View())
    home.actors["cart#1"].calls[-1].ref.set(ActorDiedError())
    with pytest.raises(ChildGoneError):
        response.result(timeout=PATIENCE_S)
    home.children.on_view(View((Sight(key=KEY, host="cart#2", incarnation=2),)))
    cart.add.remote(2)
    assert len(home.actors["cart#2"].calls) == 1, "whoever holds a handle reaches the next child of that name"
    home.actors["cart#2"].calls[-1].ref.set(ok(1))
    home.children.on_view(View())
    assert known_of(home) == [KEY]
    del cart, response
    home.actors["cart#1"].calls.clear()
    home.actors["cart#2"].calls.clear()
    wait_for(lambda: home.children.on_view(View()) or known_of(home) == [])


def test_a_child_that_is_not_deleted_is_kept_without_a_handle(home: Home) -> None:
    home.children.on_view(View((Sight(key=KEY, host="cart#1"),)))
    home.children.child(KEY, INTERFACE).add.remote()
    home.children.on_view(View((Sight(key=KEY, host="cart#1", status="restarting"),)))
    assert known_of(home) == [KEY]


def test_leaving_ends_what_is_unanswered_and_takes_no_more(home: Home) -> None:
    cart = home.children.child(KEY, INTERFACE)
    response = cart.add.remote()
    home.children.close()
    with pytest.raises(SupervisorClosedError):
        response.result(timeout=PATIENCE_S)
    with pytest.raises(SupervisorClosedError):
        home.children.child(KEY, INTERFACE)
    with pytest.raises(SupervisorClosedError):
        cart.add.remote()
