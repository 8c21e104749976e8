"""Experiments on a real cluster: each comes to the verdict that its file names, and hits nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from actors.breaker.settings import BreakerSettings
from actors.health.errors import UnknownComponentError
from actors.runtime import process
from experiments.errors import HaltedError, PlanRefusedError, SafeModeError
from experiments.model.experiment import Experiment
from experiments.model.loading import load_experiment, parse_experiment
from experiments.model.writing import dump_experiment
from experiments.report.run import RunReport
from experiments.running import staging
from experiments.running.archive import Archive
from experiments.running.cast import Cart
from experiments.running.chaos import ChaosHandle
from experiments.running.striking import Striker
from experiments.running.vitals import vitals
from experiments.running.witness import Address, tell
from experiments.running.work import work
from supervisor import Supervisor
from supervisor.link import wait_until
from tests.command import supervisor_command
from tests.ray_local.conftest import PATIENCE_S
from tests.ray_local.trials import brief, lives, told

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def chaos(lab: Supervisor) -> ChaosHandle:
    return lab.chaos


def held_as_expected(report: RunReport) -> None:
    assert report.verdict.kind == report.experiment.chaos.expected, told(report)
    assert all(fault.evidence for fault in report.seen.faults), told(report)
    assert report.seen.checked is not None
    assert report.seen.checked.ok, told(report)


# -- six files of the library, one seed each ---------------------------------------------------------------------------


def test_a_killed_worker_is_replaced_and_nobody_else_is_touched(lab: Supervisor, chaos: ChaosHandle) -> None:
    before = lives(lab)
    report = chaos.run(brief("kill-worker"))
    held_as_expected(report)
    (hit,) = report.plan.targets
    assert {key: life for key, life in lives(lab).items() if key != hit} == {
        key: life for key, life in before.items() if key != hit
    }
    assert lives(lab)[hit] == before[hit] + 1
    rows = lab.events.query("from chaos_faults where run = ?", [report.run])
    assert [(row["fault"], row["target"]) for row in rows] == [("crash", hit)]
    assert rows[0]["recovered_by"] == report.seen.faults[0].recovered_by
    spans = lab.events.query("select name, status from spans where trace_id = ? order by name", [report.trace_id])
    assert [span["name"] for span in spans] == [f"chaos experiment {report.experiment.name}", f"crash {hit}"]


def test_a_hung_worker_is_replaced(chaos: ChaosHandle) -> None:
    held_as_expected(chaos.run(brief("hang-worker", lease_s=4.0)))


def test_a_fifth_of_errors_is_absorbed(chaos: ChaosHandle) -> None:
    held_as_expected(chaos.run(brief("errors-20-percent"), scene=True))


def test_a_dependency_that_is_gone_opens_its_breaker_and_closes_it(chaos: ChaosHandle) -> None:
    load = {"tasks": 500, "per_s": 70, "work_s": 0.005}
    report = chaos.run(brief("dependency-down", load=load, settle_s=4.0), scene=True)
    held_as_expected(report)
    assert {event.event for event in report.events if event.subject == "breaker/chaos-payments"} >= {"opened", "closed"}


def test_a_lost_reply_is_no_second_effect(chaos: ChaosHandle) -> None:
    held_as_expected(chaos.run(brief("lost-reply")))


@pytest.mark.soak  # six of the library run by default without it
def test_a_crash_loop_is_given_up_recommended_against_and_mended(lab: Supervisor, chaos: ChaosHandle) -> None:
    """The recommendation is applied, and a second run shows the finding gone."""
    loop = _parsed(dump_experiment(brief("crash-loop", lease_s=6.0)).replace("times: 8", "times: 4"))
    report = chaos.run(loop, scene=True)
    assert report.verdict.kind == "deviated", told(report)
    assert "given_up" in report.verdict.reasons[0]
    (mend,) = [each for each in report.recommendations if each.finding == "given_up"]
    assert mend.change.subject == "group/chaos-shop"
    assert set(mend.events) <= {event.event_id for event in report.events}
    for event in mend.events:
        table, _, number = event.partition("/")
        assert lab.events.query(f"select 1 from {table} where ingest_id = {number}"), event
    chaos.apply(report.run, mend.number)
    again = chaos.run(loop, scene=True)
    (mended,) = again.seen.faults
    recoveries = {strike.recovered_by for strike in mended.strikes}
    assert len(recoveries) == len(mended.strikes) == 4, "each crash has its own"
    assert not [each for each in again.recommendations if each.finding == "given_up"], told(again)
    assert again.verdict.kind == "held", told(again)


@pytest.mark.soak
def test_a_scene_that_is_watched_is_so_each_time_it_is_built(lab: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the board tells of the one before is not taken for this one's."""
    for _ in range(2):
        with staging.Stage(lab, "observed", build=True):
            former = lab.health_standing()
            monkeypatch.setattr(lab, "health_standing", lambda former=former: former)
            seen = vitals(lab)
            assert seen is not None
            assert seen.of(staging.PROBE) is not None
        with pytest.raises(UnknownComponentError):
            lab.health.component(staging.PROBE)


