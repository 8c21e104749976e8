"""The shell of a run: whose calls are the fault's, and that whatever breaks off is undone and written down."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from actors.runtime.clock import SYSTEM_CLOCK
from experiments.faults.proof import Sight
from experiments.judging.facts import CallPhase
from experiments.ledger import messages as m
from experiments.ledger.entry import Entry
from experiments.ledger.halt import Halted
from experiments.model.experiment import Experiment
from experiments.planning.inventory import Inventory, Target
from experiments.planning.planning import make_plan, require
from experiments.report.run import INTERRUPTED
from experiments.running.findings import Findings
from experiments.running.interrupting import see_through
from experiments.running.runner import Runner
from tests.unit.faults.scene import until
from tests.unit.planning.scene import experiment

SLOW = {"fault": "latency", "target": {"kind": "worker", "everything": True}, "delay_s": 1}


class World:
    """Everything that a runner acts on; its faults are on from their injection to their undo."""

    def __init__(self) -> None:
        self.phases: list[CallPhase] = []
        self.entries: list[Entry] = []
        self.on: set[str] = set()
        self.value: Any = 0.0
        self.stop: Halted | None = None
        self.breaks: Exception | None = None
        self.silent: tuple[str, str] | None = None
        """A step and a fault: the ledger that it is to be written into does not answer until `answers` is set."""
        self.answers = threading.Event()
        self.unwritable = ""
        self.armed: list[str] = []
        self.own = self

    # the load
    def start(self, _: float) -> None:
        pass

    def enter(self, phase: CallPhase) -> None:
        if self.phases[-1:] != [phase]:
            self.phases.append(phase)

    # the ledger
    def write(self, entry: Entry, _: str = "") -> None:
        if (entry.step, entry.fault) == self.silent:
            assert self.answers.wait(30)
        if entry.step == self.unwritable:
            raise OSError("no room")
        self.entries.append(entry)

    # the flags
    def halted(self) -> None:
        if self.breaks is not None:
            error, self.breaks = self.breaks, None
            raise error

    def stopped(self, _: str) -> Halted | None:
        return self.stop

    # the striker
    def prepare(self, _: m.FaultOrder) -> dict[str, Any]:
        return {}

    def node_of(self, _: str) -> str:
        return ""

    def arm(self, order: m.FaultOrder) -> None:
        self.armed.append(order.fault_id)

    def sight_before(self, _: m.FaultOrder) -> Sight:
        return Sight()

    def sight(self, _: m.FaultOrder) -> Sight:
        return Sight()

    def inject(self, order: m.FaultOrder, _: int) -> str:
        self.on.add(order.fault_id)
        return "done"

    def struck(self, _: str) -> tuple[tuple[float, int], ...]:
        return ((SYSTEM_CLOCK.now(), 7),)

    def undo(self, order: m.FaultOrder) -> str:
        self.on.discard(order.fault_id)
        return "undone"

    def close(self) -> None:
        pass

    # the probes
    def score(self) -> float | None:
        return None

    def steps(self) -> list[str]:
        return [entry.step for entry in self.entries]


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    assert not made.on, "nothing is left on"


def conclude(_: Findings) -> m.Concluded:
    return m.Concluded(verdict="held", why="all well")


def runner_of(world: World, asked: Experiment, targets: int = 1) -> Runner:
    there = Inventory(
        targets=tuple(Target(name=f"worker/w{number}", kind="worker") for number in range(targets)), embedded=True
    )
    every: Any = world
    probes: Any = SimpleNamespace(score=world.score, value=lambda *_: world.value)
    return Runner(
        asked,
        require(make_plan(asked, there)),
        run="r1",
        books=every,
        striker=every,
        probes=probes,
        load=every,
        hands=every,
        conclude=conclude,
    )


def brief(fault: dict[str, Any], **chaos: Any) -> Experiment:
    wide = {"blast_radius": {"targets": 1000, "share": 1}, **chaos.pop("safety", {})}
    fields = {"lease_s": 0.2, "settle_s": 0.1, "interleaving": {"baseline_s": 0.1}, "safety": wide, **chaos}
    return experiment(fault, **fields)


def test_only_calls_made_while_the_fault_is_on_are_its(world: World) -> None:
    """What is made before it is on, and while all settles, would water down what it does to calls."""
    rounds = {"interleaving": {"baseline_s": 0.1, "rounds": 2}}
    ended = runner_of(world, brief({**SLOW, "after_s": 0.1}, **rounds, seed=1)).execute()
    assert ended.verdict == "held"
    assert "".join(phase[0] for phase in world.phases if phase != "between") in ("bfbf", "bffb")
    for number, phase in enumerate(world.phases):
        if phase == "fault":
            assert world.phases[number - 1 : number + 2 : 2] == ["between", "between"]


def _while_it_is_on(world: World, number: signal.Signals) -> threading.Thread:
    """Sends this process a signal as soon as a fault is on."""
    other = threading.Thread(target=lambda: (until(lambda: bool(world.on)), os.kill(os.getpid(), number)))
    other.start()
    return other


def test_it_ends_where_its_program_is_interrupted(world: World) -> None:
    runner = runner_of(world, brief(SLOW, lease_s=50.0))
    other = _while_it_is_on(world, signal.SIGINT)
    seen = see_through(runner.execute, runner.stop)
    other.join()
    assert (seen.result.verdict, seen.result.why) == ("aborted", INTERRUPTED)
    assert isinstance(seen.leaving, KeyboardInterrupt)
    assert world.steps()[-2:] == ["undone", "ended"]


def test_it_ends_where_its_program_is_told_to_end(world: World) -> None:
    """As Ray's handler of SIGTERM does it: what it raises goes on when all is undone, and told of."""

    def leave(*_: object) -> None:
        raise SystemExit(15)

    runner = runner_of(world, brief(SLOW, lease_s=50.0))
    former = signal.signal(signal.SIGTERM, leave)
    other = _while_it_is_on(world, signal.SIGTERM)
    try:
        seen = see_through(runner.execute, runner.stop)
    finally:
        other.join()
        signal.signal(signal.SIGTERM, former)
    assert isinstance(seen.leaving, SystemExit)
    assert seen.result.verdict == "aborted"
    assert not world.on
    assert world.steps()[-2:] == ["undone", "ended"]
    assert world.entries[-1].data["why"] == "its program ends: SystemExit"


