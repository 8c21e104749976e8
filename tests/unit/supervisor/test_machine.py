"""The supervisor's rules in virtual time: who is started, restarted, promoted, given up, and how all ends."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor import messages as m
from supervisor.tree import Child, ExitClass
from tests.unit.supervisor.scene import (
    AGENT,
    GONE,
    LOG,
    NODE,
    STOPPED,
    W0,
    W1,
    W2,
    Scene,
    kill,
    only,
    record,
    restart,
    running,
    start,
)

# -- starting --------------------------------------------------------------------------------------------------------


def test_start_normal() -> None:
    """Children start in order, each node's agent too; each is announced when it answers."""
    scene = Scene(LOG, W0, W1, nodes=(NODE,))
    assert scene.lead() == [start(LOG), start(W0), start(W1), start(AGENT)]
    assert scene.statuses() == dict.fromkeys((LOG, W0, W1, AGENT), "starting")
    assert scene.ready(W1) == [record(W1, "ready"), m.Publish()]
    assert scene.ready(LOG) == [record(LOG, "ready", role="service"), m.Publish()]
    assert scene.serving() == {"s/worker/p-1#1": "active"}
    assert scene.machine.view().event_log == "s/event_log/writer#1"


def test_start_error_is_counted_and_tried_again() -> None:
    """A child whose constructor raises is restarted at once first, then ever later, and given up over the intensity."""
    scene = Scene(W0)
    scene.lead()
    fenced = record(W0, "fenced", "crash: boom", role="service", location=None)
    assert scene.failed(W0, error="boom") == [
        fenced,
        m.Publish(),
        kill(W0, located=False),
        start(W0, 2),
        restart(W0, "crash", "boom"),
    ]
    assert only(scene.failed(W0, 2), m.StartChild) == []
    assert only(scene.wait(0.1), m.StartChild) == [start(W0, 3)]
    assert only(scene.failed(W0, 3), m.StartChild) == []
    assert only(scene.wait(0.2), m.StartChild) == [start(W0, 4)]
    assert scene.failed(W0, 4, "boom")[-2:] == [
        record(W0, "given_up", f"{W0}: boom", 4, "service", location=None),
        m.Publish(),
    ]
    assert scene.machine.view().pools["p"].failure == f"{W0}: boom"


def test_a_start_that_crashes_after_a_long_and_healthy_life_backs_off_again() -> None:
    """Only health resets the wait: a child that fails to start was not healthy, however long ago it last ran."""
    scene = running(W0, intensity=100)
    scene.wait(20.0)
    scene.died(W0)
    delays: list[int] = []
    for incarnation in range(2, 7):
        delays += [
            command.delay_ms for command in scene.failed(W0, incarnation) if isinstance(command, m.RecordRestart)
        ]
        scene.wait(20.0)
    assert delays == [100, 200, 400, 800, 1600]


def test_a_start_that_takes_too_long_is_ended_and_tried_again() -> None:
    scene = Scene(W0)
    scene.lead()
    assert only(scene.wait(59.9), m.StartChild, m.KillChild) == []
    assert only(scene.wait(0.2), m.StartChild, m.KillChild) == [kill(W0, located=False), start(W0, 2)]
    assert "did not answer within 60 s" in scene.child(W0).last_error


def test_an_answer_in_time_ends_the_start_timeout() -> None:
    scene = running(LOG)
    for _ in range(100):
        scene.wait(1.0)
        scene.answered(LOG)
    assert scene.child(LOG).status == "running"
    assert scene.child(LOG).restarts == 0


def test_late_start_answer_of_a_replaced_incarnation_is_ignored() -> None:
    scene = Scene(W0)
    scene.lead()
    scene.failed(W0)
    assert scene.ready(W0, 1) == []
    assert scene.ready(W0, 2)[-1] == m.Publish()
    assert scene.serving() == {"s/worker/p-0#2": "active"}


# -- deaths and restarts ---------------------------------------------------------------------------------------------


def test_one_for_one_only_the_dead_child_is_replaced() -> None:
    """It is announced as gone first, then its successor starts, under the next incarnation."""
    scene = running(LOG, W0, W1)
    assert scene.died(W0, exit_class="out_of_memory") == [
        record(W0, "died", "out_of_memory: gone"),
        m.Publish(),
        start(W0, 2),
        restart(W0, "out_of_memory", "gone"),
    ]
    assert scene.statuses() == {LOG: "running", W0: "starting", W1: "running"}
    assert scene.serving() == {"s/worker/p-1#1": "active"}


def test_a_permanent_child_is_restarted_after_a_normal_exit_too() -> None:
    assert start(W0, 2) in running(W0).died(W0, exit_class="normal")


def test_restarts_spaced_wider_than_the_period_go_on_for_ever() -> None:
    scene = running(W0, intensity=1, period_s=5.0)
    for incarnation in range(1, 200):
        assert start(W0, incarnation + 1) in scene.died(W0, incarnation)
        scene.ready(W0, incarnation + 1)
        scene.wait(5.1)
        scene.answered(W0, incarnation + 1)
    assert scene.child(W0).restarts == 199


