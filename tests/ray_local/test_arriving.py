"""Handles among the arguments and results of plain Ray tasks, in processes that know no supervisor yet."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import ray

from actors.breaker.settings import BreakerSettings
from supervisor import Group, Supervisor
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