def test_one_that_is_told_to_end_before_it_begins_injects_nothing(world: World) -> None:
    runner = runner_of(world, brief(SLOW))
    runner.stop(INTERRUPTED)
    ended = runner.execute()
    assert (ended.verdict, ended.why) == ("aborted", INTERRUPTED)
    assert "arming" not in world.steps()


def test_what_breaks_it_off_is_told_when_all_is_undone_and_written_down(world: World) -> None:
    runner = runner_of(world, brief(SLOW, lease_s=50.0))
    told: list[str] = []

    def execute() -> None:
        with pytest.raises(ZeroDivisionError):
            runner.execute()
        told.append("raised")

    running = threading.Thread(target=execute)
    running.start()
    until(lambda: bool(world.on))
    world.breaks = ZeroDivisionError("nobody thought of it")
    running.join()
    assert told == ["raised"]
    assert world.steps()[-2:] == ["undone", "ended"]
    assert world.entries[-1].data["why"] == "its runner failed: ZeroDivisionError: nobody thought of it"


def test_many_faults_that_are_looked_at_do_not_hold_up_their_end(world: World) -> None:
    """None of them is proven, so each is looked at until its lease ends."""
    runner = runner_of(world, brief(SLOW, lease_s=50.0), targets=100)
    ended: list[m.EndRun] = []
    running = threading.Thread(target=lambda: ended.append(runner.execute()))
    running.start()
    until(lambda: len(world.on) == 100)
    world.stop = Halted(who="ann", why="seen enough")
    until(lambda: not world.on)
    running.join()
    assert [each.why for each in ended] == ["stopped by ann: seen enough"]


FIRST, SECOND = "0.1.worker/w0", "0.1.worker/w1"


