"""Calls to children on a real Ray, with real kills: a small leader promotes, the callers follow."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from actors.recovery.retry import Retry
from actors.runtime.errors import OutcomeUnknownError
from supervisor.children.errors import CallTimeoutError, ChildExitedError, ChildGoneError, ChildLostError
from supervisor.children.handle import ChildHandle
from tests.ray_local.child_workload import Cart, Deadly, SoonCart
from tests.ray_local.conftest import unique_name
from tests.ray_local.nursery import Nursery

PATIENCE_S = 60.0
KEY = "child/cart"

pytestmark = pytest.mark.soak  # long; `test_children.py` has the same by default


@pytest.fixture
def nursery(ray_session: Any, tmp_path: Path) -> Iterator[Nursery]:
    made = Nursery(unique_name(), tmp_path)
    yield made
    made.close()


def answers(cart: ChildHandle, items: range) -> list[int]:
    return [response.result(timeout=PATIENCE_S) for response in [cart.add.remote(item) for item in items]]


def has_more(responses: list[Any], number: int) -> bool:
    return len(responses) > number


# -- the usual way -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [Cart, SoonCart])
def test_calls_are_answered_in_the_order_made(nursery: Nursery, cls: type[Any]):
    cart = nursery.add("cart", cls)
    assert answers(cart, range(300)) == list(range(1, 301))
    assert cart.all.remote().result(timeout=PATIENCE_S) == list(range(300))
    assert list(cart.each.remote()) == list(range(300))

    async def by_await() -> tuple[int, list[int]]:
        return await cart.add.remote(300), [item async for item in cart.each.remote()]

    assert asyncio.run(by_await()) == (301, list(range(301)))


def test_exceptions_references_and_exits(nursery: Nursery, eventually: Any):
    nursery.replaces = False
    cart = nursery.add("cart", Cart)
    with pytest.raises(KeyError, match="no such item"):
        cart.fail.remote().result(timeout=PATIENCE_S)
    referenced = cart.reference.remote().result(timeout=PATIENCE_S)
    assert cart.fetch.remote(referenced).result(timeout=PATIENCE_S) == "referenced"
    with pytest.raises(ChildExitedError, match="exit class normal"):
        cart.leave.remote(0).result(timeout=PATIENCE_S)
    announced = [f"exit {nursery.name}/child/cart#1 normal"]
    eventually(lambda: nursery.ports.lines() == announced, "the exit is announced")
    waiting = cart.all.remote()
    nursery.say(KEY, status="stopped")
    with pytest.raises(ChildGoneError, match="it was stopped, or ended normally"):
        waiting.result(timeout=PATIENCE_S)


def test_a_wait_that_times_out_leaves_the_call_running_and_a_limit_ends_it(nursery: Nursery, gate: Any):
    cart = nursery.add("cart", Cart)
    held = cart.wait_for.remote(gate.path)
    limited = cart.all.options(timeout_s=0.05).remote()
    with pytest.raises(TimeoutError):
        held.result(timeout=0.05)
    with pytest.raises(CallTimeoutError, match="it may have run"):
        limited.result(timeout=PATIENCE_S)
    gate.open()
    assert held.result(timeout=PATIENCE_S) is None
    assert cart.add.remote(1).result(timeout=PATIENCE_S) == 1


# -- deaths ------------------------------------------------------------------------------------------------------------


def test_with_each_call_all_that_was_acknowledged_is_in_the_state_once(nursery: Nursery, eventually: Any):
    """After many kills; and the order of the calls is kept across all of them."""
    cart = nursery.add("cart", Cart, standbys=1, checkpoint="each_call")
    over, killed = threading.Event(), 0
    responses: list[Any] = []

    def call_on() -> None:
        for item in range(2000):
            if over.is_set():
                return
            responses.append(cart.add.remote(item))
            responses[-1].result(timeout=PATIENCE_S)

    caller = threading.Thread(target=call_on)
    caller.start()
    try:
        for _ in range(4):
            eventually(lambda: len(nursery.lives(KEY)) == 2, "a standby")
            eventually(partial(has_more, responses, len(responses) + 20), "calls go on")
            nursery.kill(KEY)
            killed += 1
    finally:
        over.set()
        caller.join(PATIENCE_S)
    made = len(responses)
    assert [response.result(timeout=PATIENCE_S) for response in responses] == list(range(1, made + 1))
    assert cart.all.remote().result(timeout=PATIENCE_S) == list(range(made))
    assert nursery.accepted(KEY) == killed + 1


@pytest.mark.parametrize("told_by_kernel", [True, False])
def test_a_hundred_calls_in_flight_at_the_death_are_answered_in_order_by_the_standby(
    ray_session: Any, tmp_path: Path, told_by_kernel: bool
):
    nursery = Nursery(unique_name(), tmp_path, told_by_kernel=told_by_kernel)
    try:
        cart = nursery.add("cart", Cart, standbys=1, checkpoint="each_call")
        responses = [cart.add.remote(item) for item in range(100)]
        nursery.kill(KEY)
        responses += [cart.add.remote(item) for item in range(100, 200)]
        assert [response.result(timeout=PATIENCE_S) for response in responses] == list(range(1, 201))
        assert cart.all.remote().result(timeout=PATIENCE_S) == list(range(200))
    finally:
        nursery.close()


def test_a_call_waits_while_a_child_without_standby_comes_back(nursery: Nursery):
    cart = nursery.add("cart", Cart)
    first = cart.pid.remote().result(timeout=PATIENCE_S)
    nursery.kill(KEY)
    response = cart.pid.remote()
    assert response.result(timeout=PATIENCE_S) != first
    assert response.attempts <= 2


def test_what_must_not_run_twice_is_unknown_and_runs_once(nursery: Nursery, marks: Any, gate: Any, eventually: Any):
    cart = nursery.add("cart", Cart, standbys=1)
    assert answers(cart, range(1)) == [1], "calls go there from now on"
    held = cart.wait_for.options(unknown="never").remote(gate.path)
    queued = cart.add_and_mark.options(unknown="never").remote(1, marks.path)
    again = cart.all.remote()
    nursery.kill(KEY)
    for response in (held, queued):
        with pytest.raises(OutcomeUnknownError):
            response.result(timeout=PATIENCE_S)
    assert again.result(timeout=PATIENCE_S) == []
    assert cart.add_and_mark.options(unknown="never").remote(2, marks.path).result(timeout=PATIENCE_S) == 1
    assert marks.lines() == ["2"]


def test_a_method_that_kills_its_child_every_time_uses_up_its_attempts(nursery: Nursery, eventually: Any):
    cart = nursery.add("cart", Deadly)
    response = cart.die.options(retry=Retry(attempts=2, on=())).remote()
    others = [cart.add.remote(item) for item in range(3)]
    with pytest.raises(ChildLostError, match=r"die\(\) was there, on attempt 2, its last"):
        response.result(timeout=PATIENCE_S)
    assert [other.result(timeout=PATIENCE_S) for other in others] == [1, 2, 3]


# -- living, and replaced ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fence", [True, False])
def test_a_hung_child_that_is_replaced_has_no_say_any_more(nursery: Nursery, gate: Any, eventually: Any, fence: bool):
    """Its calls are answered by the standby at once; that it answers too, later, changes nothing."""
    cart = nursery.add("cart", Cart, standbys=1, checkpoint="each_call")
    assert answers(cart, range(5)) == [1, 2, 3, 4, 5]
    held = cart.wait_for.options(retry=Retry(attempts=1, on=())).remote(gate.path)
    after = [cart.add.remote(item) for item in range(5, 10)]
    old = nursery.lives(KEY)[0].actor
    nursery.replace(KEY, fence=fence)
    with pytest.raises(ChildLostError):
        held.result(timeout=PATIENCE_S)
    assert [response.result(timeout=PATIENCE_S) for response in after] == [6, 7, 8, 9, 10]
    gate.open()
    eventually(lambda: cart.add.remote(0).result(timeout=PATIENCE_S) > 10)
    del old


def test_a_stopped_process_is_not_taken_for_dead(nursery: Nursery):
    cart = nursery.add("cart", Cart, standbys=1)
    assert answers(cart, range(3)) == [1, 2, 3]
    pid = nursery.pid(KEY)
    os.kill(pid, signal.SIGSTOP)
    try:
        response = cart.add.remote(3)
        with pytest.raises(TimeoutError):
            response.result(timeout=0.3)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert response.result(timeout=PATIENCE_S) == 4
    assert nursery.accepted(KEY) == 1


# -- streams -----------------------------------------------------------------------------------------------------------


def test_streams_across_a_death(nursery: Nursery):
    """One at a time: a generator that waits for its caller holds its child's only thread."""
    cart = nursery.add("cart", Cart, standbys=1, checkpoint="each_call")
    answers(cart, range(200))
    resumed = cart.each.options(resume=True).remote()
    assert [next(resumed) for _ in range(3)] == [0, 1, 2]
    nursery.kill(KEY)
    assert list(resumed) == list(range(3, 200))
    assert list(cart.each.remote()) == list(range(200))


def test_an_endless_stream_that_is_closed_lets_the_child_go_on(nursery: Nursery, marks: Any):
    cart = nursery.add("cart", Cart)
    with cart.endless.remote(marks.path) as stream:
        assert [next(stream) for _ in range(3)] == [1, 2, 3]
    assert cart.add.remote(1).result(timeout=PATIENCE_S) == 1
    assert marks.lines() == ["ended"]


# -- pools -------------------------------------------------------------------------------------------------------------


def test_a_pools_calls_go_to_the_members_that_live(nursery: Nursery):
    nursery.replaces = False
    pool = nursery.add_pool("carts", Cart, 2)
    pids = {response.result(timeout=PATIENCE_S) for response in [pool.pid.remote() for _ in range(10)]}
    assert pids == {nursery.pid(f"child/carts-{number}") for number in range(2)}
    assert sorted(pool.all_members()) == ["child/carts-0", "child/carts-1"]
    responses = [pool.add.remote(item) for item in range(100)]
    nursery.kill("child/carts-0")
    responses += [pool.add.remote(item) for item in range(100)]
    assert len([response.result(timeout=PATIENCE_S) for response in responses]) == 200
    assert pool.pid.remote().result(timeout=PATIENCE_S) == nursery.pid("child/carts-1")
