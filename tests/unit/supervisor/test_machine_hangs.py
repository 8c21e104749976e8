"""Silence makes a child suspect, evidence makes it hung; nothing else costs a living child its life."""

from __future__ import annotations

import pytest

from actors.runtime.process import ProcessEvidence
from supervisor import messages as m
from tests.unit.supervisor.scene import (
    GONE,
    SLEEPING,
    STOPPED,
    W0,
    W1,
    W2,
    ask,
    kill,
    look,
    only,
    record,
    restart,
    running,
    start,
)


def test_a_child_that_answers_is_asked_at_its_interval_and_never_looked_at() -> None:
    scene = running(W0)
    asked: list[float] = []
    for _ in range(1000):
        for command in scene.wait(0.01):
            assert command == ask(W0)
            asked.append(round(scene.now - 100.0, 2))
            scene.answered(W0)
    assert asked == pytest.approx([0.5 + n for n in range(10)], abs=0.11)


def test_hang_detected_and_replaced() -> None:
    """Silence for the hang timeout, then the kernel's evidence: fenced first, then killed, then replaced."""
    scene = running(W0, W1)
    assert scene.wait(2.9) == [ask(W0), ask(W1)]
    scene.answered(W1)
    assert only(scene.wait(0.2), m.LookAtProcess) == [look(W0)]
    detail = "silent for 3.1 s, process state 'T' without progress"
    assert scene.evidence(W0, STOPPED) == [
        record(W0, "fenced", f"hung: {detail}"),
        m.Publish(),
        kill(W0),
        start(W0, 2),
        restart(W0, "hung", detail),
    ]


def test_a_deadlocked_process_is_found_by_two_looks() -> None:
    scene = running(W0)
    scene.wait(3.0)
    assert scene.evidence(W0, SLEEPING) == []
    assert only(scene.wait(0.75), m.LookAtProcess) == [look(W0)]
    assert kill(W0) in scene.evidence(W0, SLEEPING)


def test_busy_process_is_not_taken_for_hung() -> None:
    """It holds its interpreter's lock and uses the processor: its tasks' limits end it, not its silence."""
    scene = running(W0)
    for ticks in range(1000):
        scene.wait(1.0)
        assert scene.evidence(W0, ProcessEvidence("R", 100 * ticks, seen_at=0.0)) == []
    assert scene.child(W0).status == "running"


def test_a_process_that_is_gone_is_replaced_even_if_its_death_went_unnoticed() -> None:
    scene = running(W0)
    scene.wait(3.0)
    assert only(scene.evidence(W0, GONE), m.Publish, m.KillChild, m.StartChild) == [m.Publish(), kill(W0), start(W0, 2)]


def test_a_lost_heartbeat_of_an_idle_process_does_not_cost_its_life() -> None:
    """It is asked again at each look: a question or an answer was lost, and it sleeps for want of work."""
    scene = running(W0)
    assert scene.wait(2.9) == [ask(W0)]
    assert scene.wait(0.1) == [ask(W0), look(W0)]
    assert scene.evidence(W0, SLEEPING) == []
    assert scene.answered(W0) == []
    assert scene.evidence(W0, SLEEPING) == [], "the answer came before the second look"
    assert scene.wait(0.9) == []
    assert scene.wait(0.2) == [ask(W0)]


def test_a_suspect_that_answers_every_question_is_asked_no_more_often_afterwards() -> None:
    scene = running(W0)
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
    scene = running(W0)
    scene.wait(2.9)
    assert only(scene.wait(10.0), m.LookAtProcess) == [look(W0)] * 14


def test_unavailable_is_not_dead() -> None:
    """Silence alone never replaces a child: without evidence it stays in the view."""
    scene = running(W0)
    assert only(scene.wait(1000.0), m.KillChild, m.StartChild, m.Publish, m.RecordChild) == []
    assert scene.serving() == {"s/worker/p-0#1": "active"}


def test_a_suspect_that_answered_is_not_looked_at_before_it_is_silent_as_long_again() -> None:
    """Also when the next question follows soon, and a look was still due."""
    scene = running(W0, heartbeat_s=0.2)
    scene.wait(3.05)
    scene.answered(W0)
    assert scene.wait(2.9) == [ask(W0)]
    assert only(scene.wait(0.1), m.LookAtProcess) == [look(W0)]


def test_questions_that_lost_their_meaning_do_not_pile_up() -> None:
    """A child that ends and starts for ever leaves timers of its former lives behind; they are swept out."""
    scene = running(W0, intensity=10**6)
    for incarnation in range(1, 2000):
        scene.died(W0, incarnation, "task_limit")
        scene.ready(W0, incarnation + 1)
    assert len(scene.machine._timers) <= 1024


def test_evidence_about_a_child_that_was_not_suspected_is_ignored() -> None:
    scene = running(W0)
    assert scene.evidence(W0, STOPPED) == []
    scene.died(W0)
    assert scene.evidence(W0, STOPPED, 2) == []
    assert scene.answered(W0, 2) == []


def test_a_supervisor_that_was_stopped_itself_takes_nobody_for_hung() -> None:
    """It could not hear: every silence counts anew, and each suspect is asked again before it is looked at."""
    scene = running(W0, W1, W2, heartbeat_s=0.2, backoff_min_s=5.0)
    scene.died(W2)
    scene.died(W2, 2)  # it rests before its next start, and there is nobody to ask
    assert scene.wait(0.4) == [ask(W0), ask(W1)]
    scene.answered(W0)
    assert only(scene.be_away(60.0), m.AskHeartbeat) == [ask(W1), ask(W0)]
    for _ in range(29):
        assert scene.answered(W0) == []
        assert only(scene.wait(0.1), m.LookAtProcess) == []
    assert only(scene.wait(0.2), m.LookAtProcess) == [look(W1)]


def test_a_supervisor_that_is_away_for_ever_shorter_times_takes_nobody_for_hung() -> None:
    for away_s in (0.8, 1.5, 2.9, 3.0, 3.1, 4.0, 100.0):
        scene = running(W0, heartbeat_s=0.2)
        for _ in range(20):
            for command in scene.wait(0.1) + scene.be_away(away_s):
                if isinstance(command, m.LookAtProcess):
                    assert scene.evidence(W0, SLEEPING) == []
            scene.answered(W0)
        assert scene.child(W0).status == "running"


def test_two_looks_of_one_moment_are_one() -> None:
    """Answers of a node's agent may come together however far apart the questions were."""
    scene = running(W0)
    scene.wait(3.0)
    assert [scene.evidence(W0, SLEEPING) for _ in range(9)] == [[]] * 9
    assert only(scene.wait(0.75), m.LookAtProcess) == [look(W0)]
    assert kill(W0) in scene.evidence(W0, SLEEPING)
