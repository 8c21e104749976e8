"""The supervisor's rules in virtual time: who is started, restarted, given up, and how all ends."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor import messages as m
from supervisor.tree import LOG, BackoffPlan, ExitClass
from tests.unit.supervision.scene import (
    AGENT,
    GONE,
    NODE,
    STOPPED,
    W0,
    W1,
    W2,
    Scene,
    acts,
    child,
    delays,
    group,
    records,
    said,
    where,
    workers,
)


def running(size: int = 1, standbys: int = 0, /, **settings: Any) -> Scene:
    return Scene(workers(size, standbys, **settings)).up()


# -- starting --------------------------------------------------------------------------------------------------------


def test_start_of_the_services_and_the_pools() -> None:
    """In order, each node's agent too; each is announced when it answers."""
    scene = Scene(workers(2), log=True, nodes=(NODE,))
    assert said(scene.lead()) == [f"start {LOG}#1", f"start {AGENT}#1 on n", f"start {W0}#1", f"start {W1}#1"]
    assert set(scene.statuses().values()) == {"starting"}
    record = m.RecordChild(key=W1, incarnation=1, event="ready", role="active", location=where())
    assert scene.ready(W1) == [record, m.Publish()]
    assert scene.ready(LOG)[-1] == m.Publish()
    assert scene.serving() == {"s/worker/p-1#1": "active"}
    assert scene.machine.view().event_log == "s/event_log/writer#1"


def test_a_failed_start_in_a_pool_is_counted_and_tried_again() -> None:
    """At once first, then ever later, and given up over the intensity."""
    scene = Scene(workers(1, intensity=3, period_s=5.0))
    scene.lead()
    commands = scene.failed(W0, error="boom")
    assert records(commands) == [f"{W0}#1 fenced: crash: boom"]
    assert commands[1] == m.Publish()
    assert said(commands) == [f"kill {W0}#1", f"restart {W0} crash", f"start {W0}#2"]
    assert acts(scene.failed(W0)) == [f"kill {W0}#2"]
    assert acts(scene.wait(0.1)) == [f"start {W0}#3"]
    assert acts(scene.failed(W0)) == [f"kill {W0}#3"]
    assert acts(scene.wait(0.2)) == [f"start {W0}#4"]
    commands = scene.failed(W0, error="boom")
    assert records(commands) == [f"{W0}#4 fenced: crash: boom", f"{W0}#4 given_up: {W0}: boom"]
    assert said(commands) == [f"kill {W0}#4", "escalate pool:p"]
    assert scene.machine.view().pools["p"].failure == f"{W0}: boom"


def test_a_start_that_crashes_after_a_long_and_healthy_life_backs_off_again() -> None:
    """Only health resets the wait: a child that fails to start was not healthy, however long ago it last ran."""
    scene = running()
    scene.wait(20.0)
    scene.died(W0)
    waits: list[int] = []
    for _ in range(5):
        waits += delays(scene.failed(W0))
        scene.wait(20.0)
    assert waits == [100, 200, 400, 800, 1600]


def test_a_start_that_takes_too_long_is_ended_and_tried_again() -> None:
    scene = Scene(workers(1))
    scene.lead()
    assert acts(scene.wait(59.9)) == []
    assert acts(scene.wait(0.2)) == [f"kill {W0}#1", f"start {W0}#2"]
    assert "did not answer within 60 s" in scene.child(W0).last_error


def test_an_answer_in_time_ends_the_start_timeout() -> None:
    scene = running()
    for _ in range(100):
        scene.wait(1.0)
        scene.answered(W0)
    assert (scene.child(W0).status, scene.child(W0).restarts) == ("running", 0)


def test_late_start_answer_of_a_replaced_incarnation_is_ignored() -> None:
    scene = Scene(workers(1))
    scene.lead()
    scene.failed(W0)
    assert scene.ready(W0, 1) == []
    assert scene.ready(W0, 2)[-1] == m.Publish()
    assert scene.serving() == {"s/worker/p-0#2": "active"}


# -- deaths and restarts ---------------------------------------------------------------------------------------------


