"""The worker's shell in this process: bytes in, bytes out, one batch at a time, slots given back while waiting."""

from __future__ import annotations

import asyncio
import pickle
import threading
from typing import Any

import pytest

from actors.runtime.context import current_task
from actors.runtime.errors import StaleIncarnationError
from actors.runtime.wire import dumps, pickle_function
from actors.worker.actor import WorkerActor
from actors.worker.protocol import CANNOT_LOAD, CANNOT_TRAVEL, NEEDS_FUNCTION, OK, RAISED, TIMED_OUT
from actors.worker.slot import waiting_for_others

DEADLINE_S = 20.0


@pytest.fixture
def worker():
    return WorkerActor("s/worker/p-0#1", 1)


def batch(*calls: tuple[Any, ...], number: int = 1, timeout_s: float | None = None, known: bool = True) -> bytes:
    entries, functions = [], {}
    for index, (fn, *args) in enumerate(calls):
        pickled = pickle_function(fn, by_value=False)
        if known:
            functions[pickled.digest] = pickled.data
        context = (f"t{index}", f"k{index}", 1, None, 1, 2)
        entries.append((index, pickled.digest, dumps((tuple(args), {}))[0], None, timeout_s, context))
    return pickle.dumps(("client", number, entries, functions))


def results(answer: Any) -> list[tuple[Any, ...]]:
    assert isinstance(answer, bytes)
    return pickle.loads(answer)


def codes(answer: Any) -> list[int]:
    return [result[1] for result in results(answer)]


def test_results_come_back_in_order(worker):
    answer = results(worker.run(batch((pow, 2, 3), (len, "abc"))))
    assert [(number, code, pickle.loads(payload)) for number, code, payload, _, _ in answer] == [(0, OK, 8), (1, OK, 3)]


def test_an_exception_travels_with_its_traceback_as_a_note(worker):
    (_, code, payload, _, _), *_ = results(worker.run(batch((int, "x"))))
    error = pickle.loads(payload)
    assert code == RAISED
    assert isinstance(error, ValueError)
    assert "The worker's traceback" in error.__notes__[0]


def test_an_unknown_function_is_asked_for(worker):
    assert codes(worker.run(batch((pow, 2, 3), known=False))) == [NEEDS_FUNCTION]
    assert codes(worker.run(batch((pow, 2, 3), number=2))) == [OK]
    assert codes(worker.run(batch((pow, 2, 3), number=3, known=False))) == [OK]


def test_a_result_that_cannot_travel_fails_alone(worker):
    assert codes(worker.run(batch((threading.Lock,), (pow, 2, 3)))) == [CANNOT_TRAVEL, OK]


def test_arguments_that_cannot_be_loaded_are_told(worker):
    function = pickle_function(pow, by_value=False)
    entry = (0, function.digest, b"no pickle", None, None, ("t", None, 1, None, 1, 2))
    data = pickle.dumps(("client", 1, [entry], {function.digest: function.data}))
    assert codes(worker.run(data)) == [CANNOT_LOAD]


async def _sleep_long() -> None:
    await asyncio.sleep(60)


def test_a_coroutine_is_cancelled_at_its_limit(worker):
    assert codes(worker.run(batch((_sleep_long,), timeout_s=0.01))) == [TIMED_OUT]


async def _double(number: int) -> int:
    return 2 * number


def test_a_coroutine_s_result_is_the_task_s(worker):
    (_, code, payload, _, _), *_ = results(worker.run(batch((_double, 4))))
    assert (code, pickle.loads(payload)) == (OK, 8)


def _whoami() -> tuple[str, str | None]:
    task = current_task()
    assert task is not None
    return task.task_id, task.key


def test_a_task_knows_itself(worker):
    (_, _, payload, _, _), *_ = results(worker.run(batch((_whoami,))))
    assert pickle.loads(payload) == ("t0", "k0")
    assert current_task() is None


_GATES: dict[str, threading.Event] = {}


def _hold(started: str, release: str) -> None:
    _GATES[started].set()
    assert _GATES[release].wait(DEADLINE_S)


def _wait_inside(started: str, release: str) -> None:
    with waiting_for_others():
        _hold(started, release)


def _in_thread(call: Any, answers: dict[str, Any], name: str) -> threading.Thread:
    thread = threading.Thread(target=lambda: answers.__setitem__(name, call()), daemon=True)
    thread.start()
    return thread


