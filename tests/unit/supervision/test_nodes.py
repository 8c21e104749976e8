"""Every living node has an agent; agents of lost nodes are not waited for."""

from __future__ import annotations

from supervisor import messages as m
from supervisor.supervision.nodes import agent_key
from supervisor.tree import LOG
from tests.unit.supervision.scene import AGENT, NODE, OTHER, Scene, acts, child, records, said

OTHERS = agent_key(OTHER)


def test_an_agents_key_is_its_nodes() -> None:
    assert agent_key(NODE) == AGENT


def test_a_node_that_joins_gets_an_agent_and_one_that_leaves_loses_it_without_a_restart() -> None:
    scene = Scene(log=True, nodes=(NODE,)).up()
    assert scene.machine.view().agents == {NODE: f"s/{AGENT}#1"}
    assert said(scene.see(NODE, OTHER)) == [f"start {OTHERS}#1 on o"]
    commands = scene.see(OTHER)
    assert records(commands) == [f"{AGENT}#1 fenced: node_lost: its node left the cluster"]
    assert commands[1] == m.Publish()
    assert said(commands) == [f"kill {AGENT}#1"]
    assert scene.machine.view().agents == {}
    assert acts(scene.wait(99.0)) == [f"kill {OTHERS}#1", f"start {OTHERS}#2 on o"], "only the late one"


def test_an_agent_that_starts_on_a_node_that_leaves_is_not_started_again() -> None:
    scene = Scene(nodes=(NODE,))
    scene.lead()
    assert said(scene.see()) == [f"kill {AGENT}#1"]
    assert acts(scene.wait(99.0)) == []
    assert scene.statuses() == {AGENT: "stopped"}


def test_an_agent_that_dies_on_a_living_node_is_restarted() -> None:
    scene = Scene(nodes=(NODE,)).up()
    assert acts(scene.died(AGENT)) == [f"start {AGENT}#2 on n"]


def test_a_node_that_comes_back_gets_its_agent_again() -> None:
    scene = Scene(nodes=(NODE,)).up()
    scene.died(AGENT, "node_lost")
    assert scene.child(AGENT).status == "stopped"
    assert said(scene.see(NODE)) == [f"start {AGENT}#2 on n"]


def test_a_node_that_leaves_while_its_agent_waits_for_a_restart_ends_the_wait() -> None:
    scene = Scene(nodes=(NODE,)).up()
    scene.died(AGENT)
    scene.failed(AGENT)
    scene.see()
    assert scene.child(AGENT).status == "stopped"
    assert acts(scene.wait(99.0)) == []


def test_a_lost_nodes_agent_does_not_count_against_the_services() -> None:
    scene = Scene(log=True, nodes=(NODE,), system={"intensity": 0}).up()
    for incarnation in range(1, 5):
        scene.died(AGENT, "node_lost")
        assert said(scene.see(NODE)) == [f"start {AGENT}#{incarnation + 1} on n"]
        scene.ready(AGENT)
    assert scene.group("system").status == "running"
    assert scene.statuses()[LOG] == "running"


def test_nodes_seen_during_the_shutdown_change_nothing() -> None:
    scene = Scene(child("a"), nodes=(NODE,)).up()
    scene.shut_down()
    assert scene.see(NODE, OTHER) == []
