"""More names than a cluster may have: an error that says which, in whatever process, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import ray

from supervisor import CircuitOpenError, Supervisor, TooManyBreakersError
from tests.ray_local.breaker_crew import SETTINGS, crew_of
from tests.ray_local.conftest import HEARTBEAT, unique_name

pytestmark = pytest.mark.soak

NAMES_MAX = 3


@pytest.fixture
def full(ray_session, tmp_path_factory, eventually) -> Iterator[Supervisor]:
    config = {
        "pools": {"default": {"size": 1, "standbys": 0, **HEARTBEAT}},
        "services": HEARTBEAT,
        "log": {"path": str(tmp_path_factory.mktemp("log") / "events.duckdb")},
        "warm_processes": 1,
        "standby": False,
        "breaker_actors_max": 0,
        "breaker_names_max": NAMES_MAX,
    }
    with Supervisor.start(config, name=unique_name()) as made:
        handles = [made.breaker(f"bank-{number}", SETTINGS) for number in range(NAMES_MAX)]
        eventually(lambda: all(handle.owner_heard for handle in handles), "the owners answering", 60.0)
        yield made
        made.shutdown()


def test_the_first_use_of_one_too_many_is_refused_everywhere_and_the_others_go_on(full, eventually):
    full.breaker("bank-0").force_open(reason="a drill", who="ann")
    (caller,) = crew_of(1)
    eventually(lambda: len(full.breaker_states()) == NAMES_MAX, "all lying on the node's board")
    with pytest.raises(TooManyBreakersError, match=r"'more' is one too many: the cluster has 3.*breaker_names_max"):
        full.breaker("more")
    with pytest.raises(TooManyBreakersError) as refused:
        ray.get(caller.define.remote(full.name, "more", SETTINGS))
    assert (refused.value.name, refused.value.limit, refused.value.setting) == ("more", 3, "breaker_names_max")
    with pytest.raises(TooManyBreakersError, match="'more' is one too many"):
        full.breakers().force_open("more", reason="a drill")
    assert full.breakers().names == tuple(f"bank-{number}" for number in range(NAMES_MAX))
    with pytest.raises(CircuitOpenError):
        full.breaker("bank-0").call(print)
    assert ray.get(caller.define.remote(full.name, "bank-1", SETTINGS)) == []
    ray.kill(caller)
