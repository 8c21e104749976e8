"""A run writes down what it does before it does it, undoes what it did, and ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from experiments.ledger import messages as m
from experiments.ledger.machine import UNDO_AGAIN_S, UNDO_TRIES, RunMachine
from experiments.model.experiment import Chaos
from experiments.model.lasting import LASTS
from experiments.planning.plan import Hit, Plan, PlannedFault

HIT = Hit(name="worker/w0", kind="worker", node="n0", incarnation=1)
FAULT = PlannedFault(place=0, fault="hang", hits=(HIT,), after_s=1.0, lease_s=5.0, how={})
ID = "0.1.worker/w0"
RECORDED = "Record"


def chaos(**changed: Any) -> Chaos:
    more = {"interleaving": {"baseline_s": 3}, "settle_s": 2, "deadline_s": 100, **changed}
    return Chaos.parse(more, source="t")


def machine(*faults: PlannedFault, phases: Any = ("baseline", "fault"), **changed: Any) -> RunMachine:
    plan = Plan(experiment="e", seed=1, safe_mode=False, phases=phases, faults=faults or (FAULT,))
    return RunMachine(plan, chaos(**changed), now=0.0)


def told(commands: list[m.Command]) -> list[str]:
    return [f"{c.step}" if isinstance(c, m.Record) else type(c).__name__ for c in commands]


def to_injected(run: RunMachine) -> None:
    run.handle(m.RunStarted(), 0.0)
    run.handle(m.TimePassed(), 3.0)
    run.handle(m.TimePassed(), 4.0)
    run.handle(m.UndoArmed(fault_id=ID), 4.1)
    run.handle(m.FaultInjected(fault_id=ID), 4.2)


def test_a_run_from_its_start_to_its_end() -> None:
    run = machine()
    steps: list[tuple[m.Event, float, list[str]]] = [
        (m.RunStarted(), 0.0, ["BeginPhase"]),
        (m.TimePassed(), 3.0, ["BeginPhase"]),
        (m.TimePassed(), 4.0, ["arming", "ArmUndo"]),
        (m.UndoArmed(fault_id=ID), 4.1, ["armed", "InjectFault"]),
        (m.FaultInjected(fault_id=ID), 4.2, ["injected"]),
        (m.FaultProven(fault_id=ID, evidence="T"), 4.3, ["proven"]),
        (m.TimePassed(), 9.0, ["UndoFault"]),
        (m.FaultUndone(fault_id=ID), 9.1, ["undone"]),
        (m.TimePassed(), 11.1, ["observing", "ObserveAfter"]),
        (m.Concluded(verdict="held"), 12.0, ["ended", "EndRun"]),
        (m.TimePassed(), 13.0, []),
    ]
    due = [3.0, 4.0, 9.0, 9.0, 9.0, 9.0, 9.0 + UNDO_AGAIN_S, 11.1, 100.0, None, None]
    for (event, now, expected), timer in zip(steps, due, strict=True):
        assert told(run.handle(event, now)) == expected, event
        assert run.next_timer() == timer, event
    assert run.doing == "ended"


def test_a_stop_undoes_what_may_be_on_and_aborts() -> None:
    run = machine()
    to_injected(run)
    assert told(run.handle(m.StopRequested(why="guard"), 4.5)) == ["UndoFault"]
    *_, end = run.handle(m.FaultUndone(fault_id=ID, by="runner"), 4.6)
    assert end == m.EndRun(verdict="aborted", why="guard")


def test_an_injection_that_comes_after_its_undo_is_undone_again() -> None:
    run = machine()
    run.handle(m.RunStarted(), 0.0)
    run.handle(m.TimePassed(), 3.0)
    run.handle(m.TimePassed(), 4.0)
    run.handle(m.UndoArmed(fault_id=ID), 4.1)
    assert told(run.handle(m.StopRequested(why="halt"), 4.2)) == ["UndoFault"]
    assert told(run.handle(m.FaultUndone(fault_id=ID), 4.25)) == [], "it may still land"
    assert told(run.handle(m.FaultInjected(fault_id=ID), 4.3)) == ["injected", "UndoFault"]
    assert told(run.handle(m.FaultUndone(fault_id=ID), 4.4)) == ["undone", "ended", "EndRun"]


def test_an_injection_that_was_called_off_is_not_waited_for() -> None:
    run = machine()
    run.handle(m.RunStarted(), 0.0)
    run.handle(m.TimePassed(), 3.0)
    run.handle(m.TimePassed(), 4.0)
    run.handle(m.UndoArmed(fault_id=ID), 4.1)
    assert told(run.handle(m.StopRequested(why="halt"), 4.2)) == ["UndoFault"]
    run.handle(m.InjectCalledOff(fault_id=ID), 4.2)
    *_, end = run.handle(m.FaultUndone(fault_id=ID), 4.3)
    assert end == m.EndRun(verdict="aborted", why="halt")


def test_the_answer_of_an_earlier_undo_says_nothing_of_what_landed_since() -> None:
    run = machine()
    to_injected(run)
    (first,) = run.handle(m.StopRequested(why="halt"), 4.5)
    (second,) = run.handle(m.TimePassed(), 5.0)
    assert [each.time for each in (first, second) if isinstance(each, m.UndoFault)] == [1, 2]
    assert run.handle(m.FaultUndone(fault_id=ID, time=1), 5.1) == []
    assert told(run.handle(m.FaultUndone(fault_id=ID, time=2), 5.2)) == ["undone", "ended", "EndRun"]


def test_an_injection_that_is_never_answered_may_land_until_its_lease_is_over() -> None:
    run = machine()
    run.handle(m.RunStarted(), 0.0)
    run.handle(m.TimePassed(), 3.0)
    run.handle(m.TimePassed(), 4.0)
    run.handle(m.UndoArmed(fault_id=ID), 4.1)
    run.handle(m.StopRequested(why="halt"), 4.2)
    now, undone = 4.2, 0
    while run.doing != "ended":
        commands = told(run.handle(m.FaultUndone(fault_id=ID), now))
        undone += commands.count("undone")
        now = run.next_timer() or now
        run.handle(m.TimePassed(), now)
    assert (undone, now) == (1, 9.0)


def test_what_is_not_undone_is_undone_again_and_then_told() -> None:
    run = machine()
    to_injected(run)
    run.handle(m.TimePassed(), 9.0)
    now = 9.0
    for _ in range(UNDO_TRIES - 1):
        assert told(run.handle(m.UndoFailed(fault_id=ID, reason="no"), now)) == []
        now += UNDO_AGAIN_S
        assert told(run.handle(m.TimePassed(), now)) == ["UndoFault"]
    commands = run.handle(m.UndoFailed(fault_id=ID, reason="no"), now)
    assert told(commands) == ["kept_on", "ended", "EndRun"]
    assert commands[-1] == m.EndRun(verdict="aborted", why=f"{ID} cannot be undone: no", left_on=(ID,))


def test_an_undo_that_nobody_answers_ends_all_the_same() -> None:
    run = machine()
    to_injected(run)
    now = 9.0
    while run.doing != "ended":
        run.handle(m.TimePassed(), now)
        now += UNDO_AGAIN_S
    assert now < 9.0 + (UNDO_TRIES + 3) * UNDO_AGAIN_S


def test_what_cannot_be_armed_or_injected_was_not_started() -> None:
    for answer, expected in (
        (m.ArmFailed(fault_id=ID, reason="no"), ["undone", "ended", "EndRun"]),
        (m.RecordFailed(reason="disk full"), ["UndoFault"]),
    ):
        run = machine()
        run.handle(m.RunStarted(), 0.0)
        run.handle(m.TimePassed(), 3.0)
        run.handle(m.TimePassed(), 4.0)
        commands = run.handle(answer, 4.1)
        assert told(commands) == expected
        if isinstance(commands[-1], m.EndRun):
            assert commands[-1].verdict == "not_started"
    run.handle(m.InjectFailed(fault_id=ID, reason="no"), 4.2)
    *_, end = run.handle(m.FaultUndone(fault_id=ID), 4.3)
    assert isinstance(end, m.EndRun)


def test_a_crash_comes_as_often_as_it_is_to() -> None:
    again = PlannedFault(
        place=0, fault="crash", hits=(HIT,), after_s=0.0, lease_s=50.0, how={"times": 3, "every_s": 2.0}
    )
    run = machine(again, phases=("fault",))
    fault_id = "0.0.worker/w0"
    run.handle(m.RunStarted(), 0.0)
    (*_, first) = run.handle(m.UndoArmed(fault_id=fault_id), 0.1)
    times, now = [first], 0.1
    for _ in range(2):
        run.handle(m.FaultInjected(fault_id=fault_id), now)
        now += 2.0
        times += run.handle(m.TimePassed(), now)
    assert [command.time for command in times if isinstance(command, m.InjectFault)] == [1, 2, 3]
    run.handle(m.FaultInjected(fault_id=fault_id), now)
    assert run.next_timer() == 50.0


def test_the_deadline_ends_all() -> None:
    run = machine(deadline_s=6)
    to_injected(run)
    assert told(run.handle(m.TimePassed(), 6.0)) == ["UndoFault"]
    *_, end = run.handle(m.FaultUndone(fault_id=ID), 6.1)
    assert isinstance(end, m.EndRun)
    assert end.why == "it has lasted 6 s, its deadline_s"


def test_news_of_faults_that_it_does_not_know_change_nothing() -> None:
    run = machine()
    run.handle(m.RunStarted(), 0.0)
    assert run.handle(m.FaultUndone(fault_id="x"), 1.0) == []
    assert run.handle(m.RunStarted(), 1.0) == run.handle(m.Concluded(verdict="held"), 1.0) == []


def test_what_lasts_as_long_as_the_cluster_is_never_undone_and_the_run_comes_to_its_end() -> None:
    lasting = replace(FAULT, hits=(Hit(name="rpc/cluster", kind="rpc", node="", incarnation=0),), after_s=0.0)
    run = machine(lasting, phases=("baseline", "fault", "fault"), settle_s=0)
    run.handle(m.RunStarted(), 0.0)
    run.handle(m.TimePassed(), 3.0)
    for number, at_s in ((1, 3.0), (2, 8.0)):
        fault_id = f"0.{number}.rpc/cluster"
        assert told(run.handle(m.UndoArmed(fault_id=fault_id), at_s)) == ["armed", "InjectFault"]
        assert told(run.handle(m.FaultInjected(fault_id=fault_id), at_s)) == ["injected"]
        kept, *_ = run.handle(m.TimePassed(), at_s + 5.0)
        assert kept == m.Record(step="kept_on", fault_id=fault_id, data={"reason": LASTS})
    assert run.doing == "observing"
    *_, end = run.handle(m.Concluded(verdict="held"), 14.0)
    assert end == m.EndRun(verdict="held", why="", left_on=("0.1.rpc/cluster", "0.2.rpc/cluster"))


def test_a_stop_leaves_what_lasts_and_ends_at_once() -> None:
    run = machine(replace(FAULT, hits=(Hit(name="rpc/cluster", kind="rpc", node="", incarnation=0),), after_s=0.0))
    run.handle(m.RunStarted(), 0.0)
    run.handle(m.TimePassed(), 3.0)
    run.handle(m.UndoArmed(fault_id="0.1.rpc/cluster"), 3.1)
    assert told(run.handle(m.StopRequested(why="halt"), 3.2)) == ["kept_on", "ended", "EndRun"]
