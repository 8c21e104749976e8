"""Silence makes a child suspect, evidence makes it hung; nothing else costs a living child its life."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actors.runtime.process import ProcessEvidence
from supervisor import messages as m
from supervisor import requests as r
from tests.unit.supervision.scene import (
    GONE,
    NODE,
    SLEEPING,
    STOPPED,
    W0,
    W1,
    W2,
    Scene,
    acts,
    child,
    group,
    only,
    records,
    said,
    where,
    workers,
)


def ask(key: str, incarnation: int = 1) -> m.AskHeartbeat:
    return m.AskHeartbeat(key=key, incarnation=incarnation)


def look(key: str, incarnation: int = 1) -> m.LookAtProcess:
    return m.LookAtProcess(key=key, incarnation=incarnation, process=where().process, node_id=NODE)


def running(size: int = 1, **settings: Any) -> Scene:
    return Scene(workers(size, **settings)).up()


def test_a_child_that_answers_is_asked_at_its_interval_and_never_looked_at() -> None:
    scene = running()
    asked: list[float] = []
    for _ in range(1000):
        for command in scene.wait(0.01):
            assert command == ask(W0)
            asked.append(round(scene.now - 100.0, 2))
            scene.answered(W0)
    assert asked == pytest.approx([0.5 + n for n in range(10)], abs=0.11)


def test_hang_detected_and_replaced() -> None:
    """Silence for the hang timeout, then the kernel's evidence: fenced first, then killed, then replaced."""
    scene = running(2)
    assert scene.wait(2.9) == [ask(W0), ask(W1)]
    scene.answered(W1)
    assert only(scene.wait(0.2), m.LookAtProcess) == [look(W0)]
    detail = "silent for 3.1 s, process state 'T' without progress"
    assert scene.evidence(W0, STOPPED) == [
        m.RecordChild(
            key=W0,
            incarnation=1,
            event="fenced",
            role="active",
            location=where(),
            detail=f"hung: {detail}",
            exit_class="hung",
        ),
        m.Publish(),
        m.KillChild(key=W0, incarnation=1, process=where().process, node_id=NODE),
        m.RecordRestart(
            key=W0,
            from_incarnation=1,
            to_incarnation=2,
            exit_class="hung",
            reason=detail,
            group="pool:p",
            delay_ms=0,
        ),
        m.StartChild(key=W0, incarnation=2),
    ]


def test_a_deadlocked_process_is_found_by_two_looks() -> None:
    scene = running()
    scene.wait(3.0)
    assert scene.evidence(W0, SLEEPING) == []
    assert only(scene.wait(0.75), m.LookAtProcess) == [look(W0)]
    assert acts(scene.evidence(W0, SLEEPING)) == [f"kill {W0}#1", f"start {W0}#2"]


def test_busy_process_is_not_taken_for_hung() -> None:
    """It holds its interpreter's lock and uses the processor: its tasks' limits end it, not its silence."""
    scene = running()
    for ticks in range(1000):
        scene.wait(1.0)
        assert scene.evidence(W0, ProcessEvidence("R", 100 * ticks, seen_at=0.0)) == []
    assert scene.child(W0).status == "running"


def test_a_process_that_is_gone_is_replaced_even_if_its_death_went_unnoticed() -> None:
    scene = running()
    scene.wait(3.0)
    assert said(scene.evidence(W0, GONE)) == [f"kill {W0}#1", f"restart {W0} killed", f"start {W0}#2"]


def test_a_hung_standby_is_replaced_and_the_accepted_life_is_told() -> None:
    scene = Scene(child("a", standbys=1)).up()
    scene.wait(2.9)
    scene.answered("a", 1)
    scene.wait(0.2)
    assert said(scene.evidence("a", STOPPED, 2)) == ["kill a#2", "attend a#1:"]
    assert acts(scene.wait(0.0)) == ["start a#3 standby"]
    assert scene.child("a").restarts == 0


def test_an_unhealthy_child_is_fenced_and_replaced() -> None:
    """It says so itself."""
    scene = Scene(child("a")).up()
    commands = scene.unhealthy("a", "no database")
    assert records(commands) == ["a#1 fenced: crash: no database"]
    assert commands[1] == m.Publish()
    assert said(commands) == ["kill a#1", "restart a crash", "start a#2"]
    assert scene.unhealthy("a", "late", 2) == [], "it does not run yet"


