"""Faults are ended in their time: under Chaos Toolkit's driver, and by a halt, whoever hangs."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
import ray

from actors.runtime import process
from actors.runtime.errors import ConfigError
from actors.runtime.fault_control import fault_put
from actors.runtime.fault_points import CLOCK
from actors.runtime.process import ProcessIdentity
from experiments import driver
from experiments.errors import FaultUnprovenError, HaltedError, PlanRefusedError, RunStoppedError
from experiments.hands.hands import Hands
from experiments.judging.verdict import EXIT_CODES
from experiments.ledger.entry import Entry, decode_all
from experiments.ledger.file import Ledger
from experiments.model.experiment import Experiment
from experiments.model.writing import dump_experiment
from experiments.running import halting
from experiments.running.archive import Archive
from experiments.running.attached import AttachedCluster
from experiments.running.points import ids_of, take_everywhere
from experiments.running.runner import Runner
from experiments.running.striking import Striker
from experiments.running.survey import survey
from supervisor import Supervisor
from supervisor.link import wait_until
from tests.command import supervisor_command
from tests.ray_local.conftest import PATIENCE_S, unique_name
from tests.ray_local.trials import POOL, brief, runner_apart
from tests.unit.node_agent.full_disk import full_disk

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
        assert verdict == "aborted"
        assert "halted by ann" in why
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


def _serving(lab: Supervisor) -> list[str]:
    return [target.name for target in survey(lab).targets if target.kind == "worker" and target.running]


@pytest.mark.soak  # one fault of the driver's is there by default
def test_under_the_driver_faults_in_the_background_are_of_one_experiment(
    lab: Supervisor, attached: AttachedCluster
) -> None:
    """More of them than experiments may run at a time."""
    assert wait_until(lambda: len(_serving(lab)) >= POOL["size"], PATIENCE_S), "the pool is whole"
    workers = _serving(lab)[:3]
    assert len(workers) > lab.config.chaos.experiments_max

    def slow(worker: str) -> list[str]:
        aimed = {"kind": "worker", "name": worker}
        return driver.inject("latency", aimed, delay_s=0.01, lease_s=6.0)["hits"]

    with ThreadPoolExecutor(len(workers)) as pool:
        assert [hits for (hits,) in pool.map(slow, workers)] == workers


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


def test_a_halt_needs_no_room_on_the_disk(lab: Supervisor) -> None:
    """What is undone meanwhile is on the ledger's board, and stands in its file as soon as there is room again."""
    run = unique_name()
    aimed = brief("hang-worker", lease_s=50.0, load={"tasks": 5_000, "per_s": 50})
    hands = Hands(lab.name)
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(lab.chaos.run, aimed, name=run)
        try:
            assert wait_until(lambda: _is_injected(lab, run), PATIENCE_S)
            with full_disk():
                assert lab.chaos.halt(why="enough", who="ann") == ()
                assert lab.chaos.active() == {}
                assert hands.own.halted() is not None
                with pytest.raises(HaltedError):
                    lab.chaos.run("kill-worker")
                wait([ended])  # its report has no room either
        finally:
            lab.chaos.resume()
            hands.close()
    hands.own.append([Entry(run=run, step="observing", data={})])
    assert _steps(hands.own.ledger, run) >= {"undone", "ended"}


def _steps(ledger: Ledger, run: str) -> set[str]:
    """What of a run stands in the ledger's file."""
    return {entry.step for entry in decode_all(ledger.path.read_bytes())[0] if entry.run == run}


def test_a_halt_ends_what_a_runner_has_on_that_hangs_itself(lab: Supervisor) -> None:
    """Its fault is in another process, and has no watchdog: it would end with its lease."""
    runner = runner_apart()
    slow = brief("kill-worker", load={"tasks": 5_000, "per_s": 50}, lease_s=50.0)
    aimed = _with(slow, {"fault": "latency", "target": {"kind": "worker", "count": 1}, "delay_s": 0.01})
    run = unique_name()
    ended = runner.perform.remote(lab.name, aimed, run)
    hung: ProcessIdentity = ray.get(runner.process.remote())
    try:
        assert wait_until(lambda: _is_injected(lab, run), PATIENCE_S)
        (fault_id,) = lab.chaos.active()[run]
        process.send(hung, signal.SIGSTOP)
        lab.chaos.halt(why="enough", who="ann")
        assert wait_until(lambda: lab.chaos.active() == {}, PATIENCE_S)
        assert take_everywhere(lab.name, ids_of(run, fault_id)) == 0, "it is in no process any more"
        lab.chaos.resume()
        process.send(hung, signal.SIGCONT)
        assert ray.get(ended, timeout=PATIENCE_S) == "aborted", "it does not go on where it was"
    finally:
        process.send(hung, signal.SIGCONT)
        ray.kill(runner, no_restart=True)
        lab.chaos.resume()


def _with(whole: Experiment, fault: dict[str, Any]) -> Experiment:
    step = whole.method[0]
    provider = step.provider.model_copy(update={"arguments": fault})
    return whole.model_copy(update={"method": (step.model_copy(update={"provider": provider}),)})


def _is_injected(lab: Supervisor, run: str) -> bool:
    hands = Hands(lab.name)
    try:
        known = hands.own.runs().get(run)
    finally:
        hands.close()
    return known is not None and bool(known.injected)