def test_the_restart_over_the_intensity_gives_the_group_up() -> None:
    """It is announced first. All its children end in reverse order, none starts again; the other groups go on."""
    scene = running(LOG, W0, W1, W2, intensity=1)
    scene.died(W2)
    scene.ready(W2, 2)
    why = f"{W1}: gone"
    assert scene.died(W1) == [
        record(W1, "died", "killed: gone"),
        record(W2, "promoted", incarnation=2),
        m.Publish(),
        record(W2, "given_up", why, 2),
        record(W1, "given_up", why, role="service"),
        record(W0, "given_up", why),
        m.Publish(),
        kill(W2, 2),
        kill(W0),
    ]
    assert scene.statuses() == {LOG: "running", W0: "given_up", W1: "given_up", W2: "given_up"}
    assert (scene.serving(), scene.machine.view().pools["p"].failure) == ({}, why)
    assert [scene.died(W0), scene.ready(W1, 2), only(scene.wait(99.0), m.StartChild)] == [[], [], []]


def test_a_child_that_waits_for_its_restart_is_given_up_with_its_group() -> None:
    scene = running(W0, W1, intensity=2)
    scene.died(W0)
    scene.failed(W0, 2)
    assert scene.child(W0).status == "restarting"
    scene.died(W1)
    assert scene.statuses() == {W0: "given_up", W1: "given_up"}
    assert scene.wait(99.0) == []


def test_intensity_zero_means_no_restart() -> None:
    scene = running(W0, intensity=0)
    assert only(scene.died(W0), m.StartChild) == []
    assert scene.child(W0).status == "given_up"


def test_a_root_that_was_given_up_starts_no_agents_for_new_nodes() -> None:
    scene = running(LOG, intensity=0)
    scene.died(LOG)
    assert scene.machine.view().root_failure == f"{LOG}: gone"
    assert scene.tell(m.NodesSeen(nodes=(NODE,))) == []
    assert scene.statuses() == {LOG: "given_up", AGENT: "given_up"}


@pytest.mark.parametrize("exit_class", ["task_limit", "node_lost", "shutdown"])
def test_ends_that_say_nothing_against_the_child_are_not_counted(exit_class: ExitClass) -> None:
    """Nor do they make the next restart wait."""
    scene = running(W0, intensity=1)
    for incarnation in range(1, 50):
        commands = scene.died(W0, incarnation, exit_class)
        assert commands[-2:] == [start(W0, incarnation + 1), restart(W0, exit_class, "gone", incarnation + 1)]
        scene.ready(W0, incarnation + 1)
    assert start(W0, 51) in scene.died(W0, 50)


def test_an_announced_end_is_no_crash() -> None:
    """A caller that ends a worker for a task's limit says so first; its death is then not counted."""
    scene = running(W0, intensity=0)
    assert scene.tell(m.ExitAnnounced(key=W0, incarnation=1, exit_class="task_limit")) == []
    assert start(W0, 2) in scene.died(W0, exit_class="killed")
    scene.ready(W0, 2)
    assert start(W0, 3) not in scene.died(W0, 2, "killed"), "the announcement was for one life only"


def test_an_announced_end_that_only_the_kernel_reports_is_no_crash_either() -> None:
    scene = running(W0, intensity=0)
    scene.tell(m.ExitAnnounced(key=W0, incarnation=1, exit_class="task_limit"))
    scene.wait(3.0)
    assert start(W0, 2) in scene.evidence(W0, GONE)


def test_backoff_grows_and_falls_back_after_a_healthy_while() -> None:
    scene = running(W0, intensity=100, reset_after_s=5.0, backoff_max_s=0.5)
    delays: list[int] = []
    for incarnation, healthy_s in enumerate([0.0, 0.1, 4.9, 1.0, 1.0, 5.0, 1.0], start=1):
        for _ in range(5):
            scene.wait(healthy_s / 5)
            scene.answered(W0, incarnation)
        delays += [command.delay_ms for command in scene.died(W0, incarnation) if isinstance(command, m.RecordRestart)]
        scene.wait(0.6)
        scene.ready(W0, incarnation + 1)
    assert delays == [0, 100, 200, 400, 500, 0, 100]


def test_counts_are_consistent_while_a_child_waits_for_its_restart() -> None:
    scene = running(W0, W1, intensity=100)
    scene.died(W0)
    scene.failed(W0, 2)
    assert scene.statuses() == {W0: "restarting", W1: "running"}
    assert scene.child(W0).restarts == 2
    assert scene.died(W0, 2) == [], "it has no life that could end"


def test_a_restart_loop_that_never_succeeds_can_be_ended() -> None:
    scene = Scene(W0, intensity=1000)
    scene.lead()
    for incarnation in range(1, 20):
        scene.failed(W0, incarnation)
        scene.wait(6.0)
    scene.failed(W0, 20)
    assert scene.child(W0).status == "restarting"
    assert scene.tell(m.ShutdownRequested()) == [m.Publish(), m.AwaitStops()]
    assert scene.wait(99.0) == []