def test_a_lost_heartbeat_of_an_idle_process_does_not_cost_its_life() -> None:
    """It is asked again at each look: a question or an answer was lost, and it sleeps for want of work."""
    scene = running()
    assert scene.wait(2.9) == [ask(W0)]
    assert scene.wait(0.1) == [ask(W0), look(W0)]
    assert scene.evidence(W0, SLEEPING) == []
    assert scene.answered(W0) == []
    assert scene.evidence(W0, SLEEPING) == [], "the answer came before the second look"
    assert scene.wait(0.9) == []
    assert scene.wait(0.2) == [ask(W0)]


def test_a_suspect_that_answers_every_question_is_asked_no_more_often_afterwards() -> None:
    scene = running()
    scene.wait(5.0)
    for _ in range(4):
        scene.answered(W0)
    asked = 0
    for _ in range(1000):
        for command in scene.wait(0.01):
            assert command == ask(W0)
            asked += 1
            scene.answered(W0)
    assert asked <= 10


def test_a_look_that_nobody_answers_is_repeated() -> None:
    """The node's agent may be down just then."""
    scene = running()
    scene.wait(2.9)
    assert only(scene.wait(10.0), m.LookAtProcess) == [look(W0)] * 14


def test_unavailable_is_not_dead() -> None:
    """Silence alone never replaces a child: without evidence it stays in the view."""
    scene = running()
    assert only(scene.wait(1000.0), m.KillChild, m.StartChild, m.Publish, m.RecordChild) == []
    assert scene.serving() == {"s/worker/p-0#1": "active"}


def test_a_suspect_that_answered_is_not_looked_at_before_it_is_silent_as_long_again() -> None:
    """Also when the next question follows soon, and a look was still due."""
    scene = running(child={"heartbeat_s": 0.2})
    scene.wait(3.05)
    scene.answered(W0)
    assert scene.wait(2.9) == [ask(W0)]
    assert only(scene.wait(0.1), m.LookAtProcess) == [look(W0)]


def test_questions_that_lost_their_meaning_do_not_pile_up() -> None:
    """A child that ends and starts for ever leaves timers of its former lives behind; they are swept out."""
    scene = running()
    for incarnation in range(1, 2000):
        scene.died(W0, "task_limit")
        scene.ready(W0, incarnation + 1)
    assert len(scene.machine._s.timers) <= 1024


def test_evidence_about_a_child_that_was_not_suspected_is_ignored() -> None:
    scene = running()
    assert scene.evidence(W0, STOPPED) == []
    scene.died(W0)
    assert scene.evidence(W0, STOPPED, 2) == []
    assert scene.answered(W0, 2) == []


def test_a_child_that_is_stopping_is_neither_asked_nor_looked_at() -> None:
    """How long it may take is the end's business, where that has a limit."""
    scene = running(child={"shutdown_s": 1000.0})
    scene.wait(2.0)
    scene.shut_down()
    assert scene.evidence(W0, STOPPED) == []
    assert scene.answered(W0) == []
    assert scene.be_away(99.0) == []


def test_a_supervisor_that_was_stopped_itself_takes_nobody_for_hung() -> None:
    """It could not hear: every silence counts anew, and each suspect is asked again before it is looked at."""
    scene = running(3, child={"heartbeat_s": 0.2})
    scene.died(W2)
    scene.died(W2)
    scene.died(W2)  # it rests before its next start, and there is nobody to ask
    assert only(scene.wait(0.4), m.AskHeartbeat) == [ask(W0), ask(W1)]
    scene.answered(W0)
    assert only(scene.be_away(60.0), m.AskHeartbeat) == [ask(W1), ask(W0)]
    for _ in range(29):
        assert scene.answered(W0) == []
        assert only(scene.wait(0.1), m.LookAtProcess) == []
    assert only(scene.wait(0.2), m.LookAtProcess) == [look(W1)]


@pytest.mark.parametrize("away_s", [0.8, 1.5, 2.9, 3.0, 3.1, 4.0, 100.0])
def test_a_supervisor_that_is_away_for_ever_shorter_times_takes_nobody_for_hung(away_s: float) -> None:
    scene = running(child={"heartbeat_s": 0.2})
    for _ in range(20):
        for command in scene.wait(0.1) + scene.be_away(away_s):
            if isinstance(command, m.LookAtProcess):
                assert scene.evidence(W0, SLEEPING) == []
        scene.answered(W0)
    assert scene.child(W0).status == "running"


