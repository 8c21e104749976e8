"""What a successor must know crosses a process as a value, and makes the same tree."""

from __future__ import annotations

import pickle

from supervisor import requests as r
from supervisor.supervision.ledger import Ledger, child_entry, group_entry, users_part
from supervisor.tree import LOG
from tests.unit.supervision.scene import W0, Scene, actor, acts, child, group, pool, workers


def tree() -> Scene:
    """A tree in which much has happened."""
    scene = Scene(
        workers(1),
        child("a"),
        group(
            "g",
            child("b"),
            group("h", child("c"), strategy="one_for_all"),
            child("d", restart="temporary"),
            intensity=3,
        ),
        pool("p", 2, 1),
        log=True,
    ).up()
    scene.run(scene.add(child("late", standbys=1)))
    scene.run(scene.died("g.b"))
    scene.wait(1.0)
    scene.run(scene.ask(r.Terminate(member="child/a")))
    scene.run(scene.ask(r.Resize(member="p", size=3)))
    scene.wait(0.5)
    return scene


def test_ledger_round_trip() -> None:
    """Write, pickle, read, write: the same; what lived is to be adopted."""
    ledger = tree().machine.ledger()
    read = Scene(workers(1), log=True, ledger=pickle.loads(pickle.dumps(ledger)))
    again = read.machine.ledger()
    assert [entry.plan for entry in again.children] != []
    assert {
        entry.plan.key: (entry.plan, entry.incarnation, entry.last, entry.restarts) for entry in again.children
    } == {entry.plan.key: (entry.plan, entry.incarnation, entry.last, entry.restarts) for entry in ledger.children}
    assert {entry.plan.path: entry for entry in again.groups} == {entry.plan.path: entry for entry in ledger.groups}
    assert read.statuses()["a"] == "stopped"
    assert read.statuses()["g.b"] == "waiting"


def test_no_instant_crosses_a_process() -> None:
    """The clock of another machine says something else; restarts are told by their age."""
    scene = tree()
    entry = next(entry for entry in scene.machine.ledger().groups if entry.plan.path == "g")
    assert entry.restarted_ago_s == (1.5,)
    read = Scene(ledger=scene.machine.ledger())
    assert read.machine._s.groups["g"].restarted_at == (read.now - 1.5,)


def test_an_empty_ledger_changes_nothing() -> None:
    assert Scene(child("a"), ledger=Ledger()).statuses() == {"a": "waiting"}


def test_the_order_of_members_is_kept() -> None:
    before = Scene(child("a"), group("g", child("b")), child("c")).up()
    before.ask(r.Change(order=("child/c", "g", "child/a")))
    scene = Scene(child("a"), ledger=before.machine.ledger())
    assert scene.group("root").members == ("child/c", "g", "child/a")


def test_entries_whose_group_is_unknown_are_left_out() -> None:
    ledger = users_part(tree().machine.ledger())
    assert LOG not in {entry.plan.key for entry in ledger.children}
    assert W0 not in {entry.plan.key for entry in ledger.children}
    assert {entry.plan.path for entry in ledger.groups} == {"root", "g", "g.h", "p"}
    orphaned = Ledger(
        children=ledger.children, groups=tuple(entry for entry in ledger.groups if entry.plan.path in ("root", "g.h"))
    )
    assert set(Scene(ledger=orphaned).statuses()) == {"a", "late"}


def test_a_ledger_made_of_plans_alone_is_enough() -> None:
    """What children hold of themselves says neither how often they were restarted nor in which order they stand."""
    plans = tree().machine.ledger()
    ledger = Ledger(
        children=tuple(child_entry(entry.plan) for entry in plans.children if entry.plan.key != W0),
        groups=tuple(group_entry(entry.plan) for entry in plans.groups),
    )
    scene = Scene(workers(1), log=True, ledger=ledger)
    assert scene.run(scene.lead(actor("g.b", 2), actor("g.b", 1, alive=False), actor("p-3", 1), succeeds=True))[:2] == [
        *("adopt g.b#2", "adopt p-3#1")
    ]
    assert scene.statuses()[W0] == "running"
    assert scene.incarnations()["g.b"] == 2


def test_who_awaits_its_first_start_awaits_it_still_and_who_had_lived_was_down() -> None:
    before = Scene(group("g", child("a"), child("b")))
    before.lead()
    read = Scene(ledger=before.machine.ledger())
    assert read.statuses() == {"g.a": "waiting", "g.b": "waiting"}
    before = Scene(group("g", child("a"), child("b"), strategy="one_for_all")).up()
    before.run(before.died("g.a"), fails=["g.a"])
    read = Scene(ledger=before.machine.ledger())
    assert read.statuses() == {"g.a": "restarting", "g.b": "restarting"}


def test_who_comes_back_from_a_subtree_counts_on_from_the_lives_that_it_had_there() -> None:
    """Callers and actors know a life by its number: that of a dead one is given to nobody."""
    there = tree()
    there.run(there.ask(r.Terminate(member="child/late")))
    there.run(there.ask(r.Delete(member="child/late")))
    left = there.machine.ledger()
    here = Scene().up()
    here.machine.remember_numbers(left)
    lives = {entry.plan.child: entry.last for entry in left.children if entry.last} | {"late": 2}
    assert lives["g.b"] == 2
    for name in ("a", "late"):
        assert acts(here.add(child(name)))[0] == f"start {name}#{lives[name] + 1}"
