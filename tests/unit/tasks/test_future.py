"""A task's future is a concurrent.futures.Future in all that callers do, and can be awaited."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any, cast

import pytest

from actors.worker.slot import HELD
from supervisor.answer import _UNWATCHED
from supervisor.tasks.future import TaskFuture


def _future(cancelled: list[TaskFuture[Any]] | None = None) -> TaskFuture[Any]:
    return TaskFuture("t1", "key", 255, (cancelled if cancelled is not None else []).append)


class Slot:
    """The slot of the task that this thread runs; it notes when it is given back."""

    def __init__(self) -> None:
        self.events: list[str] = []

    @contextmanager
    def given_back(self) -> Generator[None]:
        self.events.append("given back")
        try:
            yield
        finally:
            self.events.append("taken again")


@pytest.fixture
def slot() -> Iterator[Slot]:
    held = Slot()
    token = HELD.set(held)
    yield held
    HELD.reset(token)


def test_it_knows_its_task() -> None:
    future = _future()
    assert (future.task_id, future.key, future.trace_id, future.attempts) == ("t1", "key", f"{255:032x}", 0)
    assert isinstance(future, futures.Future)


def test_a_result_is_there_once_set() -> None:
    future = _future()
    assert (future.done(), future.running(), future.cancelled()) == (False, False, False)
    future.set_result(3)
    assert (future.done(), future.result(), future.exception(), future.cancel()) == (True, 3, None, False)


def test_an_exception_is_raised_once_set() -> None:
    future = _future()
    future.set_exception(ValueError("no"))
    assert isinstance(future.exception(), ValueError)
    with pytest.raises(ValueError, match="no"):
        future.result()


def test_waiting_ends_when_time_is_out_and_the_task_goes_on() -> None:
    future = _future()
    with pytest.raises(TimeoutError):
        future.result(timeout=0)
    with pytest.raises(TimeoutError):
        future.exception(timeout=0)
    future.set_result(1)
    assert future.result(timeout=0) == 1


@pytest.mark.parametrize("looked_at", [False, True])
def test_an_end_is_final(looked_at: bool) -> None:
    future = _future()
    if looked_at:
        future.add_done_callback(lambda _: None)
    future.set_result(1)
    with pytest.raises(futures.InvalidStateError):
        future.set_result(2)
    with pytest.raises(futures.InvalidStateError):
        future.set_exception(ValueError())
    assert future.result() == 1


def test_callbacks_and_waiters_that_came_before_the_end_are_told() -> None:
    one, other = _future(), _future()
    seen: list[TaskFuture[Any]] = []
    one.add_done_callback(lambda _: seen.append(one))
    waiter = threading.Thread(target=lambda: seen.append(other.result(timeout=5)))
    waiter.start()
    one.set_result(1)
    other.set_result(2)
    waiter.join(timeout=5)
    assert seen.count(one) == 1
    assert 2 in seen


def test_callbacks_and_waiters_that_come_after_the_end_are_told_at_once() -> None:
    future = _future()
    future.set_exception(ValueError())
    seen: list[Any] = []
    future.add_done_callback(seen.append)
    assert seen == [future]
    assert futures.wait([future, _future()], return_when=futures.FIRST_COMPLETED).done == {future}
    assert list(futures.as_completed(cast("list[futures.Future[Any]]", [future]))) == [future]


def test_who_begins_to_look_while_another_does_sees_the_same() -> None:
    """Two threads may look at a future for the first time at once; both must be told of its end."""
    future = _future()
    with _UNWATCHED:
        lookers = [threading.Thread(target=future.add_done_callback, args=(lambda _: None,)) for _ in range(2)]
        for looker in lookers:
            looker.start()
    for looker in lookers:
        looker.join(timeout=5)
    assert len(future._done_callbacks) == 2


def test_cancelling_tells_the_dispatcher_once_however_often_it_is_asked_for() -> None:
    told: list[TaskFuture[Any]] = []
    future = _future(told)
    assert [future.cancel() for _ in range(3)] == [True] * 3
    assert told == [future]
    assert (future.cancelled(), future.done()) == (True, True)
    with pytest.raises(futures.CancelledError):
        future.result()


def test_cancelling_tells_those_who_wait() -> None:
    future = _future()
    seen: list[Any] = []
    future.add_done_callback(seen.append)
    future.cancel()
    assert seen == [future]
    assert futures.wait([future]).done == {future}


def test_what_has_ended_cannot_be_cancelled() -> None:
    told: list[TaskFuture[Any]] = []
    future = _future(told)
    future.set_result(1)
    assert (future.cancel(), told) == (False, [])


def test_it_can_be_awaited() -> None:
    async def both() -> tuple[int, str]:
        good, bad = _future(), _future()
        asyncio.get_running_loop().call_soon(good.set_result, 1)
        asyncio.get_running_loop().call_soon(bad.set_exception, ValueError("no"))
        with pytest.raises(ValueError, match="no"):
            await bad
        return await good, "done"

    assert asyncio.run(both()) == (1, "done")


def test_giving_up_the_wait_gives_up_the_task() -> None:
    told: list[TaskFuture[Any]] = []
    future = _future(told)

    async def wait() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(future, 0.001)

    asyncio.run(wait())
    assert told == [future]


def test_waiting_inside_a_task_gives_its_slot_back_meanwhile(slot: Slot) -> None:
    future = _future()
    with pytest.raises(TimeoutError):
        future.result(timeout=0)
    with pytest.raises(TimeoutError):
        future.exception(timeout=0)
    assert slot.events == ["given back", "taken again"] * 2


def test_a_result_that_is_there_does_not_cost_the_slot(slot: Slot) -> None:
    good, bad = _future(), _future()
    good.set_result(1)
    bad.set_exception(ValueError("no"))
    assert good.result() == 1
    assert good.exception() is None
    with pytest.raises(ValueError, match="no"):
        bad.result()
    assert slot.events == []
