"""The calls of one process to a child: the machine's commands carried out, Ray's answers turned into events."""

from __future__ import annotations

import asyncio
import pickle
import threading
from typing import Any

import pytest
import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError, RayTaskError

from actors.runtime.errors import ChildError, OutcomeUnknownError, StaleIncarnationError, SupervisorClosedError
from supervisor.children.errors import (
    CallPayloadError,
    CallQueueFullError,
    CallTimeoutError,
    ChildExitedError,
    ChildGoneError,
)
from tests.unit.children import fakes
from tests.unit.children.fakes import Actor, ok
from tests.unit.children.rig import KEY, Rig


class Unpicklable:
    def __reduce__(self) -> Any:
        raise TypeError("holds a socket")


@pytest.fixture(autouse=True)
def no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "get", fakes.get)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_call_travels_with_its_arguments_and_its_answer_comes_back(rig: Rig) -> None:
    response = rig.cart.add.remote("egg", count=3)
    (call,) = rig.actor.calls
    assert (call.key, call.header[1:], call.arguments) == (KEY, (1, 0, "add", 1), (("egg",), {"count": 3}))
    assert rig.ticks.woken == [rig.calls]
    assert (response.done(), response.key, response.method, response.attempts) == (False, KEY, "add", 1)
    call.ref.answer = ok(7)
    assert response.result(timeout=5) == 7
    assert rig.calls.busy is False


def test_nobody_is_called_back_while_the_caller_may_come_to_wait(rig: Rig) -> None:
    first = rig.cart.add.remote()
    assert not rig.actor.calls[0].ref.is_listened_to
    second = rig.cart.add.remote()
    assert rig.actor.calls[0].ref.is_listened_to
    rig.calls.tick()
    assert rig.actor.calls[1].ref.is_listened_to
    for call in rig.actor.calls:
        call.ref.set(ok(1))
    assert (first.done(), second.done()) == (True, True)


def test_it_can_be_awaited(rig: Rig) -> None:
    async def call() -> Any:
        response = rig.cart.add.remote()
        asyncio.get_running_loop().call_soon(rig.actor.calls[0].ref.set, ok(7))
        return await response

    assert asyncio.run(call()) == 7


def test_a_timeout_of_the_wait_leaves_the_call_running(rig: Rig) -> None:
    response = rig.cart.add.remote()
    with pytest.raises(TimeoutError):
        response.result(timeout=0)
    rig.actor.calls[0].ref.set(ok(7))
    assert response.result() == 7


