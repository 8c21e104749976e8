"""Warm processes on a real Ray: an actor's actors start in them, and used ones are replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import ray

from actors.runtime.ids import NAMESPACE
from actors.runtime.raylet import living_raylets, system_config
from supervisor import launch
from supervisor.doctor import examine_cluster
from tests.prestarting import Leader


@pytest.fixture
def leader(ray_session: launch.Cluster, request: pytest.FixtureRequest) -> Iterator[Any]:
    remote: Any = ray.remote(Leader)
    environment = getattr(request, "param", None)
    made = remote.options(
        num_cpus=0, lifetime="detached", name=uuid4().hex, namespace=NAMESPACE, runtime_env=environment
    ).remote()
    yield made
    ray.kill(made)


@pytest.mark.parametrize(
    ("leader", "expected"),
    [
        pytest.param(None, None, id="plain", marks=pytest.mark.soak),
        pytest.param({"env_vars": {"WARM": "yes"}}, "yes", id="environment"),
    ],
    indirect=["leader"],
)
def test_actors_of_an_actor_start_in_warm_processes_again_and_again(
    leader: Any, expected: str | None, eventually: Callable[..., None]
):
    warm: list[bool] = []

    def three_were_warm() -> bool:
        started_warm, variable = ray.get(leader.create.remote("WARM"))
        assert variable == expected
        warm.append(started_warm)
        return sum(warm) >= 3

    eventually(three_were_warm, "three warm starts", 60)
    assert ray.get(leader.told.remote()) == []


def test_the_configuration_in_force_can_be_read_from_a_raylet(ray_session: launch.Cluster):
    [raylet] = living_raylets()
    assert system_config(raylet) == {**system_config(raylet), **launch.EMBEDDED_KNOBS}


def test_the_doctor_finds_an_embedded_ray_well(ray_session: launch.Cluster):
    assert [one for one in examine_cluster() if not one.well] == []