@pytest.mark.parametrize("name", ["hang-then-resume", "kill-breaker"])
def test_a_dry_run_sees_the_scene_that_is_not_there_yet(lab: Supervisor, name: str) -> None:
    before = lives(lab)
    stays = name == "kill-breaker" and "chaos-payments" in lab.breakers()  # of an earlier scene: nothing ends a breaker
    plan = lab.chaos.run(name, seed=5, dry_run=True, scene=True)
    assert plan.refusals == ()
    assert any("are not there yet" in words for words in plan.unchecked) is not stays
    assert lives(lab) == before, "nothing was built"
    with staging.Stage(lab, load_experiment(name).chaos.scene, build=True):
        there = lab.chaos.plan(name, seed=5, scene=True)
    assert there.targets == plan.targets
    assert not any("are not there yet" in words for words in there.unchecked)


def test_a_scene_leaves_alone_what_a_user_calls_alike(lab: Supervisor) -> None:
    """A breaker that somebody has forced open, and children of the names that a scene's have."""
    payments = lab.breaker("payments", BreakerSettings(minimum_calls=3))
    payments.call(int)
    lab.breakers().force_open("payments", reason="the bank asked for it")
    shop = lab.group("shop")
    shop.supervise(Cart, name="cart", heartbeat_s=0.5)
    before = lives(lab)
    try:
        for scene in ("dependency", "household"):
            with staging.Stage(lab, scene, build=True):
                assert lab.breakers()["payments"].state == "forced_open"
        assert {key: life for key, life in lives(lab).items() if key in before} == before
        assert not lab.chaos.plan("hang-then-resume").targets, "the user's cart is nobody's target"
    finally:
        lab.root.terminate("shop")
        lab.root.delete("shop")


def test_what_the_log_has_acknowledged_outlives_its_full_disk_and_who_kept_it(chaos: ChaosHandle) -> None:
    report = chaos.run(brief("log-disk-full", lease_s=6.0), scene=True)
    held_as_expected(report)
    assert report.seen.forgotten == ()
    assert report.seen.refused, "what cannot be kept is refused"