def test_a_death_is_announced_then_the_successor_starts() -> None:
    scene = Scene(workers(2), log=True).up()
    assert scene.died(W0, "out_of_memory") == [
        m.RecordChild(
            key=W0,
            incarnation=1,
            event="died",
            role="active",
            location=where(),
            detail="out_of_memory: gone",
            exit_class="out_of_memory",
        ),
        m.Publish(),
        m.RecordRestart(
            key=W0,
            from_incarnation=1,
            to_incarnation=2,
            exit_class="out_of_memory",
            reason="gone",
            group="pool:p",
            delay_ms=0,
        ),
        m.StartChild(key=W0, incarnation=2),
    ]
    assert scene.statuses() == {LOG: "running", W0: "starting", W1: "running"}
    assert scene.serving() == {"s/worker/p-1#1": "active"}


def test_a_child_that_waits_for_its_restart_is_given_up_with_its_group() -> None:
    scene = running(2, intensity=2)
    scene.died(W0)
    scene.failed(W0)
    assert scene.child(W0).status == "restarting"
    scene.run(scene.died(W1))
    assert scene.statuses() == {W0: "given_up", W1: "given_up"}
    assert scene.wait(99.0) == []


def test_the_restart_over_the_intensity_gives_the_pool_up() -> None:
    """It is announced first. All its children end, none starts again; the other groups go on."""
    scene = Scene(workers(2, 1, intensity=1), log=True).up()
    scene.run(scene.died(W2))
    commands = scene.died(W1)
    why = f"{W1}: gone"
    assert records(commands) == [
        f"{W1}#1 died: crash: gone",
        f"{W2}#2 promoted",
        f"{W2}#2 given_up: {why}",
        f"{W1}#1 given_up: {why}",
        f"{W0}#1 given_up: {why}",
    ]
    assert commands.index(m.Publish()) == 2
    assert said(commands) == [f"ask {W2}#2", f"ask {W0}#1"]
    assert scene.run(commands)[-3:] == [f"kill {W2}#2", f"kill {W0}#1", "escalate pool:p"]
    assert scene.statuses() == {LOG: "running", W0: "given_up", W1: "given_up", W2: "given_up"}
    assert (scene.serving(), scene.machine.view().pools["p"].failure) == ({}, why)
    assert [scene.died(W0), scene.ready(W1, 2), acts(scene.wait(99.0))] == [[], [], []]


def test_services_that_were_given_up_start_no_agents_for_new_nodes() -> None:
    scene = Scene(log=True, system={"intensity": 0}).up()
    assert said(scene.died(LOG)) == ["escalate system"]
    assert scene.machine.view().root_failure == f"{LOG}: gone"
    assert acts(scene.see(NODE)) == []
    assert scene.statuses()[LOG] == "given_up"


@pytest.mark.parametrize("exit_class", ["task_limit", "preempted"])
def test_ends_that_somebody_wanted_are_not_counted(exit_class: ExitClass) -> None:
    scene = running(intensity=0)
    for incarnation in range(1, 50):
        assert f"restart {W0} {exit_class}" in said(scene.died(W0, exit_class))
        scene.run(scene.wait(20.0) if scene.child(W0).status == "restarting" else [])
        scene.ready(W0)
        assert scene.child(W0).incarnation == incarnation + 1


def test_an_end_by_a_tasks_limit_does_not_make_the_next_restart_wait() -> None:
    scene = running()
    for _ in range(50):
        assert delays(scene.died(W0, "task_limit")) == [0]
        scene.ready(W0)


def test_an_announced_end_is_no_crash() -> None:
    """A caller that ends a worker for a task's limit says so first; its death is then not counted."""
    scene = running(intensity=0)
    assert scene.announce(W0, "task_limit") == []
    assert acts(scene.died(W0, "killed")) == [f"start {W0}#2"]
    scene.ready(W0)
    assert acts(scene.died(W0, "killed")) == [], "the announcement was for one life only"


def test_an_announced_end_that_only_the_kernel_reports_is_no_crash_either() -> None:
    scene = running(intensity=0)
    scene.announce(W0, "task_limit")
    scene.wait(3.0)
    assert f"start {W0}#2" in acts(scene.evidence(W0, GONE))


