"""A new leader adopts whoever lives and is accepted; nodes come and go with their agents."""

from __future__ import annotations

from dataclasses import replace

from actors.runtime.process import ProcessEvidence
from supervisor import messages as m
from tests.unit.supervisor.scene import (
    AGENT,
    LOG,
    NODE,
    SLEEPING,
    STOPPED,
    W0,
    W1,
    WHERE,
    Scene,
    actor,
    kill,
    look,
    only,
    record,
    restart,
    running,
    start,
)

# -- adoption --------------------------------------------------------------------------------------------------------


def test_adoption_restarts_nothing_that_lives() -> None:
    """The living are adopted under the incarnation they have; what died is started under the next."""
    scene = Scene(LOG, W0, W1, nodes=(NODE,))
    actors = [actor(LOG, 4), actor(W0, 7, alive=False), actor(W1, 2), actor(AGENT, 1), actor("supervisor/root", 1)]
    assert scene.lead(*actors) == [
        m.AdoptChild(key=LOG, incarnation=4),
        start(W0, 8),
        m.AdoptChild(key=W1, incarnation=2),
        m.AdoptChild(key=AGENT, incarnation=1),
    ]
    scene.ready(LOG, 4)
    scene.ready(W1, 2)
    assert {child.key: child.restarts for child in scene.machine.view().children} == {LOG: 3, W0: 0, W1: 1, AGENT: 0}


def test_a_successor_writes_down_who_died_while_nobody_led() -> None:
    """There is no other witness; what a first leader finds dead belongs to a supervisor that was ended."""
    scene = Scene(LOG, W0, W1)
    assert scene.lead(actor(LOG, 4), actor(W0, 7, alive=False), succeeds=True) == [
        m.AdoptChild(key=LOG, incarnation=4),
        record(W0, "died", "found dead by a new leader", 7, "service", location=None),
        restart(W0, "killed", "found dead by a new leader", 8),
        start(W0, 8),
        start(W1),
    ]
    assert scene.child(W0).restarts == 7


def test_nothing_is_announced_before_the_living_workers_are_adopted() -> None:
    """A view without a living worker would fence it: its callers would lose what it runs."""
    scene = Scene(LOG, W0, W1)
    scene.lead(actor(LOG, 1), actor(W0, 1), actor(W1, 1))
    assert scene.ready(LOG) == [record(LOG, "ready", role="service")]
    assert scene.ready(W1) == [record(W1, "ready")]
    assert scene.ready(W0) == [record(W0, "ready"), m.Publish()]
    assert scene.serving() == {"s/worker/p-0#1": "active", "s/worker/p-1#1": "active"}


def test_a_worker_that_cannot_be_adopted_does_not_hold_the_announcement_up() -> None:
    scene = Scene(W0, W1)
    scene.lead(actor(W0, 1), actor(W1, 1))
    scene.ready(W0)
    assert only(scene.failed(W1), m.Publish, m.StartChild) == [m.Publish(), start(W1, 2)]


def test_a_silent_worker_holds_the_announcement_up_no_longer_than_its_hang_timeout() -> None:
    """It is adopted if it answers later; if it never does, its start timeout ends it."""
    scene = Scene(W0, W1)
    scene.lead(actor(W0, 1), actor(W1, 1))
    scene.ready(W0)
    assert only(scene.wait(2.9), m.Publish) == []
    assert only(scene.wait(0.2), m.Publish) == [m.Publish()]
    assert scene.serving() == {"s/worker/p-0#1": "active"}
    scene.ready(W1)
    assert scene.serving() == {"s/worker/p-0#1": "active", "s/worker/p-1#1": "active"}


def test_a_child_that_hung_while_nobody_led_is_found_by_its_silence() -> None:
    """Where it runs is known from the view of the leader before; it costs the hang timeout, not the start timeout."""
    scene = Scene(W0)
    scene.lead(m.KnownActor(key=W0, incarnation=1, alive=True, location=WHERE))
    assert only(scene.wait(2.9), m.LookAtProcess) == []
    assert only(scene.wait(0.2), m.LookAtProcess) == [look(W0)]
    assert only(scene.evidence(W0, STOPPED), m.KillChild, m.StartChild) == [kill(W0), start(W0, 2)]


def test_a_child_that_answers_while_it_is_being_adopted_is_not_taken_for_hung() -> None:
    """It sleeps because it has nothing to do, and what it said of itself was lost: its start timeout decides."""
    scene = Scene(W0)
    scene.lead(m.KnownActor(key=W0, incarnation=1, alive=True, location=WHERE))
    for _ in range(190):
        for command in only(scene.wait(0.3), m.AskHeartbeat):
            assert command == m.AskHeartbeat(key=W0, incarnation=1)
            scene.evidence(W0, SLEEPING)
            scene.answered(W0)
    assert scene.child(W0).restarts == 0
    assert start(W0, 2) in scene.wait(9.0)


