"""The test matrix: what an end means, by restart type and exit class, and how often it is borne."""

from __future__ import annotations

import pytest

from supervisor.tree import ExitClass, Restart
from tests.unit.supervision.scene import NODE, OTHER, Scene, acts, child, delays, group, said

ABNORMAL: tuple[ExitClass, ...] = ("killed", "out_of_memory", "node_lost", "hung", "preempted", "task_limit")


@pytest.mark.parametrize(
    ("restart", "exit_class", "restarted"),
    [
        ("permanent", "normal", True),
        ("permanent", "shutdown", True),
        ("permanent", "crash", True),
        ("transient", "normal", False),
        ("transient", "shutdown", False),
        ("transient", "crash", True),
        ("temporary", "normal", False),
        ("temporary", "shutdown", False),
        ("temporary", "crash", False),
    ],
)
def test_the_nine_cells(restart: Restart, exit_class: ExitClass, restarted: bool) -> None:
    scene = Scene(child("a", restart=restart), child("b")).up()
    did = [f"restart a {exit_class}", "start a#2"] if restarted else []
    assert said(scene.died("a", exit_class)) == did
    assert scene.statuses().get("a") == ("starting" if restarted else "stopped" if restart == "transient" else None)
    assert scene.statuses()["b"] == "running"


@pytest.mark.parametrize("exit_class", ABNORMAL)
@pytest.mark.parametrize(("restart", "restarted"), [("permanent", True), ("transient", True), ("temporary", False)])
def test_every_other_end_is_abnormal(restart: Restart, exit_class: ExitClass, restarted: bool) -> None:
    scene = Scene(child("a", restart=restart)).up()
    assert (acts(scene.died("a", exit_class)) == ["start a#2"]) is restarted


def test_a_transient_childs_failed_restart_is_tried_again_whatever_its_exit() -> None:
    scene = Scene(child("a", restart="transient")).up()
    scene.died("a")
    assert said(scene.died("a", "normal")) == ["restart a crash"]
    assert acts(scene.wait(0.1)) == ["start a#3"]


def test_temporary_specs_are_not_kept() -> None:
    """Nor are the arguments of one: the plan goes with it, however it ends."""
    scene = Scene(child("a", restart="temporary"), child("b", restart="temporary")).up()
    scene.died("a")
    assert scene.machine.plan_of("child/a") is None
    assert scene.group("root").members == ("child/b",)


def test_an_announced_exit_is_what_its_end_was() -> None:
    """`sys.exit(0)` is told by the child, before the kernel tells its death."""
    scene = Scene(child("a", restart="transient")).up()
    scene.announce("a", "normal")
    assert said(scene.died("a", "crash")) == []
    assert scene.statuses() == {"a": "stopped"}


# -- intensity -------------------------------------------------------------------------------------------------------


def test_restarts_spaced_wider_than_the_period_go_on_for_ever() -> None:
    scene = Scene(child("a"), root={"intensity": 1, "period_s": 5.0}).up()
    for _ in range(200):
        assert len(scene.run(scene.died("a"))) == 2
        scene.wait(5.1)
        scene.answered("a")
    assert scene.child("a").restarts == 200


@pytest.mark.parametrize("intensity", [0, 1, 2, 5])
def test_the_restart_over_the_intensity_is_not_made(intensity: int) -> None:
    """Intensity 0 means no restart at all."""
    scene = Scene(child("a"), root={"intensity": intensity, "period_s": 100.0}).up()
    for _ in range(intensity):
        assert scene.run([*scene.died("a"), *scene.wait(10.0)])[0] == "restart a crash"
        scene.answered("a")
    assert said(scene.died("a")) == ["escalate root"]
    assert scene.statuses() == {"a": "given_up"}


def test_every_failed_restart_counts_too() -> None:
    scene = Scene(child("a"), root={"intensity": 3, "period_s": 60.0}).up()
    scene.died("a")
    scene.failed("a")
    scene.wait(1.0)
    scene.failed("a")
    scene.wait(1.0)
    assert said(scene.failed("a")) == ["kill a#4", "escalate root"]


def test_siblings_share_their_groups_intensity_and_groups_do_not() -> None:
    scene = Scene(group("g", child("a"), child("b"), intensity=2), group("h", child("c"), intensity=2)).up()
    scene.run(scene.died("g.a"))
    scene.run(scene.died("g.b"))
    scene.run(scene.died("h.c"))
    assert scene.run(scene.died("h.c")) == ["restart h.c crash"]
    assert scene.run(scene.died("g.b")) == [
        "ask g.a#2",
        "kill g.a#2",
        "restart g shutdown",
        "start g.a#3",
        "start g.b#3",
    ]


def test_the_members_that_one_node_took_with_it_are_one_restart() -> None:
    names = [f"c{number}" for number in range(6)]
    scene = Scene(*(child(name) for name in names), root={"intensity": 2}, nodes=(NODE, OTHER))
    scene.lead()
    for number, name in enumerate(names):
        scene.ready(name, node=(NODE, OTHER)[number % 2])
    for name in names:
        assert said(scene.died(name, "node_lost")) == [f"restart {name} node_lost", f"start {name}#2"]
        scene.ready(name)
    assert said(scene.died("c0")) == ["ask c5#2"], "two nodes were two restarts, and this is the third"


def test_a_node_that_is_lost_a_second_time_counts_a_second_time() -> None:
    scene = Scene(child("a"), root={"intensity": 1, "period_s": 5.0}).up()
    scene.run(scene.died("a", "node_lost"))
    scene.wait(5.1)
    scene.answered("a")
    assert scene.run(scene.died("a", "node_lost")) == ["restart a node_lost", "start a#3"]
    scene.wait(5.1)
    scene.answered("a")
    scene.run(scene.died("a"))
    assert said(scene.died("a", "crash")) == ["escalate root"]


def test_a_replacement_that_goes_with_the_node_it_was_started_on_is_of_the_same_loss() -> None:
    scene = Scene(child("a", node_id=NODE), root={"intensity": 1}, nodes=(NODE,)).up()
    scene.died("a", "node_lost")
    assert said(scene.died("a", "node_lost")) == ["restart a node_lost"]


def test_preemption_does_not_count_but_rests() -> None:
    scene = Scene(child("a"), root={"intensity": 0}).up()
    waits: list[int] = []
    for _ in range(4):
        waits += delays(scene.died("a", "preempted"))
        scene.run(scene.wait(3.0))
    assert waits == [0, 450, 900, 1800]


def test_counts_are_consistent_while_restarting() -> None:
    scene = Scene(child("a"), child("b"), group("g", child("c"), strategy="one_for_all")).up()
    scene.died("a")
    scene.failed("a")
    assert scene.statuses() == {"a": "restarting", "b": "running", "g.c": "running"}
    assert scene.count() == {"specs": 3, "active": 2}
    scene.died("g.c")
    scene.failed("g.c")
    assert scene.group("g").status == "restarting"
    assert scene.count() == {"specs": 3, "active": 1}
    assert scene.died("a") == [], "it has no life that could end"
    scene.run(scene.wait(1.0))
    assert scene.count() == {"specs": 3, "active": 3}
