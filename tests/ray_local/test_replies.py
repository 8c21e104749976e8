"""A call's answer reaches its callback exactly once, whoever fetches it."""

from __future__ import annotations

import queue
import threading
from typing import Any

import pytest
import ray

from actors.runtime.replies import Awaited, when_answered

PATIENCE_S = 30.0


class CustomError(Exception):
    pass


@pytest.fixture(scope="module")
def callee(ray_session) -> Any:
    class Callee:
        def answer(self, number: int) -> int:
            return number

        def fail(self) -> None:
            raise CustomError("no")

        def wait(self, seconds: float) -> str:
            threading.Event().wait(seconds)
            return "late"

    made: Any = ray.remote(Callee).options(num_cpus=0).remote()
    yield made
    ray.kill(made)


@pytest.fixture
def told() -> Any:
    return queue.SimpleQueue()


def test_a_waiting_thread_fetches_the_answer_itself(callee, told):
    def tell(answer: Any) -> None:
        told.put((answer, threading.get_ident()))

    Awaited(callee.answer.remote(7), tell).fetch(PATIENCE_S)
    assert told.get_nowait() == (7, threading.get_ident())


def test_an_answer_is_told_once_however_many_want_it(callee, told):
    for number in range(50):
        awaited = Awaited(callee.answer.remote(number), told.put)
        wanting = [threading.Thread(target=awaited.fetch, args=(PATIENCE_S,)) for _ in range(3)]
        wanting += [threading.Thread(target=awaited.listen) for _ in range(3)]
        for thread in wanting:
            thread.start()
        assert told.get(timeout=PATIENCE_S) == number
        for thread in wanting:
            thread.join(PATIENCE_S)
        assert told.empty()


def test_after_the_time_out_the_answer_comes_by_callback(callee, told):
    awaited = Awaited(callee.wait.remote(0.3), told.put)
    awaited.fetch(0.0)
    assert told.get(timeout=PATIENCE_S) == "late"


@pytest.mark.parametrize("how", ["fetch", "listen", "callback"])
def test_an_exception_is_an_answer_of_its_own_type(callee, told, how):
    ref = callee.fail.remote()
    if how == "callback":
        when_answered(ref, told.put)
    elif how == "listen":
        Awaited(ref, told.put).listen()
    else:
        Awaited(ref, told.put).fetch(PATIENCE_S)
    assert isinstance(told.get(timeout=PATIENCE_S), CustomError)
