"""The test matrix: the supervisor is killed, its successor takes the tree over as the ledger says it was."""

from __future__ import annotations

from typing import Any

from supervisor import messages as m
from supervisor import requests as r
from supervisor.tree import LOG
from tests.unit.supervision.scene import (
    AGENT,
    NODE,
    OTHER,
    W0,
    Scene,
    Spec,
    actor,
    acts,
    answers,
    child,
    group,
    pool,
    records,
    said,
    where,
    workers,
)


def successor(before: Scene, *specs: Spec, **settings: Any) -> Scene:
    """A new leader with what that one left; it does not lead yet."""
    return Scene(*specs, incarnation=3, ledger=before.machine.ledger(), **settings)


def test_supervisor_killed_and_children_adopted() -> None:
    """All of them, under the same incarnations, in the tree that was; nothing is started or counted."""
    before = Scene(workers(1), group("g", child("a"), child("b"), strategy="one_for_all"), log=True).up()
    before.run(before.add(child("late", restart="temporary")))
    before.run(before.died("g.a"))
    scene = successor(before, workers(1), log=True)
    living = [actor(LOG, 1), actor(W0, 1), actor("g.a", 2), actor("g.b", 2), actor("late", 1)]
    dead = [actor("g.a", 1, alive=False), actor("g.b", 1, alive=False)]
    commands = scene.lead(*living, *dead, succeeds=True)
    assert sorted(said(commands)) == sorted(
        ["adopt event_log/writer#1", "adopt worker/p-0#1", "adopt g.a#2", "adopt g.b#2", "adopt late#1"]
    )
    scene.run(commands)
    assert scene.incarnations() == before.incarnations()
    assert set(scene.statuses().values()) == {"running"}
    assert scene.child("g.a").restarts == 1
    assert scene.group("g").members == ("child/g.a", "child/g.b")


def test_a_child_that_has_not_answered_its_new_leader_yet_goes_on_serving() -> None:
    """Its callers never see that it was between two leaders."""
    before = Scene(child("a")).up()
    scene = successor(before)
    scene.lead(actor("a", 1), succeeds=True)
    (seen,) = [each for each in scene.machine.view().children if each.key == "child/a"]
    assert (seen.status, seen.adopted, seen.host, seen.incarnation) == ("starting", True, "s/child/a#1", 1)


def test_supervisor_and_child_killed_together() -> None:
    before = Scene(child("a"), child("b"), root={"intensity": 1}).up()
    scene = successor(before, root={"intensity": 1})
    commands = scene.lead(actor("a", 1), actor("b", 1, alive=False), succeeds=True)
    assert said(commands) == ["adopt a#1", "restart b killed", "start b#2"]
    assert records(commands) == ["b#1 died: found dead by a new leader"]


def test_supervisor_and_node_killed_together() -> None:
    """All that ran there is one restart."""
    names = ("a", "b", "c", "d")
    before = Scene(*(child(name) for name in names), root={"intensity": 1}).up()
    scene = successor(before, nodes=(OTHER,))
    commands = scene.lead(*(actor(name, 1, alive=False, node=NODE) for name in names), succeeds=True)
    assert [text for text in said(commands) if "agent" not in text] == [
        text for name in names for text in (f"restart {name} node_lost", f"start {name}#2")
    ]


def test_those_of_one_group_that_died_together_are_one_restart_where_the_strategy_concerns_all() -> None:
    before = Scene(group("g", child("a"), child("b"), child("c"), strategy="one_for_all", intensity=1)).up()
    scene = successor(before)
    dead = [actor("g.a", 1, alive=False), actor("g.b", 1, alive=False)]
    commands = scene.lead(*dead, actor("g.c", 1), succeeds=True)
    assert said(commands) == ["adopt g.c#1", "restart g.a killed", "ask g.c#1"]
    assert records(commands) == ["g.a#1 died: found dead by a new leader", "g.b#1 died: found dead by a new leader"]
    assert scene.run(scene.died("g.c")) == ["start g.a#2", "start g.b#2", "start g.c#2"]


def test_those_of_one_group_that_died_together_are_one_restart_of_the_group_where_it_gives_up() -> None:
    before = Scene(group("g", child("a"), child("b"), child("c"), intensity=0)).up()
    scene = successor(before)
    dead = [actor(f"g.{name}", 1, alive=False) for name in "abc"]
    commands = scene.lead(*dead, succeeds=True)
    assert scene.run(commands) == ["restart g shutdown", "start g.a#2", "start g.b#2", "start g.c#2"]
    assert [text for text in records(commands) if "died" in text] == [
        f"g.{name}#1 died: found dead by a new leader" for name in "abc"
    ]


def test_restarts_before_the_failover_count_after_it() -> None:
    before = Scene(child("a"), root={"intensity": 1}).up()
    before.run(before.died("a"))
    before.wait(2.0)
    before.answered("a")
    scene = successor(before)
    assert scene.run(scene.lead(actor("a", 2), succeeds=True)) == ["adopt a#2"]
    assert said(scene.died("a")) == ["escalate root"]