@pytest.mark.parametrize("step", ["injected", "arming"])
def test_a_ledger_that_does_not_answer_delays_no_stop_and_no_other_fault(world: World, step: str) -> None:
    """As that of a node that is cut off, for which a hand waits 15 s."""
    world.silent = (step, FIRST)
    runner = runner_of(world, brief(SLOW, lease_s=50.0), targets=2)
    ended: list[m.EndRun] = []
    running = threading.Thread(target=lambda: ended.append(runner.execute()))
    running.start()
    until(lambda: SECOND in world.on and (FIRST in world.on) == (step == "injected"))
    world.stop = Halted(who="ann", why="seen enough")
    until(lambda: not world.on)
    until(lambda: "ended" in world.steps())
    assert not world.answers.is_set(), "it was ended while that ledger did not answer"
    world.answers.set()
    running.join()
    assert [(each.verdict, each.why) for each in ended] == [("aborted", "stopped by ann: seen enough")]
    assert (FIRST in world.armed) == (step == "injected"), "what is over before it is written down is not armed"
    steps = [entry.step for entry in world.entries if entry.fault == FIRST]
    assert steps == ["arming", "armed", "injected", "undone"][: 4 if step == "injected" else 1] + (
        ["undone"] if step == "arming" else []
    )


def test_what_was_undone_before_its_injection_could_be_written_is_not_injected_any_more(world: World) -> None:
    world.silent = ("armed", FIRST)
    injected: list[str] = []
    world.inject = lambda order, _: (injected.append(order.fault_id), "done")[1]
    runner = runner_of(world, brief(SLOW, lease_s=50.0), targets=2)
    running = threading.Thread(target=runner.execute)
    running.start()
    until(lambda: injected == [SECOND])
    world.stop = Halted(who="ann", why="seen enough")
    until(lambda: "ended" in world.steps())
    world.answers.set()
    running.join()
    assert injected == [SECOND]


@pytest.mark.parametrize(("step", "verdict"), [("arming", "aborted"), ("armed", "not_started")])
def test_what_cannot_be_written_down_is_not_injected(world: World, step: str, verdict: str) -> None:
    world.unwritable = step
    ended = runner_of(world, brief(SLOW, lease_s=50.0)).execute()
    assert (ended.verdict, ended.why) == (verdict, "the ledger cannot be written: no room")
    assert "injected" not in world.steps()


def test_steps_are_told_with_the_time_at_which_they_were_decided(world: World) -> None:
    runner_of(world, brief(SLOW)).execute()
    times = [entry.at_us for entry in world.entries]
    assert all(times)
    assert times == sorted(times)


def test_a_guard_is_not_old_for_what_was_done_before_it_was_asked(world: World) -> None:
    guard = {"name": "g", "probe": "health_score", "tolerance": [0, 1], "every_s": 0.02, "stale_s": 1.0}
    made_at = SYSTEM_CLOCK.now()
    runner = runner_of(world, brief(SLOW, safety={"guards": [guard]}))
    until(lambda: SYSTEM_CLOCK.now() > made_at + 1.1)  # as a hypothesis takes that is looked at first
    assert runner.execute().verdict == "held"


def test_the_hypothesis_is_looked_at_meanwhile_only_while_a_fault_is_on(world: World) -> None:
    probe = {
        "type": "probe",
        "name": "calm",
        "tolerance": 0,
        "provider": {"type": "python", "module": "experiments.driver", "func": "unrecovered"},
    }
    asked = brief({**SLOW, "after_s": 0.2}, during_every_s=0.02)
    believed = {**asked.model_dump(), "hypothesis": {"title": "h", "probes": [probe]}}
    runner = runner_of(world, Experiment.parse(believed, source="t"))
    runner.execute()
    (injected_s,), (undone_s,) = runner.findings.injected_at.values(), runner.findings.undone_at.values()
    looks = [each.at_s for each in runner.findings.probes if each.when == "during"]
    assert looks
    assert min(looks) >= injected_s
    assert min(looks) < undone_s
