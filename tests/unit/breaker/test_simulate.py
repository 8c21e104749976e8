"""Does it ever open, and how much got through before? The same seed answers the same."""

from __future__ import annotations

from typing import Any

import pytest

from actors.breaker.scenario import Phase, Scenario
from actors.breaker.settings import BreakerSettings
from actors.breaker.simulate import SimulationReport, simulate

HEALTHY = Phase(duration_s=2, calls_per_s=100, failure_rate=0.01)
DOWN = Phase(duration_s=10, calls_per_s=50, failure_rate=1.0)


def _run(
    *phases: Phase, processes: int = 4, seed: int = 0, network_s: float = 0.001, **fields: Any
) -> SimulationReport:
    scenario = Scenario(phases=phases, processes=processes, seed=seed, network_s=network_s)
    return simulate(BreakerSettings(**fields), scenario)


def test_a_healthy_dependency_never_opens_it_and_all_gets_through() -> None:
    report = _run(HEALTHY)
    assert (report.opened, report.opened_at, report.state) == (False, [], "closed")
    assert (report.load.wanted, report.load.passed, report.load.refused) == (200, 200, 0)
    assert report.before == report.load
    assert report.share_of("closed") == 1.0


def test_an_outage_opens_it_soon_and_little_gets_through_after() -> None:
    report = _run(HEALTHY, DOWN, minimum_calls=20, window_calls=40)
    assert report.opened
    assert 2.1 < report.opened_at[0] < 3.0
    assert 15 <= report.before.failed <= 40
    assert report.load.failed - report.before.failed <= 15
    assert report.load.wanted == 700
    assert report.timeline[1].why.endswith("of 40 calls failed (failure_rate=0.5)")
    assert [moment.state for moment in report.timeline[:4]] == ["closed", "open", "half_open", "open"]
    assert report.share_of("open") + report.share_of("half_open") + report.share_of("closed") == pytest.approx(1.0)


def test_never_more_probes_at_once_than_permits_whatever_the_delays() -> None:
    slow = Phase(duration_s=60, calls_per_s=20, failure_rate=0.9, latency_s=2.0)
    report = _run(slow, processes=20, network_s=0.2, half_open_permits=3)
    assert report.probes_at_once == 3
    assert report.probes > 3


def test_it_recovers_by_the_ramp() -> None:
    report = _run(DOWN, Phase(duration_s=60, calls_per_s=100), ramp=(0.1, 0.5, 1.0), open_jitter=0.0)
    states = [moment.state for moment in report.timeline]
    assert states[-4:] == ["ramping", "ramping", "ramping", "closed"]
    assert [moment.share for moment in report.timeline[-4:]] == [0.1, 0.5, 1.0, 1.0]
    assert report.state == "closed"


def test_processes_open_themselves_before_a_quorum_opens_the_cluster() -> None:
    report = _run(DOWN, processes=4, quorum=4)
    assert len(report.self_opened_at) >= 4
    assert report.self_opened_at[0] < report.opened_at[0]
    alone = _run(DOWN, processes=4, quorum=5)
    assert not alone.opened
    assert alone.load.refused > alone.load.passed


def test_a_quorum_of_nodes_needs_processes_of_so_many_nodes() -> None:
    def run(nodes: int | None) -> SimulationReport:
        scenario = Scenario(phases=(DOWN,), processes=4, nodes=nodes)
        return simulate(BreakerSettings(quorum=2, quorum_of="nodes"), scenario)

    assert not run(1).opened
    assert run(2).opened_at[0] >= run(None).opened_at[0] > 0


def test_slow_calls_open_it() -> None:
    phase = Phase(duration_s=5, calls_per_s=100, slow_rate=0.8, slow_s=0.5)
    assert _run(phase, slow_call_rate=0.5, slow_call_s=0.2).opened
    assert not _run(phase).opened


def test_a_function_for_the_wait_is_called() -> None:
    asked = list[int]()

    def wait_s(openings: int) -> float:
        asked.append(openings)
        return 1.0

    report = _run(DOWN, open_s=wait_s)
    assert asked[:2] == [1, 2] or asked[:3] == [1, 1, 2]
    assert len(report.opened_at) >= 5
    asked.clear()
    assert _run(DOWN, open_s=wait_s, quorum=5).self_opened_at
    assert asked


def test_the_same_seed_gives_the_same_run_and_another_one_another() -> None:
    assert _run(HEALTHY, DOWN, seed=3) == _run(HEALTHY, DOWN, seed=3)
    assert _run(HEALTHY, DOWN, seed=3) != _run(HEALTHY, DOWN, seed=4)


def test_a_phase_without_calls_passes_quietly() -> None:
    assert _run(Phase(duration_s=5, calls_per_s=0)).load.wanted == 0


def test_an_answer_that_comes_too_late_for_its_caller_is_given_back() -> None:
    """Slow messages: permits arrive after the state has moved on, and none is lost or kept."""
    phase = Phase(duration_s=90, calls_per_s=20, failure_rate=0.5, latency_s=0.1)
    report = _run(phase, processes=10, network_s=0.5, half_open_permits=2, permit_lease_s=20.0)
    assert report.probes_at_once <= 2
    assert report.load.wanted - report.load.passed - report.load.refused < 10
