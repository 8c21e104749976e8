"""Handles, and functions that hold one, where they arrive: in processes that know no supervisor yet, and in workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import ray

from actors.breaker.errors import CircuitOpenError
from actors.breaker.settings import BreakerSettings
from supervisor import Group, Policy, Retry, Supervisor
from tests.ray_local import wards

ANSWER_S = 15.0
"""Ray unpickles under a lock that getting hold of an actor needs: who connected there waited 20 s and more."""


@ray.remote(num_cpus=0)
class Stranger:
    """A process of the user's own."""

    def __init__(self) -> None:
        self.held: list[Any] = []

    def ask(self, handles: list[Any]) -> Any:
        (handle,) = self.held = handles
        match handle:
            case _ if hasattr(handle, "level"):
                return handle.level
            case _ if hasattr(handle, "all_members"):
                return handle.add.remote().result(timeout=ANSWER_S)
            case _ if hasattr(handle, "call"):
                return handle.call(max, 1, 2)
            case _:
                return handle.add.remote().result(timeout=ANSWER_S)

    def give_back(self) -> list[Any]:
        return self.held


@pytest.mark.parametrize(("kind", "answer"), [("child", 1), ("pool", 1), ("breaker", 2), ("degradation", "full")])
def test_a_handle_arrives_in_a_process_that_knows_no_supervisor(
    shared: Supervisor, group: Group, kind: str, answer: Any
):
    def made() -> Any:
        match kind:
            case "child":
                return group.supervise(wards.Ward, name="ward")
            case "pool":
                return group.pool(wards.Ward, name="wards", size=1)
            case "breaker":
                return shared.breaker(f"b{uuid4().hex[:8]}", BreakerSettings())
            case _:
                return shared.degradation

    stranger: Any = Stranger.remote()
    assert ray.get(stranger.ask.remote([made()]), timeout=ANSWER_S) == answer
    (back,) = ray.get(stranger.give_back.remote(), timeout=ANSWER_S)
    if kind in ("child", "pool"):
        assert back.add.remote().result(timeout=ANSWER_S) == answer + 1
    ray.kill(stranger)


def test_a_function_that_a_breaker_decorates_is_guarded_where_it_runs(
    shared: Supervisor, eventually: Callable[..., None]
):
    """It travels by value, as every function of a script does: a task's worker and a plain Ray task count for all."""
    breaker = shared.breaker(f"b{uuid4().hex[:8]}", BreakerSettings(window_calls=10, minimum_calls=4, open_s=60.0))
    eventually(lambda: breaker.owner_heard, "the owner being heard")

    @breaker
    def charge(amount: int) -> int:
        if amount < 0:
            raise ConnectionError("no answer")
        return 2 * amount

    once = shared.options(policy=Policy(retry=Retry(attempts=1)))
    assert once.submit(charge, 3).result(timeout=60) == 6
    assert ray.get(ray.remote(num_cpus=0)(charge).remote(4), timeout=60) == 8
    for _ in range(2):
        assert isinstance(once.submit(charge, -1).exception(timeout=60), ConnectionError)
    eventually(lambda: breaker.state == "open", "all four calls being counted")
    eventually(
        lambda: isinstance(once.submit(charge, 3).exception(timeout=60), CircuitOpenError), "the worker refusing it"
    )


def test_a_childs_stream_passes_its_breaker_where_it_is_called(
    shared: Supervisor, group: Group, eventually: Callable[..., None]
):
    breaker = shared.breaker(f"b{uuid4().hex[:8]}", BreakerSettings())
    eventually(lambda: breaker.owner_heard, "the owner being heard")
    ward: Any = group.supervise(wards.Ward, name="ward", breaker=breaker.name)
    assert list(ward.letters.remote("abc")) == ["a", "b", "c"]
    with ward.letters.remote("abc") as letters:
        assert next(letters) == "a"

    def told() -> tuple[int, int]:
        totals = breaker.metrics().totals
        return totals.successes, totals.neutral

    eventually(lambda: told() == (1, 1), "one whole iteration being a success, and one that was left saying nothing")
    breaker.force_open(reason="a drill")
    with pytest.raises(CircuitOpenError):
        ward.letters.remote("abc")
    assert list(ward.letters.options(breaker=f"other-{breaker.name}").remote("ab")) == ["a", "b"]
