"""The keeper of warm processes: it obeys its stock, and what Ray refuses is told once and harms nobody."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from actors.runtime import prestart
from actors.runtime.prestart import WarmWorkers
from actors.runtime.raylet import Raylet, RayletRefusedError, refusal
from actors.runtime.warm import WarmSettings
from supervisor.link import wait_until

EAGER = WarmSettings(per_node=2, keep_alive_s=60, refill_after_s=0, pause_s=0.01, pause_max_s=0.01)


@dataclass
class FakeCluster:
    """Raylets that take every request, or refuse it for the reason given."""

    nodes: list[str] = field(default_factory=lambda: ["a"])
    refuses: RayletRefusedError | None = None
    calls: list[tuple[str, int]] = field(default_factory=list)

    def living_raylets(self) -> tuple[Raylet, ...]:
        return tuple(Raylet(node, f"{node}:1") for node in self.nodes)

    def start_warm_workers(self, raylet: Raylet, count: int, keep_alive_s: int) -> None:
        self.calls.append((raylet.node_id, count))
        if self.refuses is not None:
            raise self.refuses


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    fake = FakeCluster()
    monkeypatch.setattr(prestart, "LOOK_S", 0.01)
    monkeypatch.setattr(prestart, "living_raylets", fake.living_raylets)
    monkeypatch.setattr(prestart, "start_warm_workers", fake.start_warm_workers)
    return fake


def refused(*, for_good: bool) -> RayletRefusedError:
    return RayletRefusedError("a:1", what="PrestartWorkers", reason="it says no", for_good=for_good)


def test_every_node_gets_its_stock_and_a_used_one_is_replaced(cluster: FakeCluster):
    cluster.nodes = ["a", "b", "drained"]
    warm = WarmWorkers(EAGER, tell=print, avoid=lambda: {"drained"})
    warm.start()
    assert wait_until(lambda: cluster.calls == [("a", 2), ("b", 2)], 5)
    warm.used("b", warm=True)
    assert wait_until(lambda: cluster.calls[2:] == [("b", 1)], 5)
    assert warm.held("b") == 2
    warm.stop()


def test_a_ray_that_cannot_do_it_is_told_of_once_and_never_asked_again(cluster: FakeCluster):
    cluster.nodes, cluster.refuses = ["a"], refused(for_good=True)
    told: list[str] = []
    warm = WarmWorkers(EAGER, tell=told.append)
    warm.start()
    assert wait_until(lambda: warm.unavailable is not None, 5)
    warm.used("a", warm=False)
    assert cluster.calls == [("a", 2)]
    assert told == [warm.unavailable]
    assert "it says no" in told[0]


def test_a_node_that_refuses_for_now_is_asked_again_and_told_of_once(cluster: FakeCluster):
    cluster.refuses = refused(for_good=False)
    told: list[str] = []
    warm = WarmWorkers(EAGER, tell=told.append)
    warm.start()
    assert wait_until(lambda: len(cluster.calls) > 3, 5)
    cluster.refuses = None
    assert wait_until(lambda: warm.held("a") == 2, 5)
    warm.stop()
    assert len(told) == 1
    assert warm.unavailable is None


class CodedError(Exception):
    """Like gRPC's."""

    def __init__(self, name: str) -> None:
        self.name = name

    def code(self) -> CodedError:
        return self

    def details(self) -> str:
        return "details"


@pytest.mark.parametrize(
    ("error", "for_good", "said"),
    [
        (CodedError("UNIMPLEMENTED"), True, "UNIMPLEMENTED details"),
        (CodedError("UNAUTHENTICATED"), True, "UNAUTHENTICATED details"),
        (CodedError("DEADLINE_EXCEEDED"), False, "DEADLINE_EXCEEDED details"),
        (CodedError("UNAVAILABLE"), False, "UNAVAILABLE details"),
        (ImportError("no such module"), True, "ImportError: no such module"),
        (AttributeError("no such call"), True, "AttributeError: no such call"),
    ],
)
def test_what_a_private_call_raises_says_whether_asking_again_makes_sense(error: Exception, for_good: bool, said: str):
    ours = refusal("a:1", "PrestartWorkers", error)
    assert ours.for_good is for_good
    assert said in str(ours)
