"""The view names who leads, who serves and where the log is: running, accepted incarnations only."""

from __future__ import annotations

import pickle

from supervisor.messages import GroupView, PoolView, WorkerView
from supervisor.tree import LOG
from tests.unit.supervision.scene import AGENT, NODE, OTHER, W0, Scene, child, group, where, workers


def test_only_running_members_serve_under_the_name_of_their_incarnation() -> None:
    scene = Scene(workers(2, 1, period_s=9.0))
    scene.lead()
    scene.ready(W0)
    scene.died(W0)
    scene.ready(W0)
    view = scene.machine.view()
    assert view.pools == {
        "p": PoolView(
            workers=(WorkerView(name="s/worker/p-0#2", role="active", location=where()),),
            failure=None,
            restarts=1,
            period_s=9.0,
            size=2,
        )
    }
    assert [child.status for child in view.children] == ["running", "starting", "starting"]
    assert (view.leader, view.incarnation, view.stopping) == ("s/supervisor/root#2", 2, False)


def test_the_nodes_that_are_about_to_go_are_announced() -> None:
    scene = Scene(workers(1, 0), nodes=(NODE, OTHER)).up()
    assert scene.machine.view().draining == ()
    scene.see(NODE, OTHER, draining=(OTHER,))
    assert scene.machine.view().draining == (OTHER,)


def test_the_log_is_named_while_its_writer_runs_and_its_error_told_when_not() -> None:
    assert Scene().machine.view().event_log is None
    scene = Scene(log=True).up()
    assert (scene.machine.view().event_log, scene.machine.view().log_error) == ("s/event_log/writer#1", None)
    scene.died(LOG, detail="locked")
    assert (scene.machine.view().event_log, scene.machine.view().log_error) == (None, "locked")


def test_agents_are_found_by_their_node() -> None:
    scene = Scene(nodes=(NODE, OTHER))
    scene.lead()
    scene.ready(AGENT)
    assert scene.machine.view().agents == {NODE: f"s/{AGENT}#1"}


def test_failures_and_the_end_are_told() -> None:
    scene = Scene(workers(1, intensity=0), child("a"), root={"intensity": 0}).up()
    scene.run(scene.died(W0, detail="boom"))
    scene.run(scene.died("a"))
    scene.shut_down()
    view = scene.machine.view()
    assert (view.pools["p"].failure, view.root_failure, view.stopping) == (f"{W0}: boom", "child/a: gone", True)


def test_a_child_is_shown_with_its_host_and_those_who_stand_by() -> None:
    scene = Scene(child("a", standbys=2), group("g", child("b")))
    scene.lead()
    scene.ready("a", host="s/host/x#1")
    scene.stands_by("a", 3)
    scene.attended("a", 3)
    shown = scene.child("a")
    assert (shown.name, shown.host, shown.standbys) == ("s/child/a#1", "s/host/x#1", ("s/child/a#3",))
    assert (shown.location, shown.incarnation, shown.group) == (where(), 1, "root")
    assert (scene.child("g.b").group, scene.child("g.b").host) == ("g", "s/child/g.b#1")


def test_a_group_is_shown_with_its_members_in_order() -> None:
    scene = Scene(group("g", child("a"), group("h"), strategy="rest_for_one", intensity=2, period_s=3.0)).up()
    assert scene.group("g") == GroupView(
        path="g",
        parent="root",
        strategy="rest_for_one",
        status="running",
        members=("child/g.a", "g.h"),
        restarts=0,
        intensity=2,
        period_s=3.0,
        failure=None,
    )


def test_a_view_crosses_processes() -> None:
    view = Scene(workers(1), group("g", child("a")), log=True, nodes=(NODE,)).up().machine.view()
    assert pickle.loads(pickle.dumps(view)) == view


def test_a_subtrees_supervisor_has_neither_services_nor_a_root() -> None:
    scene = Scene(child("a"))
    state = scene.machine._s
    del state.groups["system"]
    assert (scene.machine.view().agents, scene.machine.view().root_failure) == ({}, None)
    assert scene.machine._nodes.learn((NODE,)) == []
