"""A stream gives its items in order; what breaks it is told, or mended."""

from __future__ import annotations

import asyncio
import pickle
import threading
from typing import Any

import pytest
import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError, RayTaskError

from actors.breaker.errors import CircuitOpenError
from actors.runtime.errors import OutcomeUnknownError
from supervisor.children.errors import CallPayloadError, CallTimeoutError, ChildExitedError, ChildGoneError
from tests.unit.breaker.town import Town
from tests.unit.children import fakes
from tests.unit.children.rig import KEY, PATIENCE_S, Rig


def item(value: object) -> Any:
    return ("ok", pickle.dumps(value))


@pytest.fixture(autouse=True)
def cancelled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    sources: list[Any] = []
    monkeypatch.setattr(ray, "get", fakes.get)
    monkeypatch.setattr(ray, "cancel", sources.append)
    return sources


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_items_come_in_order(rig: Rig) -> None:
    rig.actor.streams = [[item(1), item(2)]]
    stream = rig.cart.items.remote()
    assert list(stream) == [1, 2]
    assert list(stream) == []
    assert stream.delivered == 2
    assert rig.calls.busy is False


def test_they_can_be_awaited(rig: Rig) -> None:
    rig.actor.streams = [[item(1), item(2)]]

    async def collect() -> list[int]:
        return [value async for value in rig.cart.items.remote()]

    assert asyncio.run(collect()) == [1, 2]


def test_an_empty_stream_ends_at_once(rig: Rig) -> None:
    rig.actor.streams = [[]]
    assert list(rig.cart.items.remote()) == []


def test_a_generators_exception_is_raised_behind_its_items(rig: Rig) -> None:
    rig.actor.streams = [[item(1), ("error", pickle.dumps(KeyError("egg")))]]
    stream = rig.cart.items.remote()
    assert next(stream) == 1
    with pytest.raises(KeyError):
        next(stream)
    assert list(stream) == []


def test_an_exception_before_the_first_item_is_the_calls(rig: Rig) -> None:
    rig.actor.streams = [[("error", pickle.dumps(KeyError("egg")))]]
    with pytest.raises(KeyError):
        next(rig.cart.items.remote())


def test_an_item_that_does_not_load_says_so(rig: Rig) -> None:
    rig.actor.streams = [[("ok", b"no pickle", [])]]
    with pytest.raises(CallPayloadError):
        next(rig.cart.items.remote())


@pytest.mark.parametrize("loss", [ActorDiedError(), ("stale", b"")])
def test_a_child_lost_before_the_first_item_gives_it_at_the_next_incarnation(rig: Rig, loss: Any) -> None:
    rig.actor.streams = [[loss]]
    stream = rig.cart.items.remote()
    rig.actors["cart#2"].streams = [[item(1)]]
    rig.move()
    assert list(stream) == [1]


def test_one_that_breaks_before_its_first_item_is_taken_runs_again(rig: Rig) -> None:
    rig.actor.streams = [[item(1)]]
    stream = rig.cart.items.remote()
    rig.actor.opened[0].refs[0].answer = ActorDiedError()
    rig.actors["cart#2"].streams = [[item(1)]]
    rig.move()
    assert list(stream) == [1]


@pytest.mark.parametrize("loss", [ActorDiedError(), ActorUnavailableError("away", b"0" * 16), ("stale", b"")])
def test_one_that_breaks_after_some_items_is_unknown(rig: Rig, loss: Any) -> None:
    rig.actor.streams = [[item(1), loss]]
    stream = rig.cart.items.remote()
    assert next(stream) == 1
    with pytest.raises(OutcomeUnknownError, match=r"its stream broke after 1 items; options\(resume=True\)"):
        next(stream)


def test_one_that_may_be_resumed_passes_over_what_was_delivered(rig: Rig) -> None:
    rig.actor.streams = [[item(1), item(2), ActorDiedError()]]
    stream = rig.cart.items.options(resume=True).remote()
    assert [next(stream), next(stream)] == [1, 2]
    rig.move().streams = [[item(1), item(2), item(3)]]
    assert list(stream) == [3]


def test_so_does_one_that_is_awaited(rig: Rig) -> None:
    rig.actor.streams = [[item(1), ActorDiedError()]]
    rig.actors["cart#2"].streams = [[item(1), item(2)]]

    async def collect() -> list[int]:
        stream = rig.cart.items.options(resume=True).remote()
        values = [await anext(stream)]
        rig.move()
        return values + [value async for value in stream]

    assert asyncio.run(collect()) == [1, 2]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (("exited", b"normal"), ChildExitedError),
        (RayTaskError("stream", "", TypeError("no")), TypeError),
    ],
)
@pytest.mark.parametrize("after", [[], [item(1)]])
def test_what_ends_it_for_good_is_raised(rig: Rig, answer: Any, error: type[Exception], after: list[Any]) -> None:
    rig.actor.streams = [[*after, answer]]
    stream = rig.cart.items.remote()
    assert [next(stream) for _ in after] == [1 for _ in after]
    with pytest.raises(error):
        next(stream)


