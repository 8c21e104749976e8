"""Faults are ended in their time: under Chaos Toolkit's driver, and by a halt, whoever hangs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from actors.runtime import process
from actors.runtime.fault_control import fault_put
from actors.runtime.fault_points import CLOCK
from experiments import driver
from experiments.errors import FaultUnprovenError, HaltedError, RunStoppedError
from experiments.hands.hands import Hands
from experiments.running import halting
from experiments.running.attached import AttachedCluster
from experiments.running.points import take_everywhere
from experiments.running.striking import Striker
from supervisor import Supervisor
from supervisor.link import wait_until
from tests.ray_local.conftest import PATIENCE_S, unique_name
from tests.ray_local.trials import brief

pytestmark = pytest.mark.timeout(180)


# -- under Chaos Toolkit's driver --------------------------------------------------------------------------------------


@pytest.fixture
def attached(lab: Supervisor) -> Iterator[AttachedCluster]:
    """What `chaos run` acts on; the load goes on all along."""
    made = AttachedCluster(Supervisor.connect(lab.name), brief("kill-worker", load={"tasks": 5_000, "per_s": 50}))
    driver.connect(made)
    yield made
    driver.disconnect()


_ENDED = """
    select verdict, detail from chaos_experiments join chaos_experiment_events using (run)
    where run = ? and state = 'ended' and event = 'ended'
"""


def _end_of(lab: Supervisor, run: str) -> tuple[str, str]:
    """How a run of the driver ended, by its row and by its last event."""
    assert wait_until(lambda: bool(lab.events.query(_ENDED, [run])), PATIENCE_S)
    (row,) = lab.events.query(_ENDED, [run])
    return str(row["verdict"]), str(row["detail"])


def test_under_the_driver_a_fault_that_does_nothing_fails_its_action(
    lab: Supervisor, attached: AttachedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Striker, "inject", lambda *_: "it says that it did")
    with pytest.raises(FaultUnprovenError, match="nothing but the injector") as failed:
        driver.inject("crash", {"kind": "worker", "count": 1}, lease_s=0.5)
    verdict, why = _end_of(lab, failed.value.run)
    assert (verdict, "nothing but the injector" in why) == ("inconclusive", True)
    assert lab.chaos.active() == {}


def test_under_the_driver_halt_ends_a_fault_at_a_point(lab: Supervisor, attached: AttachedCluster) -> None:
    failed: list[Exception] = []

    def slow() -> None:
        try:
            driver.inject("latency", {"kind": "worker", "count": 1}, delay_s=0.01, lease_s=50.0)
        except HaltedError as error:
            failed.append(error)

    running = threading.Thread(target=slow)
    running.start()
    try:
        assert wait_until(lambda: any(lab.chaos.active().values()), PATIENCE_S)
        (run,) = lab.chaos.active()
        assert lab.chaos.halt(why="enough", who="ann") == ()
        running.join(PATIENCE_S)
        assert [type(error) for error in failed] == [HaltedError]
        assert lab.chaos.active() == {}
        verdict, why = _end_of(lab, run)
        assert (verdict, "halted by ann" in why) == ("aborted", True)
    finally:
        lab.chaos.resume()


def test_under_the_driver_each_life_is_hit_as_often_as_asked_and_a_guard_ends_it(
    lab: Supervisor, attached: AttachedCluster
) -> None:
    told_of = driver.inject("crash", {"kind": "worker", "count": 1}, times=2, every_s=0.2, lease_s=30.0, after_s=0.1)
    assert list(told_of["evidence"].values()) == ["its process is gone from /proc"]
    assert _end_of(lab, told_of["run"])[0] == "held"
    rows = lab.events.query(
        "select event from chaos_experiment_events where run = ? and event = 'injected'", [told_of["run"]]
    )
    assert len(rows) == 2
    guard = {"name": "few tasks", "probe": "measured", "arguments": {"measure": "attempted"}, "tolerance": [0, 0]}
    driver.connect(AttachedCluster(Supervisor.connect(lab.name), brief("kill-worker", safety={"guards": [guard]})))
    with pytest.raises(RunStoppedError, match="guard few tasks") as stopped:
        driver.inject("latency", {"kind": "worker", "count": 1}, delay_s=0.01, lease_s=50.0)
    assert _end_of(lab, stopped.value.run)[0] == "aborted"


# -- a halt ---------------------------------------------------------------------------------------------------------


def test_a_halt_is_answered_in_its_time_whoever_hangs(lab: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flag of this node is up, and what is not known is told."""
    goes_on, is_over = threading.Event(), threading.Event()

    def hang(*_: object, **__: object) -> None:
        goes_on.wait(PATIENCE_S)
        is_over.set()
        raise TimeoutError

    monkeypatch.setattr(halting, "standing", hang)
    hands = Hands(lab.name)
    try:
        assert lab.chaos.halt(why="enough", who="ann") == ("the cluster has not answered: what is on is not known",)
        assert not is_over.is_set(), "it was answered when that had ended"
        assert hands.own.halted() is not None
    finally:
        goes_on.set()
        monkeypatch.undo()
        lab.chaos.resume()
        hands.close()


def test_a_process_that_hangs_does_not_hold_up_who_takes_faults_out(lab: Supervisor) -> None:
    worker = next(
        child.location.process for child in lab.status().tree if child.key.startswith("worker/") and child.location
    )
    skew = {"run": "r", "point": CLOCK, "subject": "clock", "kind": "skew", "left_s": 60.0, "skew_s": 0.0}
    here = fault_put([{"fault_id": unique_name(), **skew}])
    process.send(worker, signal.SIGSTOP)
    try:
        assert take_everywhere(lab.name, here, timeout_s=halting.ANSWER_S) == 1, "that of this process"
    finally:
        process.send(worker, signal.SIGCONT)


def test_this_hosts_flag_is_put_up_without_asking_ray(lab: Supervisor) -> None:
    hands = Hands(lab.name)
    try:
        (flag,) = halting.halt_here(lab.name, why="Ray hangs", who="ann")
        assert flag.exists()
        said = hands.own.halted()
        assert said is not None
        assert (said.who, said.why) == ("ann", "Ray hangs")
        with pytest.raises(HaltedError, match="Ray hangs"):
            lab.chaos.run("kill-worker")
        assert halting.halt_here("nobody-of-that-name", why="no", who="ann") == ()
    finally:
        lab.chaos.resume()
        hands.close()
    assert lab.chaos.plan("kill-worker").refusals == ()
