"""On an embedded Ray, the processes of actors are forked, and are what Ray would have started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.exceptions import RayActorError

from actors.runtime import process
from actors.runtime.forking import SWITCH_OFF


@ray.remote(num_cpus=0)
class Teller:
    def tell(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "parent": Path(f"/proc/{os.getppid()}/cmdline").read_bytes().split(b"\0")[1].decode(),
            "drawn": ray.put(None).hex(),
            "variable": os.environ.get("A_VARIABLE"),
        }


@pytest.fixture
def tellers(ray_session: object) -> Iterator[list[Any]]:
    if os.environ.get(SWITCH_OFF):
        pytest.skip("switched off here")
    made: list[Any] = []
    yield made
    for teller in made:
        with suppress(Exception):
            ray.kill(teller)


def is_forked(told: dict[str, Any]) -> bool:
    return told["parent"].endswith("forking/server.py")


def test_actors_are_forked_and_end_as_others(tellers: list[Any], eventually: Any, is_alive: Any) -> None:
    def one_more() -> dict[str, Any]:
        tellers.append(Teller.remote())
        return ray.get(tellers[-1].tell.remote())

    eventually(lambda: is_forked(one_more()), "a forked one: the first start the server", 90.0)
    told = [one_more() for _ in range(3)]
    assert all(map(is_forked, told))
    assert len({each["drawn"] for each in told}) == 3
    ray.kill(tellers[-1])
    eventually(lambda: not is_alive(told[-1]["pid"]), "the end of it")
    process.kill(process.identify(told[-2]["pid"]))
    with pytest.raises(RayActorError):
        ray.get(tellers[-2].tell.remote())


def test_one_with_a_runtime_environment_is_started_by_ray(tellers: list[Any]) -> None:
    environment = {"env_vars": {"A_VARIABLE": "a value"}}
    tellers.append(Teller.options(runtime_env=environment).remote())
    told: Any = ray.get(tellers[-1].tell.remote())
    assert (is_forked(told), told["variable"]) == (False, "a value")