def test_an_awaited_one_raises_too(rig: Rig) -> None:
    rig.actor.streams = [[("error", pickle.dumps(KeyError("egg")))]]

    async def first() -> Any:
        return await anext(rig.cart.items.remote())

    with pytest.raises(KeyError):
        asyncio.run(first())


def test_its_time_limit_ends_with_the_first_item(rig: Rig) -> None:
    rig.actor.streams = [[None], [item(1), item(2)]]
    late = rig.cart.items.options(timeout_s=0.001).remote()
    rig.tick_until(lambda: rig.calls._machine.unfinished == 0)
    with pytest.raises(CallTimeoutError):
        next(late)
    stream = rig.cart.items.options(timeout_s=PATIENCE_S).remote()
    assert list(stream) == [1, 2]


def test_a_child_that_is_gone_fails_it(rig: Rig) -> None:
    rig.actor.streams = [[None]]
    stream = rig.cart.items.remote()
    rig.calls.gone(KEY, ChildGoneError(KEY, "it was stopped"))
    with pytest.raises(ChildGoneError):
        next(stream)


def test_closing_it_ends_the_generator(rig: Rig, cancelled: list[Any]) -> None:
    rig.actor.streams = [[item(1), item(2)], [None], [("error", pickle.dumps(KeyError()))]]
    with rig.cart.items.remote() as stream:
        assert next(stream) == 1
    stream.close()
    assert list(stream) == []
    assert cancelled == rig.actor.opened
    waiting, failed = rig.cart.items.remote(), rig.cart.items.remote()
    waiting.close()
    failed.close()
    rig.actor.opened[1].refs[0].set(item(1))
    assert (list(waiting), list(failed), len(cancelled)) == ([], [], 1)
    assert rig.calls.busy is False


def test_it_stays_where_the_call_was_made(rig: Rig) -> None:
    rig.actor.streams = [[]]
    with pytest.raises(TypeError, match=r"the stream of child/cart.items\(\) stays"):
        pickle.dumps(rig.cart.items.remote())


@pytest.fixture
def guarded_rig(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Town:
    """Streams of the rig pass this town's breaker; one failure of two calls opens it."""
    town = Town(half_open_permits=1)
    monkeypatch.setattr("supervisor.children.handle.breaker_of", lambda *_: town.breaker)
    return town


def test_the_whole_iteration_is_the_call_to_its_breaker(rig: Rig, guarded_rig: Town) -> None:
    guarded = rig.cart.items.options(breaker="b")
    rig.actor.streams = [[item(1), item(2)], [item(1), ("error", pickle.dumps(KeyError("egg")))]]
    assert list(guarded.remote()) == [1, 2]
    totals = guarded_rig.view.totals
    assert (totals.successes, totals.failures) == (1, 0)
    with pytest.raises(KeyError):
        list(guarded.remote())
    made = len(rig.actor.opened)
    with pytest.raises(CircuitOpenError):
        guarded.remote()
    assert len(rig.actor.opened) == made, "what is refused is not sent"


def test_its_breaker_hears_of_an_awaited_one_too(rig: Rig, guarded_rig: Town) -> None:
    rig.actor.streams = [[item(1)], [("error", pickle.dumps(KeyError("egg")))]]

    async def collect() -> list[int]:
        return [value async for value in rig.cart.items.options(breaker="b").remote()]

    assert asyncio.run(collect()) == [1]
    with pytest.raises(KeyError):
        asyncio.run(collect())
    totals = guarded_rig.view.totals
    assert (totals.successes, totals.failures) == (1, 1)


def test_one_that_is_closed_or_not_made_says_nothing_and_gives_its_probe_back(rig: Rig, guarded_rig: Town) -> None:
    guarded_rig.half_opened()
    guarded = rig.cart.items.options(breaker="b")
    rig.actor.streams = [[item(1), item(2)], [item(1)]]
    with guarded.remote() as stream:
        assert next(stream) == 1
        assert guarded_rig.view.permits_out == 1
    assert (guarded_rig.view.permits_out, guarded_rig.breaker.state) == (0, "half_open")
    with pytest.raises(CallPayloadError):
        guarded.remote(threading.Lock())
    assert (guarded_rig.view.permits_out, guarded_rig.breaker.state) == (0, "half_open")
    assert list(guarded.remote()) == [1]
    assert guarded_rig.breaker.state == "closed"