def test_backoff_grows_and_falls_back_after_a_healthy_while() -> None:
    scene = running(backoff=BackoffPlan(max_s=0.5, jitter=0.0, reset_after_s=5.0))
    waits: list[int] = []
    for healthy_s in [0.0, 0.1, 4.9, 1.0, 1.0, 5.0, 1.0]:
        for _ in range(5):
            scene.wait(healthy_s / 5)
            scene.answered(W0)
        waits += delays(scene.died(W0))
        scene.wait(0.6)
        scene.ready(W0)
    assert waits == [0, 100, 200, 400, 500, 0, 100]


def test_jitter_never_exceeds_the_longest_wait() -> None:
    scene = running(backoff=BackoffPlan(max_s=0.5, jitter=0.4))
    waits: list[int] = []
    for _ in range(6):
        waits += delays(scene.died(W0))
        scene.wait(0.6)
        scene.ready(W0)
    assert waits == [0, 80, 160, 320, 400, 400], "a fifth less, where chance falls in the middle"


def test_kinds_of_ends_that_are_not_the_childs_own_doing_are_spaced_apart_from_its_crashes() -> None:
    scene = running()
    waits: list[int] = []
    ends: list[ExitClass] = ["crash", "out_of_memory", "crash", "out_of_memory", "node_lost", "node_lost", "preempted"]
    for exit_class in ends:
        waits += delays(scene.died(W0, exit_class))
        scene.wait(1.1)
        scene.ready(W0)
    assert waits == [0, 0, 100, 900, 0, 450, 0]


def test_why_a_process_ended_may_be_told_later_and_counts_from_the_next_end_on() -> None:
    """The kernel is faster than Ray, but does not know of memory."""
    scene = running()
    assert delays(scene.process_ended(W0)) == [0], "nobody waits for the reason of a first end"
    assert said(scene.died(W0, "out_of_memory", 1)) == []
    scene.wait(0.1)
    scene.ready(W0)
    assert delays(scene.process_ended(W0)) == [], "this one has to pause if memory was short again"
    assert delays(scene.died(W0, "out_of_memory")) == [900]
    scene.wait(1.1)
    scene.ready(W0)
    assert delays(scene.process_ended(W0)) == []
    assert delays(scene.wait(0.2)) == [0], "Ray did not say why: a crash, and the first in a row"


def test_an_end_that_is_explained_twice_or_was_no_shortage_is_counted_once() -> None:
    scene = running()
    scene.process_ended(W0)
    for exit_class in ("killed", "out_of_memory", "out_of_memory"):
        scene.died(W0, exit_class, 1)
    assert scene.machine._s.children[W0].in_a_row == {"crash": 0, "out_of_memory": 1}


def test_stale_incarnations_news_is_ignored() -> None:
    scene = running()
    scene.run(scene.died(W0))
    stale = [
        scene.died(W0, "killed", 1),
        scene.failed(W0, 1),
        scene.ready(W0, 1),
        scene.answered(W0, 1),
        scene.evidence(W0, STOPPED, 1),
        scene.unhealthy(W0, "ill", 1),
        scene.ignored(W0, 1),
        scene.stopped(W0, 1),
        scene.announce(W0, "task_limit", 1),
    ]
    assert stale == [[]] * 9
    assert scene.died("worker/x-1") == [], "and so is news of a stranger"
    assert scene.serving() == {"s/worker/p-0#2": "active"}


def test_news_that_comes_twice_counts_once() -> None:
    scene = running()
    assert scene.ready(W0) == []
    assert scene.failed(W0) == [], "it has answered: whoever says that its start failed is late"
    scene.died(W0)
    assert scene.died(W0, "crash", 1) == []
    assert scene.child(W0).restarts == 1


def test_an_event_is_announced_once() -> None:
    """Whatever it changes: commands are carried out when all is decided."""
    scene = running(20)
    assert scene.shut_down().count(m.Publish()) == 1


# -- a pool's places -------------------------------------------------------------------------------------------------