def test_object_references_travel_beside_the_arguments(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.children.calls.dumps", lambda _: (pickle.dumps(((), {})), ["ref"]))
    response = rig.cart.add.remote()
    rig.actor.calls[0].ref.set(("ok", pickle.dumps(1), []))
    assert response.result() == 1


def test_the_users_exception_is_raised(rig: Rig) -> None:
    response = rig.cart.add.remote()
    rig.actor.calls[0].ref.answer = ("error", pickle.dumps(KeyError("egg")))
    with pytest.raises(KeyError):
        response.result(timeout=5)


def test_a_result_that_does_not_load_says_so(rig: Rig) -> None:
    response = rig.cart.add.remote()
    rig.actor.calls[0].ref.answer = ("ok", b"no pickle")
    with pytest.raises(CallPayloadError, match=r"the result of add\(\) cannot travel"):
        response.result(timeout=5)


def test_an_argument_that_does_not_pickle_fails_before_anything_is_sent(rig: Rig) -> None:
    with pytest.raises(CallPayloadError, match="holds a socket"):
        rig.cart.add.remote(Unpicklable())
    assert rig.actor.calls == []


def test_more_calls_than_may_wait_are_refused() -> None:
    rig = Rig(queue_limit=2)
    rig.cart.add.remote()
    rig.cart.add.remote()
    with pytest.raises(CallQueueFullError, match="2 calls of this process to child/cart are unanswered"):
        rig.cart.add.remote()


@pytest.mark.parametrize("when", ["sending", "waiting"])
def test_a_dead_childs_calls_go_to_the_next_incarnation(rig: Rig, when: str) -> None:
    if when == "sending":
        rig.actors["cart#1"] = Actor(broken=True)
    response = rig.cart.add.remote(1)
    if when == "waiting":
        rig.calls.tick()
        rig.actor.calls[0].ref.set(ActorDiedError())
    assert rig.ticks.hurries == 1
    successor = rig.move()
    assert successor.calls[0].header == ("me", 1, 0, "add", 2)
    successor.calls[0].ref.set(ok(5))
    assert (response.result(), response.attempts) == (5, 2)


def test_a_death_that_the_kernel_told_stops_the_sending(rig: Rig) -> None:
    rig.calls.died(KEY, 1)
    rig.cart.add.remote()
    assert rig.actor.calls == []
    assert len(rig.move().calls) == 1


def test_an_unavailable_child_is_asked_again(rig: Rig) -> None:
    response = rig.cart.add.remote()
    rig.calls.tick()
    rig.actor.calls[0].ref.set(ActorUnavailableError("away", b"0" * 16))
    rig.tick_until(lambda: len(rig.actor.calls) == 2)
    assert [call.header[1] for call in rig.actor.calls] == [1, 1]
    rig.actor.calls[1].ref.set(ok(3))
    assert response.result() == 3


def test_an_actor_that_cannot_be_found_is_asked_again(rig: Rig) -> None:
    actor = rig.actors.pop("cart#1")
    rig.cart.add.remote()
    rig.actors["cart#1"] = actor
    rig.tick_until(lambda: len(rig.actor.calls) == 1)


def test_what_the_host_itself_raises_is_the_calls_error(rig: Rig) -> None:
    response = rig.cart.add.remote()
    rig.calls.tick()
    rig.actor.calls[0].ref.set(RayTaskError("call", "", TypeError("no such argument")))
    with pytest.raises(TypeError, match="no such argument"):
        response.result()


def test_a_host_that_was_replaced_is_stale(rig: Rig) -> None:
    rig.cart.add.remote()
    rig.calls.tick()
    error = StaleIncarnationError("cart", sent_by=1, accepted=2)
    rig.actor.calls[0].ref.set(RayTaskError("call", "", error))
    assert len(rig.move().calls) == 1


def test_a_call_of_the_child_that_fails_by_anothers_death_is_no_death_of_its_own(rig: Rig) -> None:
    response = rig.cart.add.remote()
    rig.calls.tick()
    rig.actor.calls[0].ref.set(RayTaskError("call", "", ActorDiedError()).as_instanceof_cause())
    with pytest.raises(ActorDiedError):
        response.result()


def test_an_exit_of_the_child_is_told(rig: Rig) -> None:
    response = rig.cart.add.remote()
    rig.actor.calls[0].ref.answer = ("exited", b"normal")
    with pytest.raises(ChildExitedError, match=r"add\(\) ended child/cart by itself \(exit class normal\)"):
        response.result(timeout=5)


def test_a_child_that_is_gone_fails_its_calls(rig: Rig) -> None:
    response = rig.cart.add.remote()
    rig.calls.gone(KEY, ChildGoneError(KEY, "it was given up"))
    with pytest.raises(ChildGoneError, match="it was given up") as caught:
        response.result(timeout=5)
    assert isinstance(caught.value, ChildError)
    with pytest.raises(ChildGoneError):
        rig.cart.add.remote().result(timeout=5)


def test_a_call_has_its_own_time_limit(rig: Rig) -> None:
    response = rig.cart.add.options(timeout_s=0.005).remote()
    rig.tick_until(response.done)
    with pytest.raises(CallTimeoutError, match="it may have run"):
        response.result()


def test_what_must_not_run_twice_says_that_it_is_unknown(rig: Rig) -> None:
    response = rig.cart.add.options(unknown="never").remote()
    rig.move()
    with pytest.raises(OutcomeUnknownError, match='unknown="never"'):
        response.result()


def test_a_cancelled_call_drops_its_answer(rig: Rig) -> None:
    responses = [rig.cart.add.remote() for _ in range(2)]
    assert [response.cancel() for response in responses] == [True, True]
    rig.calls.tick()
    rig.actor.calls[0].ref.set(ok(1))
    rig.actor.calls[1].ref.set(("error", pickle.dumps(KeyError())))
    assert [response.cancelled() for response in responses] == [True, True]
    assert rig.calls.busy is False


def test_one_that_is_cancelled_while_its_answer_comes_stays_cancelled(rig: Rig) -> None:
    response = rig.cart.add.remote()
    response._state = "CANCELLED"
    rig.calls._resolve(response._call, pickle.dumps(1), ())
    rig.calls.gone(KEY, ChildGoneError(KEY, "it was stopped"))
    assert response.cancelled()


def test_leaving_ends_all_calls(rig: Rig) -> None:
    response = rig.cart.add.remote()
    rig.calls.close()
    with pytest.raises(SupervisorClosedError):
        response.result()
    with pytest.raises(SupervisorClosedError):
        rig.cart.add.remote()


def test_callbacks_run_under_no_lock(rig: Rig) -> None:
    """One that calls the child again, and waits for another thread that does, stops nobody."""
    response, done = rig.cart.add.remote(), threading.Event()

    def call_again(_: Any) -> None:
        other = threading.Thread(target=rig.cart.add.remote)
        other.start()
        other.join(10)
        done.set()

    response.add_done_callback(call_again)
    rig.actor.calls[0].ref.set(ok(1))
    assert done.wait(10)
    assert len(rig.actor.calls) == 2


def test_a_response_stays_where_the_call_was_made(rig: Rig) -> None:
    with pytest.raises(TypeError, match=r"child/cart.add\(\) stays where the call was made"):
        pickle.dumps(rig.cart.add.remote())


def test_calls_of_many_threads_reach_the_actor_in_the_order_of_their_numbers(rig: Rig) -> None:
    def call() -> None:
        for _ in range(50):
            rig.cart.add.remote()

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [call.header[1] for call in rig.actor.calls] == list(range(1, 201))