def test_a_recall_hands_out_results_and_takes_back_what_has_not_started(worker):
    _GATES.update(recalled=threading.Event(), recall_on=threading.Event())
    answers: dict[str, Any] = {}
    data = batch((pow, 2, 3), (_hold, "recalled", "recall_on"), (pow, 3, 3))
    thread = _in_thread(lambda: worker.run(data), answers, "batch")
    assert _GATES["recalled"].wait(DEADLINE_S)
    progress = worker.recall("client", 1)
    assert ([result[0] for result in progress.results], progress.withdrawn, progress.running) == ([0], (2,), 1)
    _GATES["recall_on"].set()
    thread.join(DEADLINE_S)
    assert [result[0] for result in results(answers["batch"])] == [1]


def test_a_batch_that_its_recall_overtook_is_given_back_at_once_behind_a_long_task_too(worker):
    """It would else wait for the slot with nothing to run, and its tasks with it."""
    _GATES.update(held=threading.Event(), hold_on=threading.Event())
    answers: dict[str, Any] = {}
    thread = _in_thread(lambda: worker.run(batch((_hold, "held", "hold_on"))), answers, "long")
    assert _GATES["held"].wait(DEADLINE_S)
    worker.recall("client", 2)
    overtaken = _in_thread(lambda: worker.run(batch((pow, 2, 3), number=2)), answers, "overtaken")
    overtaken.join(DEADLINE_S / 2)
    assert results(answers["overtaken"]) == []
    _GATES["hold_on"].set()
    thread.join(DEADLINE_S)


def test_a_waiting_task_gives_its_slot_back(worker):
    """A full worker would deadlock on tasks that wait for tasks."""
    _GATES.update(waits=threading.Event(), wait_on=threading.Event())
    answers: dict[str, Any] = {}
    thread = _in_thread(lambda: worker.run(batch((_wait_inside, "waits", "wait_on"))), answers, "parent")
    assert _GATES["waits"].wait(DEADLINE_S)
    assert worker.recall("client", 1).blocked
    assert codes(worker.run(batch((pow, 2, 3), number=2))) == [OK]
    _GATES["wait_on"].set()
    thread.join(DEADLINE_S)
    assert codes(answers["parent"]) == [OK]


async def _wait_for_many() -> int:
    async def one(number: int) -> int:
        with waiting_for_others():
            await asyncio.sleep(0)
            return number

    return sum(await asyncio.gather(*(one(number) for number in range(5))))


def test_a_coroutine_that_waits_on_many_gives_one_slot_back(worker):
    assert codes(worker.run(batch((_wait_for_many,)))) == [OK]
    held = threading.Semaphore.acquire(worker._slot, blocking=False)
    assert held
    assert not worker._slot.acquire(blocking=False)


def test_a_deposed_leader_is_refused(worker):
    assert worker.heartbeat(3)["tasks_run"] == 0
    with pytest.raises(StaleIncarnationError, match="refused a command of incarnation 2"):
        worker.heartbeat(2)


def test_ready_has_run_a_task(worker):
    assert worker.ready() == "s/worker/p-0#1"


def test_a_watch_is_released_by_the_same_watcher_s_next(worker):
    first = threading.Thread(target=worker.watch, args=("leader",), daemon=True)
    first.start()
    second = threading.Thread(target=worker.watch, args=("leader",), daemon=True)
    second.start()
    ended = threading.Event()
    threading.Thread(target=lambda: (first.join(), ended.set()), daemon=True).start()
    third = threading.Thread(target=worker.watch, args=("leader",), daemon=True)
    third.start()
    assert ended.wait(DEADLINE_S)


def test_a_watch_fails_with_what_ends_the_actor(worker):
    """Ray lets no process end in order while its calls run."""
    raised: list[Exception] = []

    def watch() -> None:
        try:
            worker.watch("leader")
        except OSError as error:
            raised.append(error)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    ending = OSError("it ends")
    worker.fail_watches(ending)
    watching.join(DEADLINE_S)
    watch()
    assert raised == [ending, ending]


def test_a_name_without_an_incarnation_is_refused():
    with pytest.raises(ValueError, match="not an actor name"):
        WorkerActor("worker", 1)


def test_a_worker_that_learned_a_function_needs_it_no_more(worker):
    pickled = pickle_function(pow, by_value=False)
    worker.learn({pickled.digest: pickled.data, b"broken": b"no pickle"})
    assert codes(worker.run(batch((pow, 2, 3), known=False))) == [OK]
