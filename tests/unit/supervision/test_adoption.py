"""A new leader adopts whoever lives and is accepted, fences who was replaced, and restarts who died meanwhile."""

from __future__ import annotations

from typing import Any

from supervisor import messages as m
from supervisor.supervision.adoption import Found, choose, sort_actors
from supervisor.tree import LOG, Child, ChildPlan
from tests.unit.supervision.scene import (
    AGENT,
    NODE,
    OTHER,
    SLEEPING,
    STOPPED,
    W0,
    W1,
    Scene,
    actor,
    acts,
    child,
    only,
    records,
    said,
    where,
    workers,
)


def test_adoption_restarts_nothing_that_lives() -> None:
    """The living are adopted under the incarnation they have; what died is started under the next."""
    scene = Scene(workers(2), log=True, nodes=(NODE,))
    actors = [actor(LOG, 4), actor(W0, 7, alive=False), actor(W1, 2), actor(AGENT, 1), actor("supervisor/root", 1)]
    assert sorted(acts(scene.lead(*actors))) == [f"adopt {LOG}#4", f"adopt {AGENT}#1", f"adopt {W1}#2", f"start {W0}#8"]
    scene.ready(LOG)
    scene.ready(W1)
    assert {child.key: child.restarts for child in scene.machine.view().children} == {LOG: 3, W0: 0, W1: 1, AGENT: 0}


def test_a_successor_writes_down_who_died_while_nobody_led() -> None:
    """There is no other witness; what a first leader finds dead belongs to a supervisor that was ended."""
    scene = Scene(workers(2), log=True)
    commands = scene.lead(actor(LOG, 4), actor(W0, 7, alive=False), succeeds=True)
    assert records(commands) == [f"{W0}#7 died: found dead by a new leader"]
    assert said(commands) == [f"adopt {LOG}#4", f"restart {W0} killed", f"start {W0}#8", f"start {W1}#1"]
    assert (scene.child(W0).restarts, scene.child(W0).last_error) == (1, "found dead by a new leader")


def test_nothing_is_announced_before_the_living_workers_are_adopted() -> None:
    """A view without a living worker would fence it: its callers would lose what it runs."""
    scene = Scene(workers(2), log=True)
    scene.lead(actor(LOG, 1), actor(W0, 1), actor(W1, 1))
    assert only(scene.ready(LOG) + scene.ready(W1), m.Publish) == []
    assert only(scene.ready(W0), m.Publish) == [m.Publish()]
    assert scene.serving() == {"s/worker/p-0#1": "active", "s/worker/p-1#1": "active"}


def test_a_worker_that_cannot_be_adopted_does_not_hold_the_announcement_up() -> None:
    scene = Scene(workers(2))
    scene.lead(actor(W0, 1), actor(W1, 1))
    scene.ready(W0)
    commands = scene.failed(W1)
    assert only(commands, m.Publish) == [m.Publish()]
    assert f"start {W1}#2" in said(commands)


def test_a_silent_worker_holds_the_announcement_up_no_longer_than_its_hang_timeout() -> None:
    """It is adopted if it answers later; if it never does, its start timeout ends it."""
    scene = Scene(workers(2))
    scene.lead(actor(W0, 1), actor(W1, 1))
    scene.ready(W0)
    assert only(scene.wait(2.9), m.Publish) == []
    assert only(scene.wait(0.2), m.Publish) == [m.Publish()]
    assert scene.serving() == {"s/worker/p-0#1": "active"}
    scene.ready(W1)
    assert scene.serving() == {"s/worker/p-0#1": "active", "s/worker/p-1#1": "active"}


def test_a_child_that_hung_while_nobody_led_is_found_by_its_silence() -> None:
    """Where it runs is known from the view of the leader before; it costs the hang timeout, not the start timeout."""
    scene = Scene(workers(1))
    scene.lead(actor(W0, 1, node=NODE))
    assert only(scene.wait(2.9), m.LookAtProcess) == []
    assert len(only(scene.wait(0.2), m.LookAtProcess)) == 1
    assert acts(scene.evidence(W0, STOPPED)) == [f"kill {W0}#1", f"start {W0}#2"]


def test_a_child_that_answers_while_it_is_being_adopted_is_not_taken_for_hung() -> None:
    """It sleeps because it has nothing to do, and what it said of itself was lost: its start timeout decides."""
    scene = Scene(workers(1))
    scene.lead(actor(W0, 1, node=NODE))
    for _ in range(190):
        for _ in only(scene.wait(0.3), m.AskHeartbeat):
            scene.evidence(W0, SLEEPING)
            scene.answered(W0)
    assert scene.child(W0).restarts == 0
    assert f"start {W0}#2" in acts(scene.wait(9.0))


def test_an_adopted_child_of_unknown_place_is_not_looked_at() -> None:
    scene = Scene(workers(1))
    scene.lead(actor(W0, 1))
    assert only(scene.wait(30.0), m.LookAtProcess, m.AskHeartbeat) == []