def test_a_run_that_is_not_awaited_any_more_is_ended(lab: Supervisor) -> None:
    run = unique_name()

    async def give_up() -> None:
        awaited = asyncio.ensure_future(lab.chaos.arun(brief("hang-worker", lease_s=50.0), name=run))
        while not await asyncio.to_thread(_is_injected, lab, run):
            assert not awaited.done()
        awaited.cancel()
        await awaited

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(give_up())
    assert lab.chaos.active() == {}
    report = lab.chaos.report(run)
    assert report.verdict.kind == "aborted"
    assert "whoever awaited it was cancelled" in report.verdict.reasons[0]
    with pytest.raises(ConfigError, match="a report of a run"):
        lab.chaos.run("kill-worker", name=run)
    with pytest.raises(ConfigError, match="names no run"):
        lab.chaos.run("kill-worker", name="../elsewhere")


def test_a_run_that_breaks_off_before_it_is_driven_is_ended_although_its_program_lives_on(
    lab: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Runner) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Runner, "execute", interrupted)
    run = unique_name()
    with pytest.raises(KeyboardInterrupt):
        lab.chaos.run(brief("kill-worker"), name=run)
    assert run not in lab.chaos.active(), "else it would be taken to go on for as long as this process lives"
    assert _end_of(lab, run) == ("aborted", "it broke off: KeyboardInterrupt: ")
    with pytest.raises(PlanRefusedError, match="a run named"):
        lab.chaos.run(brief("kill-worker"), name=run)


_PROGRAM = """
import sys
from supervisor import Supervisor
try:
    Supervisor.connect(sys.argv[1], address=sys.argv[2]).chaos.run(sys.argv[3], name=sys.argv[4])
except SystemExit as leaving:
    print(leaving.code, flush=True)
    raise
"""
"""It says what `run` has raised: so an exit code that is another one is told from a run that raised another."""


HEEDING = ("env", "--default-signal=INT")
"""What a shell runs in the background ignores interrupts, and so would all that it starts."""


@pytest.mark.parametrize(
    ("number", "of_command", "code"),
    [
        (signal.SIGTERM, True, EXIT_CODES["aborted"]),
        (signal.SIGINT, True, EXIT_CODES["aborted"]),
        (signal.SIGTERM, False, signal.SIGTERM),  # as Ray has programs answer it
    ],
    ids=["command-sigterm", "command-sigint", "program-sigterm"],
)
def test_a_run_whose_program_is_told_to_end_is_undone_and_told_of(
    lab: Supervisor, tmp_path: Path, number: signal.Signals, of_command: bool, code: int
) -> None:
    file = tmp_path / "hang.yaml"
    file.write_text(dump_experiment(brief("hang-worker", lease_s=50.0)), encoding="utf-8")
    address = ray.get_runtime_context().gcs_address
    options = ["--name", lab.name, "--address", address, "--reports", str(tmp_path), "--json"]
    command = [*supervisor_command(), "chaos", "run", str(file), *options]
    program = [sys.executable, "-c", _PROGRAM, lab.name, address, str(file), unique_name()]
    archive = Archive(tmp_path) if of_command else lab.chaos.archive
    known = archive.names()
    started = [*HEEDING, *(command if of_command else program)]
    asked = subprocess.Popen(started, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        assert wait_until(lambda: any(_is_injected(lab, run) for run in lab.chaos.active()), PATIENCE_S)
        asked.send_signal(number)
        output, _ = asked.communicate(timeout=PATIENCE_S)
    finally:
        asked.kill()
    assert lab.chaos.active() == {}
    (run,) = set(archive.names()) - set(known)
    report = archive.load(run)
    assert (report.verdict.kind, asked.returncode) == ("aborted", code)
    assert report.seen.faults[0].undone_at_s is not None
    assert report.was_interrupted == of_command
    if of_command:
        assert json.loads(output)["extensions"][0]["exit_code"] == code
    else:
        assert output.splitlines() == [str(int(code))]
    assert _end_of(lab, run)[0] == "aborted"


# -- every fault is matched to its recovery, or to a stated loss -------------------------------------------------------

_FAULTS = "select target, injected_at, recovered_at, loss from chaos_faults where run = ? order by target"


def test_under_the_driver_a_fault_has_its_recovery_in_the_log(lab: Supervisor, attached: AttachedCluster) -> None:
    run = str(driver.inject("crash", {"kind": "worker", "count": 1}, lease_s=5.0)["run"])
    assert _end_of(lab, run)[0] == "held"
    (fault,) = lab.events.query(_FAULTS, [run])
    assert fault["injected_at"] < fault["recovered_at"]
    assert fault["loss"] is None
    trace = (
        "select count(*) as spans from spans where trace_id = (select trace_id from chaos_experiments where run = ?)"
    )
    assert lab.events.query(trace, [run]) == [{"spans": 2}]


@pytest.mark.soak
def test_what_became_of_the_faults_of_a_killed_injector_is_told(lab: Supervisor) -> None:
    report = lab.chaos.run("injector-killed", seed=1)
    assert report.verdict.kind == "aborted"
    injector, worker = lab.events.query(_FAULTS, [report.run])
    assert injector["target"] == "injector/self"
    assert injector["loss"]
    assert worker["injected_at"] <= worker["recovered_at"]
    steps = lab.events.query("select distinct event from chaos_experiment_events where run = ?", [report.run])
    assert {"undone", "ended"} <= {str(step["event"]) for step in steps}
