"""Who steps in, and who goes; the rules for a child's standbys are in the test matrix."""

from __future__ import annotations

from supervisor import requests as r
from supervisor.tree import ChildPlan
from tests.unit.supervision.scene import NODE, OTHER, THIRD, Scene, actor, acts, child, said


def test_the_oldest_that_is_ready_on_a_node_that_stays_steps_in() -> None:
    scene = Scene(child("a", standbys=3), nodes=(NODE, OTHER, THIRD))
    scene.lead()
    scene.ready("a", node=THIRD)
    heir, a = scene.machine._lives.standbys.heir, scene.machine._s.children["child/a"]
    assert heir(a) is a.lives[2], "nobody is ready: the oldest"
    scene.stands_by("a", 4, node=NODE)
    assert heir(a) is a.lives[4]
    scene.stands_by("a", 3, node=OTHER)
    assert heir(a) is a.lives[3]
    scene.machine._s.draining = frozenset((OTHER,))
    assert heir(a) is a.lives[4]
    scene.machine._s.draining = frozenset((OTHER, NODE))
    assert heir(a) is a.lives[3]


def test_one_that_has_the_state_steps_in_rather_than_an_older_one_that_has_not() -> None:
    scene = Scene(child("a", standbys=2), nodes=(NODE, OTHER))
    scene.lead()
    scene.ready("a")
    scene.stands_by("a", 2, node=NODE)
    scene.stands_by("a", 3, node=OTHER)
    scene.attended("a", 3)
    assert scene.child("a").standbys == ("s/child/a#3",)
    scene.attended("a", 2, by=7)
    assert scene.child("a").standbys == ("s/child/a#3",), "that life is not the accepted one"
    assert said(scene.died("a"))[:2] == ["restart a crash", "promote a#3"]
    assert scene.child("a").standbys == (), "nobody has the new life's state yet"


def test_the_accepted_life_is_asked_again_about_a_standby_that_did_not_get_its_state() -> None:
    scene = Scene(child("a", standbys=2), nodes=(NODE, OTHER))
    scene.lead()
    scene.ready("a")
    scene.stands_by("a", 2, node=NODE)
    assert "attend a#1: 2 3" in said(scene.stands_by("a", 3, node=OTHER))
    scene.attended("a", 2)
    assert said(scene.wait(0.9)) == []
    assert "attend a#1: 2 3" in said(scene.wait(0.2))
    scene.attended("a", 2, 3)
    assert scene.child("a").standbys == ("s/child/a#2", "s/child/a#3")
    assert not any(word.startswith("attend") for word in said(scene.wait(5.0)))


def test_later_standbys_stay_when_an_earlier_one_steps_in() -> None:
    scene = Scene(child("a", standbys=2)).up()
    assert said(scene.died("a")) == ["restart a crash", "promote a#2", "attend a#2: 3"]
    assert said(scene.wait(0.1)) == ["start a#4 standby"]


def test_those_on_nodes_that_go_are_surplus_first() -> None:
    scene = Scene(child("a", standbys=2), nodes=(NODE, OTHER, THIRD))
    scene.lead()
    scene.ready("a", node=THIRD)
    scene.stands_by("a", 2, node=NODE)
    scene.stands_by("a", 3, node=OTHER)
    scene.machine._s.draining = frozenset((NODE,))
    assert "attend a#1: 3" in said(scene.ask(r.Resize(member="child/a", standbys=1)))
    assert acts(scene.attended("a", 3)) == ["kill a#2"]


def test_a_standby_too_many_steps_in_until_the_one_that_serves_can_do_without_it() -> None:
    scene = Scene(child("a", standbys=1)).up()
    assert said(scene.ask(r.Resize(member="child/a", standbys=0), "r")) == ["attend a#1:", "answer r ok"]
    assert said(scene.attended("a", 2)) == [], "that was asked before"
    assert said(scene.died("a")) == ["restart a crash", "promote a#2"]
    assert scene.child("a").incarnation == 2


def test_a_standby_too_many_ends_once_the_one_that_serves_says_so_which_it_is_asked_till_then() -> None:
    scene = Scene(child("a", standbys=1)).up()
    scene.ask(r.Resize(member="child/a", standbys=0))
    assert acts(scene.wait(0.9)) == []
    for _ in range(3):
        assert "attend a#1:" in said(scene.wait(1.0))
    assert acts(scene.attended("a")) == ["kill a#2"]
    scene.died("a", "killed", 2)
    assert not any(word.startswith("attend") for word in said(scene.wait(5.0)))


def test_a_standby_that_is_let_go_does_not_count_and_another_is_begun() -> None:
    scene = Scene(child("a", standbys=1)).up()
    scene.ask(r.Resize(member="child/a", standbys=0))
    assert acts(scene.ask(r.Resize(member="child/a", standbys=1))) == ["start a#3 standby"]
    assert acts(scene.attended("a")) == ["kill a#2"]


def test_a_new_leader_lets_one_go_in_the_same_way() -> None:
    before = Scene(child("a", standbys=1)).up()
    before.ask(r.Resize(member="child/a", standbys=0))
    scene = Scene(incarnation=3, ledger=before.machine.ledger())
    scene.lead(actor("a", 1), actor("a", 2))
    assert said(scene.ready("a")) == ["attend a#1:"]
    assert acts(scene.attended("a")) == ["kill a#2"]


def test_nothing_is_begun_for_a_child_that_does_not_serve() -> None:
    scene = Scene(child("a", standbys=1))
    scene.lead()
    assert said(scene.ask(r.Resize(member="child/a", standbys=2), "r")) == ["answer r ok"]
    assert acts(scene.ready("a")) == ["start a#2 standby", "start a#3 standby"]


def test_nothing_is_begun_during_the_shutdown() -> None:
    scene = Scene(child("a", standbys=1), child("b")).up()
    scene.shut_down()
    scene.died("a", "killed", 2)
    assert acts(scene.wait(1.0)) == []


def test_a_services_accepted_life_is_not_told_of_standbys() -> None:
    """Only children replicate their state."""
    scene = Scene().up()
    scene.machine._s.add_child(ChildPlan(key="worker/x", standbys=1))
    scene.machine._lives.start(scene.machine._s.children["worker/x"])
    assert said(scene.ready("worker/x")) == ["start worker/x#1", "start worker/x#2 standby"]
    assert said(scene.stands_by("worker/x", 2)) == []