def test_stale_incarnations_news_is_ignored() -> None:
    scene = running(W0)
    scene.died(W0)
    scene.ready(W0, 2)
    stale = [scene.died(W0), scene.failed(W0), scene.ready(W0), scene.answered(W0), scene.evidence(W0, STOPPED)]
    stale.append(scene.tell(m.ExitAnnounced(key=W0, incarnation=1, exit_class="task_limit")))
    assert stale == [[]] * 6
    assert scene.died("worker/x-1") == [], "and so is news of a stranger"
    assert scene.serving() == {"s/worker/p-0#2": "active"}


def test_news_that_comes_twice_counts_once() -> None:
    scene = running(W0)
    assert scene.ready(W0) == []
    assert scene.failed(W0) == [], "it has answered: whoever says that its start failed is late"
    scene.died(W0)
    assert scene.died(W0) == []
    assert scene.child(W0).restarts == 1


# -- standbys and roles ----------------------------------------------------------------------------------------------


def test_a_standby_is_promoted_when_an_active_worker_ends() -> None:
    """In the same announcement that takes the dead one out."""
    scene = running(W0, W1, W2)
    assert scene.serving() == {"s/worker/p-0#1": "active", "s/worker/p-1#1": "active", "s/worker/p-2#1": "standby"}
    assert scene.died(W0)[:3] == [record(W0, "died", "killed: gone"), record(W2, "promoted"), m.Publish()]
    scene.ready(W0, 2)
    assert scene.serving() == {"s/worker/p-0#2": "standby", "s/worker/p-1#1": "active", "s/worker/p-2#1": "active"}


def test_a_standby_that_ends_changes_nobody_elses_role() -> None:
    scene = running(W0, W1, W2)
    assert scene.died(W2)[:2] == [record(W2, "died", "killed: gone", role="standby"), m.Publish()]
    assert scene.serving() == {"s/worker/p-0#1": "active", "s/worker/p-1#1": "active"}


# -- the end ---------------------------------------------------------------------------------------------------------


def test_shutdown_in_reverse_order_with_the_log_last() -> None:
    """The view says that it ends first; each child gets its own time; the log hears of all other ends."""
    scene = running(LOG, W0, W1, nodes=(NODE,))
    commands = scene.tell(m.ShutdownRequested())
    assert commands[0] == m.Publish()
    assert scene.machine.view().stopping
    assert only(commands, m.StopChild, m.AwaitStops) == [
        m.StopChild(key=AGENT, incarnation=1, within_s=5.0),
        m.StopChild(key=W1, incarnation=1, within_s=5.0),
        m.StopChild(key=W0, incarnation=1, within_s=5.0),
        m.AwaitStops(),
        m.StopChild(key=LOG, incarnation=1, within_s=30.0),
    ]
    assert [command.event for command in commands if isinstance(command, m.RecordChild)] == ["stopped"] * 4


def test_nothing_starts_after_shutdown_was_asked_for() -> None:
    scene = running(LOG, W0, intensity=100)
    scene.died(W0)
    scene.failed(W0, 2)
    scene.tell(m.ShutdownRequested())
    after = [scene.died(LOG), scene.ready(W0, 3), scene.tell(m.NodesSeen(nodes=(NODE,))), scene.wait(99.0)]
    assert after == [[]] * 4
    assert scene.tell(m.ShutdownRequested()) == [m.Publish(), m.AwaitStops()], "asked twice, it has nothing left to end"
    assert set(scene.statuses().values()) == {"stopped"}


def test_what_was_given_up_stays_told_as_given_up_at_the_end() -> None:
    scene = running(W0, intensity=0)
    scene.died(W0)
    scene.tell(m.ShutdownRequested())
    assert scene.child(W0).status == "given_up"


# -- cost ------------------------------------------------------------------------------------------------------------


class _Counted(dict[str, Child]):
    """Children that count how often one of them is looked up."""

    looks = 0

    def __getitem__(self, key: str) -> Child:
        self.looks += 1
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.looks += 1
        return super().get(key, default)


def _cost(children: int) -> int:
    """Look-ups and commands for a life of so many workers: start, heartbeats, one death in ten, the restarts."""
    keys = [f"worker/p-{number}" for number in range(children)]
    scene = Scene(*keys, size=children - 5, intensity=children)
    counted = scene.machine._children = _Counted(scene.machine._children)
    commands = len(scene.lead())
    for key in keys:
        commands += len(scene.ready(key))
    commands += len(scene.wait(1.0))
    for key in keys:
        commands += len(scene.answered(key))
    for key in keys[::10]:
        commands += len(scene.died(key)) + len(scene.ready(key, 2))
    return counted.looks + commands


def test_ten_times_the_children_cost_at_most_fifteen_times() -> None:
    assert _cost(300) <= 15 * _cost(30)
