"""What files name acts on the connected cluster, and says so where there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from actors.runtime.settings import Settings
from experiments import driver
from experiments.errors import NoDriverError
from experiments.model.faults import Fault
from experiments.model.functions import PROBES, Health


class Cluster:
    """Tells what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def inject(self, fault: Fault) -> Mapping[str, Any]:
        self.asked.append(fault.fault)
        return {"hit": 1}

    def clear(self) -> Mapping[str, Any]:
        self.asked.append("clear")
        return {}

    def probe(self, function: str, arguments: Settings) -> Any:
        self.asked.append((function, arguments))
        return 7

    def close(self) -> None:
        self.asked.append("close")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    driver.connect(made)
    yield made
    driver.disconnect()


def test_functions_act_on_the_connected_cluster(cluster: Cluster) -> None:
    assert driver.inject("crash", {"kind": "worker"}, how="exit") == {"hit": 1}
    assert driver.clear() == {}
    assert driver.health_score("db") == 7
    arguments: dict[str, dict[str, Any]] = {
        "query": {"sql": "select 1"},
        "measured": {"measure": "lost"},
        "running": {"target": {"kind": "worker"}},
        "breaker_state": {"name": "b"},
    }
    for name in PROBES:
        assert getattr(driver, name)(**arguments.get(name, {})) == 7
    assert cluster.asked[:3] == ["crash", "clear", ("health_score", Health(component="db"))]
    assert [entry[0] for entry in cluster.asked[3:]] == list(PROBES)


def test_another_connection_lets_the_former_go_and_none_is_told(cluster: Cluster) -> None:
    other = Cluster()
    driver.connect(other)
    assert cluster.asked == ["close"]
    driver.disconnect()
    driver.disconnect()
    assert other.asked == ["close"]
    with pytest.raises(NoDriverError, match="supervisor chaos run"):
        driver.clear()


def test_tolerances_of_ours_never_take_what_they_cannot_judge() -> None:
    assert driver.health_is(90, least=80)
    assert not driver.health_is(None, least=80)
    assert not driver.health_is(90, lest=80)
    assert driver.rows_are([], rows_most=0)
    assert driver.burn_is(1, most=2)