def test_an_adopted_child_of_unknown_place_is_not_looked_at() -> None:
    scene = Scene(W0)
    scene.lead(actor(W0, 1))
    assert only(scene.wait(30.0), m.LookAtProcess, m.AskHeartbeat) == []


def test_a_pool_given_up_during_adoption_is_announced_as_such() -> None:
    scene = Scene(W0, W1, intensity=0)
    scene.lead(actor(W0, 1), actor(W1, 1))
    assert scene.failed(W1)[-2:] == [m.Publish(), kill(W0, located=False)]
    assert scene.machine.view().pools["p"].failure is not None


def test_two_living_incarnations_of_one_child_the_older_is_killed() -> None:
    scene = Scene(W0)
    assert scene.lead(actor(W0, 3), actor(W0, 5), actor(W0, 4)) == [
        kill(W0, 3, located=False),
        kill(W0, 4, located=False),
        m.AdoptChild(key=W0, incarnation=5),
    ]


def test_a_living_incarnation_that_had_been_replaced_is_killed_not_adopted() -> None:
    """A later one exists, if only dead: so this one was fenced before, and must not be accepted again."""
    assert Scene(W0).lead(actor(W0, 3), actor(W0, 4, alive=False)) == [kill(W0, 3, located=False), start(W0, 5)]


def test_members_that_a_predecessor_added_are_adopted_and_strangers_killed() -> None:
    scene = Scene(W0)
    assert scene.lead(actor(W0, 1), actor("worker/p-9", 2), actor("worker/x-0", 1)) == [
        m.AdoptChild(key=W0, incarnation=1),
        m.AdoptChild(key="worker/p-9", incarnation=2),
        kill("worker/x-0", located=False),
    ]


def test_an_adopted_child_that_died_meanwhile_is_restarted() -> None:
    scene = Scene(W0)
    scene.lead(actor(W0, 3))
    assert start(W0, 4) in scene.died(W0, 3)


# -- nodes -----------------------------------------------------------------------------------------------------------


def test_a_node_that_joins_gets_an_agent_and_one_that_leaves_loses_it_without_a_restart() -> None:
    scene = running(LOG, nodes=(NODE,))
    scene.ready(AGENT)
    assert scene.machine.view().agents == {NODE: f"s/{AGENT}#1"}
    other = "o" * 56
    assert scene.tell(m.NodesSeen(nodes=(NODE, other))) == [start(f"node_agent/{other[:12]}")]
    left = scene.tell(m.NodesSeen(nodes=(other,)))
    detail = "node_lost: its node left the cluster"
    assert left == [record(AGENT, "fenced", detail, role="service"), m.Publish(), kill(AGENT), m.Publish()]
    assert scene.machine.view().agents == {}
    assert only(scene.wait(99.0), m.StartChild) == [start(f"node_agent/{other[:12]}", 2)], "only the late one"


def test_an_agent_that_dies_on_a_living_node_is_restarted() -> None:
    scene = running(LOG, nodes=(NODE,))
    scene.ready(AGENT)
    assert start(AGENT, 2) in scene.died(AGENT)


def test_a_node_that_comes_back_gets_its_agent_again() -> None:
    scene = running(LOG, nodes=(NODE,))
    scene.ready(AGENT)
    scene.died(AGENT, exit_class="node_lost")
    assert scene.child(AGENT).status == "stopped"
    assert scene.tell(m.NodesSeen(nodes=(NODE,))) == [start(AGENT, 2)]


def test_a_node_that_leaves_while_its_agent_waits_for_a_restart_ends_the_wait() -> None:
    scene = running(LOG, nodes=(NODE,))
    scene.ready(AGENT)
    scene.died(AGENT)
    scene.failed(AGENT, 2)
    scene.tell(m.NodesSeen(nodes=()))
    assert scene.child(AGENT).status == "stopped"
    assert only(scene.wait(99.0), m.StartChild) == []


def test_a_worker_that_hung_while_nobody_led_is_found_by_its_silence() -> None:
    """Its place comes from the predecessor's view: without that, only its start timeout would end it."""
    scene = Scene(W0)
    scene.lead(replace(actor(W0, 3), location=WHERE))
    assert only(scene.wait(3.0), m.LookAtProcess) == [look(W0, 3)]
    ended = only(scene.evidence(W0, ProcessEvidence(state="T", cpu_ticks=1, seen_at=0.0), 3), m.KillChild, m.StartChild)
    assert ended == [kill(W0, 3), start(W0, 4)]