def test_a_standby_is_promoted_when_an_active_worker_ends() -> None:
    """In the same announcement that takes the dead one out."""
    scene = running(2, 1)
    assert scene.serving() == {"s/worker/p-0#1": "active", "s/worker/p-1#1": "active", "s/worker/p-2#1": "standby"}
    commands = scene.died(W0)
    assert records(commands) == [f"{W0}#1 died: crash: gone", f"{W2}#1 promoted"]
    assert commands[2] == m.Publish()
    scene.ready(W0)
    assert scene.serving() == {"s/worker/p-0#2": "standby", "s/worker/p-1#1": "active", "s/worker/p-2#1": "active"}


def test_a_standby_that_ends_changes_nobody_elses_role() -> None:
    scene = running(2, 1)
    commands = scene.died(W2)
    assert [command.role for command in commands if isinstance(command, m.RecordChild)] == ["standby"]
    assert scene.serving() == {"s/worker/p-0#1": "active", "s/worker/p-1#1": "active"}


# -- the end ---------------------------------------------------------------------------------------------------------


def test_shutdown_in_reverse_order_with_the_log_last() -> None:
    """The view says that it ends first; the log hears of all other ends."""
    scene = Scene(workers(2), child("a"), child("b"), log=True, nodes=(NODE,)).up()
    commands = scene.shut_down()
    assert commands[0] == m.Publish()
    assert scene.machine.view().stopping
    assert scene.run(commands) == [
        "ask b#1",
        "kill b#1",
        "ask a#1",
        "kill a#1",
        f"ask {W1}#1",
        f"ask {W0}#1",
        f"kill {W1}#1",
        f"kill {W0}#1",
        f"ask {AGENT}#1",
        f"kill {AGENT}#1",
        f"ask {LOG}#1",
        f"kill {LOG}#1",
        "finish",
    ]
    assert set(scene.statuses().values()) == {"stopped"}


def test_nothing_starts_after_shutdown_was_asked_for() -> None:
    scene = Scene(workers(2), child("a"), log=True).up()
    scene.died(W0)
    scene.failed(W0)
    scene.died(W1)
    scene.shut_down()
    after = [scene.failed(W1), scene.see(NODE), scene.shut_down(), scene.wait(4.0)]
    assert acts(command for commands in after for command in commands) == [f"kill {W1}#2"]
    assert scene.run(scene.died("a")) == [f"ask {LOG}#1", f"kill {LOG}#1", "finish"]
    assert set(scene.statuses().values()) == {"stopped"}
    assert acts(scene.wait(99.0)) == []


def test_a_log_writer_that_dies_during_the_shutdown_is_replaced() -> None:
    """Nothing else is: it is to hear of the ends of the others."""
    scene = Scene(workers(1), child("a"), log=True).up()
    scene.shut_down()
    assert said(scene.died(W0)) == []
    assert acts(scene.died(LOG)) == [f"start {LOG}#2"]
    assert scene.run(scene.died("a")) == [f"kill {LOG}#2", "finish"]


def test_a_supervisor_without_anything_ends_at_once() -> None:
    assert said(Scene().up().shut_down()) == ["finish"]
    assert said(Scene(child("a")).shut_down()) == ["finish"], "also before it leads"


def test_what_was_given_up_stays_told_as_given_up_at_the_end() -> None:
    scene = running(intensity=0)
    scene.run(scene.died(W0))
    assert scene.run(scene.shut_down()) == ["finish"]
    assert scene.child(W0).status == "given_up"


def test_what_becomes_of_a_plan() -> None:
    machine = Scene(child("a")).machine
    plan = machine.plan_of("child/a")
    assert plan is not None
    assert plan.key == "child/a"
    assert machine.plan_of("child/b") is None


def test_what_a_member_is_doing() -> None:
    machine = Scene(child("a")).up().machine
    known = [machine.status_of(member) for member in ("child/a", "child/b", "root", "shop")]
    assert known == ["running", None, "running", None]


def test_the_groups_that_a_child_is_in() -> None:
    machine = Scene(group("g", group("h", child("a")))).machine
    assert [plan.path for plan in machine.groups_of("child/g.h.a")] == ["supervisor", "root", "g", "g.h"]
    assert machine.groups_of("child/x") == ()