def test_what_was_down_stays_down() -> None:
    before = Scene(child("a"), child("b"), group("g", child("c"), intensity=0, restart="transient")).up()
    before.run(before.ask(r.Terminate(member="child/a")))
    before.run(before.died("g.c"))
    scene = successor(before)
    assert said(scene.lead(actor("a", 1), actor("b", 1), actor("g.c", 1, alive=False), succeeds=True)) == [
        *("kill a#1", "adopt b#1")
    ]
    assert scene.statuses() == {"a": "stopped", "b": "starting", "g.c": "given_up"}
    assert scene.group("g").status == "given_up"


def test_a_restart_that_waited_is_made_and_not_counted_again() -> None:
    before = Scene(child("a"), root={"intensity": 2}).up()
    before.died("a")
    before.failed("a")
    scene = successor(before)
    assert said(scene.lead(actor("a", 1, alive=False), actor("a", 2, alive=False), succeeds=True)) == ["start a#3"]
    assert scene.child("a").restarts == 2


def test_a_groups_restart_that_waited_is_made() -> None:
    before = Scene(group("g", child("a"), group("h", child("b")), intensity=0)).up()
    before.run(before.died("g.a"))
    before.run(before.died("g.a"))
    assert before.group("g").status == "restarting"
    scene = successor(before)
    assert said(scene.lead(succeeds=True)) == ["start g.a#3", "start g.h.b#3"]
    assert scene.group("g").restarts == 2


def test_a_restart_in_order_that_was_under_way_goes_on_in_order() -> None:
    before = Scene(group("g", child("a"), child("b"), child("c"), strategy="rest_for_one")).up()
    before.died("g.a")
    before.died("g.c")
    before.died("g.b")
    before.ready("g.a")
    scene = successor(before)
    commands = scene.lead(actor("g.a", 2), actor("g.b", 2), actor("g.c", 1, alive=False), succeeds=True)
    assert said(commands) == ["adopt g.a#2", "adopt g.b#2", "start g.c#2"]
    before = Scene(group("g", child("a"), child("b"), child("c"), strategy="rest_for_one"))
    before.lead()
    scene = successor(before)
    assert scene.run(scene.lead(actor("g.a", 1), succeeds=True)) == ["adopt g.a#1", "start g.b#1", "start g.c#1"]


def test_an_end_that_was_under_way_goes_on() -> None:
    """Over the intensity, asked for, or of everything: what a leader had decided its successor does."""
    before = Scene(group("g", child("a"), child("b"), intensity=0, restart="transient"), child("c")).up()
    before.died("g.b")
    scene = successor(before)
    commands = scene.lead(actor("g.a", 1), actor("g.b", 1, alive=False), actor("c", 1), succeeds=True)
    assert sorted(acts(commands)) == ["adopt c#1", "adopt g.a#1", "ask g.a#1"]
    scene.died("g.a")
    assert scene.statuses() == {"g.a": "given_up", "g.b": "given_up", "c": "starting"}
    assert scene.group("g").failure == "child/g.b: gone"


def test_a_shutdown_that_was_under_way_goes_on() -> None:
    tree = child("a"), group("g", child("t", restart="temporary"), child("b"))
    before = Scene(*tree, workers(1), log=True).up()
    before.shut_down()
    scene = successor(before, workers(1), log=True)
    living = [actor("a", 1), actor("g.t", 1), actor("g.b", 1), actor(LOG, 1)]
    done = scene.run(scene.lead(*living, succeeds=True))
    assert [text for text in done if not text.startswith("adopt")] == [
        *("ask g.b#1", "kill g.b#1", "ask g.t#1", "kill g.t#1", "ask a#1", "kill a#1"),
        *(f"ask {LOG}#1", f"kill {LOG}#1", "finish"),
    ]
    assert scene.machine.view().stopping


def test_a_shutdown_that_was_under_way_ends_with_the_last_who_died_meanwhile() -> None:
    before = Scene(child("a"), child("b")).up()
    before.shut_down()
    scene = successor(before)
    assert said(scene.lead(succeeds=True)) == ["finish"]
    assert set(scene.statuses().values()) == {"stopped"}


def test_standbys_are_adopted_as_what_they_are() -> None:
    before = Scene(child("a", standbys=1)).up()
    scene = successor(before)
    assert said(scene.lead(actor("a", 1), actor("a", 2), succeeds=True)) == ["adopt a#1", "adopt a#2"]
    scene.ready("a", 1)
    assert said(scene.stands_by("a", 2)) == ["attend a#1: 2"]
    assert (scene.child("a").status, scene.child("a").incarnation) == ("running", 1)


def test_an_adopted_life_is_told_that_it_has_no_standbys() -> None:
    """It may have been told of one that died meanwhile, and would wait for it at each call."""
    before = Scene(child("a", standbys=1)).up()
    scene = successor(before)
    scene.lead(actor("a", 1), actor("a", 2, alive=False), succeeds=True)
    assert said(scene.ready("a", 1)) == ["start a#3 standby", "attend a#1:"]