def test_a_pool_given_up_during_adoption_is_announced_as_such() -> None:
    scene = Scene(workers(2, intensity=0))
    scene.lead(actor(W0, 1), actor(W1, 1))
    commands = scene.failed(W1)
    assert said(commands) == [f"kill {W1}#1", f"ask {W0}#1"]
    assert m.Publish() not in commands, "the other one is still being adopted"
    commands = scene.died(W0)
    assert m.Publish() in commands
    assert said(commands) == ["escalate pool:p"]
    assert scene.machine.view().pools["p"].failure is not None


def test_two_living_incarnations_of_one_child_the_older_is_killed() -> None:
    scene = Scene(workers(1))
    assert said(scene.lead(actor(W0, 3), actor(W0, 5), actor(W0, 4))) == [
        f"kill {W0}#3",
        f"kill {W0}#4",
        f"adopt {W0}#5",
    ]


def test_a_living_incarnation_that_had_been_replaced_is_killed_not_adopted() -> None:
    """A later one exists, if only dead: so this one was fenced before, and must not be accepted again."""
    scene = Scene(workers(1))
    assert said(scene.lead(actor(W0, 3), actor(W0, 4, alive=False))) == [f"kill {W0}#3", f"start {W0}#5"]


def test_members_that_a_predecessor_added_are_adopted_and_strangers_killed() -> None:
    scene = Scene(workers(1))
    commands = scene.lead(
        actor(W0, 1), actor("worker/p-9", 2), actor("worker/x-0", 1), actor("worker/p-8", 1, alive=False)
    )
    assert said(commands) == [f"adopt {W0}#1", "adopt worker/p-9#2", "kill worker/x-0#1"]
    kills = only(commands, m.KillChild)
    assert (kills[0].process, kills[0].node_id) == (None, None), "nobody knows where it is"


def test_a_subtrees_children_are_its_supervisors_business() -> None:
    scene = Scene()
    scene.machine._s.add_child(ChildPlan(key="supervisor/shop"))
    commands = scene.lead(actor("supervisor/shop", 1), actor("child/shop.a", 1), actor("child/shopping", 1))
    assert sorted(text for text in said(commands) if "shop" in text) == ["adopt supervisor/shop#1", "kill shopping#1"]


def test_an_adopted_child_that_died_meanwhile_is_restarted() -> None:
    scene = Scene(workers(1))
    scene.lead(actor(W0, 3))
    assert f"start {W0}#4" in acts(scene.died(W0))


def test_an_adopted_child_that_ends_before_it_answers_did_not_fail_to_start() -> None:
    """Its exit means what it means for any that ran: a transient one that ended in order stays away."""
    scene = Scene(child("a", restart="transient"), child("t", restart="temporary"))
    scene.lead(actor("a", 1), actor("t", 1), succeeds=True)
    assert said(scene.died("a", "normal")) == []
    assert said(scene.failed("t")) == ["kill t#1"]
    assert scene.statuses() == {"a": "stopped"}


def test_supervisors_are_neither_adopted_nor_ended() -> None:
    """They see for themselves that a later one leads."""
    assert sort_actors([actor("supervisor/root", 1), actor("supervisor/root", 2)]) == {}


def test_the_table_by_key() -> None:
    three, four = actor("a", 3, node=NODE), actor("a", 4, alive=False, node=OTHER)
    found = sort_actors([four, actor("a", 1, alive=False), three])
    assert found == {"child/a": Found(last=4, alive={3: three}, places={3: where(NODE), 4: where(OTHER)})}


def chosen(*alive: int, dead: int = 0, standbys: int = 0, **known: Any) -> tuple[int, list[int], list[int]]:
    kept = Child(ChildPlan(key="child/a", standbys=standbys), **known)
    found = Found(last=max(dead, *alive, 0), alive={number: actor("a", number) for number in alive})
    return choose(kept, found)


def test_who_is_accepted() -> None:
    """Accepted, those that stand by, and those that were replaced."""
    assert chosen() == (0, [], [])
    assert chosen(3) == (3, [], [])
    assert chosen(3, 4) == (4, [], [3])
    assert chosen(3, dead=4) == (0, [], [3])
    assert chosen(3, 4, 5, standbys=1) == (3, [4, 5], [])
    assert chosen(3, 4, 5, standbys=1, incarnation=4, last=5) == (4, [5], [3])
    assert chosen(4, 5, standbys=1, incarnation=3, last=5) == (4, [5], [])


def test_the_ledger_knows_who_was_accepted() -> None:
    assert chosen(3, 4, incarnation=3, last=4) == (3, [4], []), "the later one was to step in on another node"
    assert chosen(3, dead=4, incarnation=3, last=4) == (3, [], [])
    assert chosen(3, dead=4, incarnation=3, last=3) == (0, [], [3])
    assert chosen(4, incarnation=3, last=4) == (4, [], [])
    assert chosen(3, 4, incarnation=3, last=3) == (4, [], [3]), "it replaced the other after the ledger was written"


def test_a_life_that_was_known_to_be_over_is_not_accepted_again() -> None:
    assert chosen(3, incarnation=3, last=3, status="restarting") == (0, [], [3])
    assert chosen(3, 4, incarnation=3, last=3, status="restarting") == (4, [], [3])
    assert chosen(3, 4, 5, incarnation=3, last=5, standbys=2, status="restarting") == (4, [5], [3])