def test_how_long_an_absence_matters_follows_from_the_most_impatient_child() -> None:
    """Also when it was added long after the start."""
    scene = Scene(group("shop")).up()
    scene.run(scene.add(child("a", heartbeat_s=0.1, hang_timeout_s=0.4)))
    scene.wait(0.06)
    assert only(scene.be_away(0.6), m.AskHeartbeat, m.LookAtProcess) == [ask("child/a")]
    assert only(scene.wait(0.39), m.LookAtProcess) == []
    assert only(scene.wait(0.02), m.LookAtProcess) == [look("child/a")]


def test_a_timeout_that_became_shorter_holds_at_once_and_doubles_no_look() -> None:
    scene = Scene(child("a")).up()
    scene.wait(0.6)
    scene.answered("a")
    plan = scene.machine.plan_of("child/a")
    assert plan is not None
    scene.ask(r.Change(children=(replace(plan, hang_timeout_s=1.2),)))
    assert only(scene.wait(1.1), m.LookAtProcess) == []
    assert only(scene.wait(2.8), m.LookAtProcess) == [look("child/a")] * 10


def test_two_looks_of_one_moment_are_one() -> None:
    """Answers of a node's agent may come together however far apart the questions were."""
    scene = running()
    scene.wait(3.0)
    assert [scene.evidence(W0, SLEEPING) for _ in range(9)] == [[]] * 9
    assert only(scene.wait(0.75), m.LookAtProcess) == [look(W0)]
    assert acts(scene.evidence(W0, SLEEPING)) == [f"kill {W0}#1", f"start {W0}#2"]


# -- while it ends ----------------------------------------------------------------------------------------------------


def ending(shutdown_s: Any = "infinity") -> Scene:
    """A child that was asked to end, and has all the time for it."""
    scene = Scene(group("g", child("a", shutdown_s=shutdown_s))).up()
    assert acts(scene.ask(r.Terminate(member="child/g.a"), "r")) == ["ask g.a#1"]
    return scene


def test_who_may_take_any_time_to_end_is_asked_on_and_left_alone_while_it_answers() -> None:
    scene = ending()
    for _ in range(600):
        for command in scene.wait(0.1):
            assert command == ask("child/g.a")
            scene.answered("g.a")
    assert scene.child("g.a").status == "stopping"
    assert said(scene.stopped("g.a")) == ["kill g.a#1"]


def test_who_may_take_any_time_to_end_and_hangs_is_killed() -> None:
    scene = ending()
    assert only(scene.wait(4.0), m.LookAtProcess)[0] == look("child/g.a")
    commands = scene.evidence("g.a", STOPPED)
    assert [(each.event, each.exit_class) for each in only(commands, m.RecordChild)] == [("killed", "hung")]
    assert said(commands) == ["kill g.a#1"]
    assert only(scene.wait(4.0), m.AskHeartbeat, m.LookAtProcess) == [], "it is dead in a moment"
    assert said(scene.died("g.a", "killed")) == ["answer r ok"]
    assert scene.child("g.a").status == "stopped"


def test_who_may_take_any_time_to_end_and_is_gone_has_ended() -> None:
    scene = ending()
    scene.wait(4.0)
    assert said(scene.evidence("g.a", GONE)) == ["kill g.a#1", "answer r ok"]


def test_who_hangs_while_everything_ends_cannot_hold_it() -> None:
    scene = Scene(group("g", child("a", shutdown_s="infinity"))).up()
    scene.shut_down()
    scene.wait(4.0)
    assert scene.run(scene.evidence("g.a", STOPPED)) == ["kill g.a#1", "finish"]


def test_who_was_asked_before_this_supervisor_was_away_is_asked_anew() -> None:
    scene = ending()
    scene.wait(0.9)
    commands = scene.be_away(60.0)
    assert ask("child/g.a") in commands
    assert only(commands, m.LookAtProcess) == [], "its silence counts from now on"


def test_who_has_a_time_to_end_in_is_asked_nothing_meanwhile() -> None:
    scene = ending(shutdown_s=30.0)
    assert only(scene.wait(20.0), m.AskHeartbeat, m.LookAtProcess) == []
    scene.answered("g.a")
    assert said(scene.evidence("g.a", STOPPED)) == []