def test_the_accepted_one_died_meanwhile_and_its_standby_serves() -> None:
    before = Scene(child("a", standbys=1)).up()
    scene = successor(before)
    assert said(scene.lead(actor("a", 1, alive=False), actor("a", 2), succeeds=True)) == ["adopt a#2"]
    assert said(scene.stands_by("a", 2)) == ["promote a#2", "start a#3 standby", "attend a#2:"]


def test_a_later_incarnation_that_was_activated_wins() -> None:
    """A predecessor accepted it, and was lost before it could write that down: the earlier one is fenced."""
    before = Scene(child("a", standbys=2)).up()
    scene = successor(before)
    scene.lead(actor("a", 1), actor("a", 2), actor("a", 3), succeeds=True)
    scene.ready("a", 1)
    scene.stands_by("a", 2)
    commands = scene.ready("a", 3, serves=True)
    assert records(commands)[:2] == [
        "a#2 stopped",
        "a#1 fenced: incarnation 3 was accepted before",
    ]
    assert commands[0] == m.RecordChild(key="child/a", incarnation=2, event="stopped", role="standby", location=where())
    assert acts(commands) == ["kill a#2", "kill a#1", "start a#4 standby", "start a#5 standby"]
    assert scene.child("a").incarnation == 3
    assert scene.answered("a", 1) == []


def test_a_replacement_that_the_ledger_did_not_know_wins() -> None:
    """Its start was carried out before the ledger was written; the old one is still to be killed."""
    before = Scene(child("a")).up()
    scene = successor(before)
    assert said(scene.lead(actor("a", 1), actor("a", 2), succeeds=True)) == ["kill a#1", "adopt a#2"]


def test_an_agent_of_a_node_that_went_meanwhile_is_not_waited_for() -> None:
    before = Scene(log=True, nodes=(NODE, OTHER)).up()
    lost = f"node_agent/{OTHER[:12]}"
    scene = successor(before, log=True, nodes=(NODE,))
    commands = scene.lead(actor(LOG, 1), actor(AGENT, 1), actor(lost, 1, alive=False), succeeds=True)
    assert said(commands) == [f"adopt {LOG}#1", f"adopt {AGENT}#1"]
    assert scene.statuses()[lost] == "stopped"


def test_a_request_that_is_made_again_joins_what_the_predecessor_had_begun() -> None:
    before = Scene().up()
    before.add(child("a"), request="r")
    scene = successor(before)
    scene.lead(actor("a", 1), succeeds=True)
    assert scene.add(child("a"), request="r") == []
    assert answers(scene.ready("a", 1)) == ["r ok"]
    before.ready("a")
    scene = successor(before)
    scene.run(scene.lead(actor("a", 1), succeeds=True))
    assert said(scene.add(child("a"), request="r")) == ["answer r ok"], "it is up already"


def test_a_joined_request_is_answered_when_its_child_has_ended_since() -> None:
    before = Scene().up()
    before.run(before.add(child("a"), request="r"))
    before.run(before.ask(r.Terminate(member="child/a")))
    scene = successor(before)
    scene.lead(succeeds=True)
    assert said(scene.add(child("a"), request="r")) == ["answer r ok"]


def test_a_joined_start_that_fails_is_tried_again_and_answered_once() -> None:
    """The new leader was not asked to start it: to it, it is a restart."""
    before = Scene().up()
    before.add(child("a"), request="r")
    scene = successor(before)
    scene.lead(actor("a", 1), succeeds=True)
    scene.add(child("a"), request="r")
    assert said(scene.failed("a")) == ["kill a#1", "restart a crash", "start a#2"]
    assert answers(scene.ready("a")) == ["r ok"]


def test_a_pool_keeps_the_size_that_it_was_given() -> None:
    before = Scene(workers(2), pool("p", 1)).up()
    before.run(before.ask(r.Resize(member="pool:p", size=1)))
    before.run(before.ask(r.Resize(member="p", size=2)))
    scene = successor(before, workers(2))
    living = [actor(W0, 1), actor("p-0", 1), actor("p-1", 1)]
    assert scene.run(scene.lead(*living, succeeds=True)) == [f"adopt {W0}#1", "adopt p-0#1", "adopt p-1#1"]
    assert scene.machine.view().pools["p"].size == 1


def test_numbers_of_forgotten_children_stay_used() -> None:
    before = Scene(child("a")).up()
    before.run(before.died("a"))
    before.run(before.ask(r.Terminate(member="child/a")))
    before.ask(r.Delete(member="child/a"))
    scene = successor(before)
    scene.lead(actor("stranger", 5, alive=False), succeeds=True)
    assert said(scene.add(child("a"), request="anew")) == ["start a#3"]
    assert said(scene.add(child("stranger"), request="other")) == ["start stranger#6"]


def test_a_later_incarnation_that_was_activated_wins_also_while_nobody_serves() -> None:
    before = Scene(child("a", standbys=2)).up()
    scene = successor(before)
    scene.lead(actor("a", 1), actor("a", 2), actor("a", 3), succeeds=True)
    scene.died("a")
    scene.failed("a", 2)
    assert scene.child("a").status == "restarting"
    assert acts(scene.ready("a", 3)) == ["start a#4 standby", "start a#5 standby"]
    assert acts(scene.wait(1.0)) == [], "the restart that waited means nothing any more"