@pytest.mark.soak  # beside the log that fills up and keeps what it acknowledged
def test_durable_work_that_was_acknowledged_too_early_is_found_lost(
    chaos: ChaosHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its keeper answers at once, and keeps its state once a minute."""
    monkeypatch.setattr(Archive, "settings", lambda _: {"child/chaos-till": {"checkpoint": 60}})
    report = chaos.run(brief("log-disk-full", lease_s=6.0), scene=True)
    assert report.verdict.kind == "deviated", told(report)
    assert any("that were acknowledged are lost" in reason for reason in report.verdict.reasons), told(report)
    assert report.verdict.score == 0


# -- what it must not do -----------------------------------------------------------------------------------------------


def test_two_at_a_time_are_not_taken_for_each_other_s_doing(lab: Supervisor, chaos: ChaosHandle) -> None:
    def kill(worker: str) -> RunReport:
        text = dump_experiment(brief("kill-worker")).replace("count: 1", f"name: {worker}")
        return chaos.run(_parsed(text))

    active = [child.key for child in lab.status().tree if child.key.startswith("worker/") and child.role != "standby"]
    with ThreadPoolExecutor(2) as both:
        for report in both.map(kill, active[:2]):
            held_as_expected(report)


def test_a_scene_stays_while_another_run_stands_on_it(lab: Supervisor) -> None:
    with ExitStack() as one, ExitStack() as other:
        one.enter_context(staging.Stage(lab, "household", build=True))
        other.enter_context(staging.Stage(lab, "pool", build=True))
        one.close()
        assert "child/chaos-shop.cart" in lives(lab)
    assert "child/chaos-shop.cart" not in lives(lab)


def test_an_exception_that_no_target_can_raise_is_told(chaos: ChaosHandle) -> None:
    text = dump_experiment(brief("kill-worker", lease_s=0.5)).replace("fault: crash", "fault: error")
    report = chaos.run(_parsed(text.replace("how: sigkill", "raises: nowhere:Nothing")))
    assert report.verdict.kind == "not_started", told(report)
    assert "nowhere:Nothing cannot be imported here" in report.verdict.reasons[0], told(report)


def test_an_injector_that_does_nothing_proves_nothing(chaos: ChaosHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Striker, "inject", lambda *_: "it says that it did")
    # A recovery that nothing has to come from is waited for as long as it may take.
    report = chaos.run(brief("kill-worker", lease_s=0.5, limits={"detect_s": 1, "recover_s": 1, "error_share": 0}))
    assert report.verdict.kind == "inconclusive"
    assert "nothing but its injector tells" in report.verdict.reasons[0]


def _apply_twice(witness: Address, key: str, work_s: float) -> str:
    tell(witness, key)
    return work(witness, key, work_s)


def test_a_task_that_has_its_effect_twice_is_seen_to(chaos: ChaosHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where each request is an effect; where keys are applied once, it is told that they were asked for again."""
    monkeypatch.setattr(staging, "work", _apply_twice)
    load = {"tasks": 140, "per_s": 70, "work_s": 0.005, "effects": "raw"}
    report = chaos.run(brief("kill-worker", load=load))
    assert report.verdict.kind == "deviated", told(report)
    assert report.seen.checked is not None
    assert report.seen.checked.doubled.count >= 100
    assert (report.numbers()["effects asked for again"] or 0) >= 100


def test_a_hypothesis_that_is_false_or_a_guard_that_cannot_be_read_at_the_start_starts_nothing(
    lab: Supervisor, chaos: ChaosHandle
) -> None:
    before = lives(lab)
    asked = load_experiment("kill-worker")
    assert asked.hypothesis is not None
    *rest, last = list(asked.hypothesis.probes)
    never = last.model_copy(update={"tolerance": {"type": "range", "range": [50, 100]}})
    wrong = asked.model_copy(update={"hypothesis": asked.hypothesis.model_copy(update={"probes": (*rest, never)})})
    report = chaos.run(wrong)
    assert (report.verdict.kind, report.verdict.exit_code) == ("not_started", 13)
    guard = {"name": "health", "probe": "health_score", "tolerance": [50, 100]}
    report = chaos.run(brief("kill-worker", safety={"guards": [guard]}))
    assert (report.verdict.kind, report.verdict.exit_code) == ("not_started", 13)
    assert report.verdict.reasons == ("safety.guards[0], health: it cannot be read: nothing tells of it yet",), (
        "no monitor runs"
    )
    assert lives(lab) == before


def test_safe_mode_needs_opt_in(lab: Supervisor, chaos: ChaosHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = lab.config.chaos.model_copy(update={"safe_mode": True})
    monkeypatch.setattr(lab, "config", lab.config.model_copy(update={"chaos": settings}))
    with pytest.raises(SafeModeError, match="did not opt in; label them chaos=allowed"):
        chaos.run("kill-worker")
    labels = {"worker/*": {"chaos": "allowed"}}
    monkeypatch.setattr(
        lab,
        "config",
        lab.config.model_copy(update={"chaos": settings.model_copy(update={"labels": labels})}),
    )
    assert chaos.plan("kill-worker").refusals == ()


def test_a_selector_that_means_nobody_or_everybody_is_refused(lab: Supervisor, chaos: ChaosHandle) -> None:
    before = lives(lab)
    for target, told_why in (("name: nobody", "matches nothing that runs"), ("count: 4", "matches everything")):
        text = _file("kill-worker").replace("count: 1", target)
        with pytest.raises(PlanRefusedError, match=told_why):
            chaos.run(_parsed(text))
    assert lives(lab) == before


def test_a_target_is_meant_by_the_name_of_its_node(chaos: ChaosHandle) -> None:
    """Everything runs on the head here."""
    text = _file("kill-worker").replace("count: 1", "node: head")
    assert chaos.plan(_parsed(text), seed=3).targets == chaos.plan(brief("kill-worker"), seed=3).targets
    text = _file("kill-worker").replace("count: 1", "node: tail")
    assert [each.rule for each in chaos.plan(_parsed(text)).refusals] == ["selection"]


def test_the_same_seed_gives_the_same_plan_byte_by_byte(chaos: ChaosHandle) -> None:
    assert chaos.plan("kill-worker", seed=3).as_bytes() == chaos.plan("kill-worker", seed=3).as_bytes()


# -- ending it ---------------------------------------------------------------------------------------------------------


def _stands_still(lab: Supervisor) -> bool:
    """Whether a worker is stopped."""
    workers = [child.location for child in lab.status().tree if child.key.startswith("worker/")]
    return any(process.evidence(where.process, 0.0).state in ("T", "t") for where in workers if where is not None)


def test_halt_ends_everything_and_refuses_until_it_is_taken_back(lab: Supervisor, chaos: ChaosHandle) -> None:
    """Also with the supervisor dead."""
    reports: list[RunReport] = []
    slow = brief("hang-worker", lease_s=30.0)
    running = threading.Thread(target=lambda: reports.append(chaos.run(slow)))
    leader = lab.status().leader_location
    assert leader is not None
    running.start()
    assert wait_until(lambda: any(chaos.active().values()) and _stands_still(lab), PATIENCE_S), "armed, and injected"
    process.kill(leader.process)
    try:
        assert chaos.halt(why="enough", who="ann") == ()
        running.join(PATIENCE_S)
        (report,) = reports
        assert report.verdict.kind == "aborted", told(report)
        assert "halted by ann: enough" in report.verdict.reasons[0]
        assert chaos.active() == {}
        with pytest.raises(HaltedError, match="ann"):
            chaos.run("kill-worker")
    finally:
        chaos.resume()
    assert chaos.plan("kill-worker").refusals == ()


@pytest.mark.soak
def test_one_run_is_stopped_by_its_name(chaos: ChaosHandle) -> None:
    reports: list[RunReport] = []
    slow = brief("kill-worker", lease_s=30.0)
    running = threading.Thread(target=lambda: reports.append(chaos.run(slow, name="to-be-stopped")))
    running.start()
    assert wait_until(lambda: "to-be-stopped" in chaos.active(), PATIENCE_S)
    assert chaos.stop("to-be-stopped", why="seen enough", who="ann") == ()
    running.join(PATIENCE_S)
    assert reports[0].verdict.kind == "aborted"
    assert "stopped by ann: seen enough" in reports[0].verdict.reasons[0]


@pytest.mark.soak
def test_a_guard_that_is_out_ends_it(chaos: ChaosHandle) -> None:
    guard = {"name": "too many tasks", "probe": "measured", "arguments": {"measure": "attempted"}, "tolerance": [0, 20]}
    report = chaos.run(brief("kill-worker", lease_s=30.0, safety={"guards": [guard]}))
    assert report.verdict.kind == "aborted"
    assert report.verdict.reasons[0].startswith("guard too many tasks: ")


def _file(name: str) -> str:
    return dump_experiment(brief(name))


def _parsed(text: str) -> Experiment:
    return parse_experiment(text, source="test")


# -- other ways in ----------------------------------------------------------------------------------------------------


@pytest.mark.soak
def test_the_command_runs_the_library_on_a_cluster_of_its_own(tmp_path: Path) -> None:
    ended = subprocess.run(
        [*supervisor_command(), "chaos", "run", "kill-worker", "--json"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    told_of = json.loads(ended.stdout)["extensions"][0]
    assert told_of["verdict"] == "held"
    assert (tmp_path / "chaos-reports" / told_of["run"] / "report.html").exists()
