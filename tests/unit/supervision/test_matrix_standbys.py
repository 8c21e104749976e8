"""The test matrix: standbys of a child, and moving it away from a node that is about to go."""

from __future__ import annotations

from typing import Any

from supervisor import messages as m
from supervisor import requests as r
from supervisor.recipes import plans_of
from supervisor.specs import ChildSpec, GroupSpec
from supervisor.tree import ROOT
from tests.unit.specs.scene import Cart
from tests.unit.supervision.scene import NODE, OTHER, THIRD, Scene, acts, child, group, only, records, said


def test_a_standby_is_begun_when_the_child_serves() -> None:
    scene = Scene(child("a", standbys=2))
    scene.lead()
    assert said(scene.ready("a")) == ["start a#2 standby", "start a#3 standby"]
    commands = scene.stands_by("a", 3)
    assert records(commands) == ["a#3 ready"]
    assert said(commands) == ["attend a#1: 3"]
    assert scene.child("a").standbys == (), "it has no state yet"
    scene.attended("a", 3)
    assert scene.child("a").standbys == ("s/child/a#3",)
    assert said(scene.stands_by("a", 2)) == ["attend a#1: 2 3"]


def test_promotion_at_once_with_a_new_standby() -> None:
    """Announced first: callers wait for it, and their call activates it. The new one, a heavy start, comes later."""
    scene = Scene(child("a", standbys=1)).up()
    commands = scene.died("a")
    assert commands[1:] == [
        *only(commands, m.RecordRestart),
        m.Publish(),
        m.PromoteChild(key="child/a", incarnation=2),
        *(command for command in commands if isinstance(command, m.RecordChild) and command.event == "promoted"),
    ]
    assert scene.wait(0.1) == [m.StartChild(key="child/a", incarnation=3, standby=True)]
    assert only(commands, m.RecordRestart)[0].to_incarnation == 2
    assert (scene.child("a").status, scene.child("a").incarnation) == ("running", 2)


def test_a_promotion_counts_as_a_restart() -> None:
    scene = Scene(child("a", standbys=1), root={"intensity": 1}).up()
    scene.run(scene.died("a"))
    scene.run(scene.wait(0.1))
    assert scene.run(scene.died("a")) == ["ask a#3", "kill a#3", "escalate root"]
    assert scene.child("a").status == "given_up"


def test_a_ready_standby_does_not_wait_for_the_backoff() -> None:
    scene = Scene(child("a", standbys=1)).up()
    for incarnation in range(2, 6):
        assert f"promote a#{incarnation}" in said(scene.died("a"))
        scene.wait(0.1)
        scene.stands_by("a", incarnation + 1)


def test_a_hung_child_is_fenced_before_its_standby_serves() -> None:
    scene = Scene(child("a", standbys=1)).up()
    commands = scene.unhealthy("a")
    assert said(commands)[:3] == ["kill a#1", "restart a crash", "promote a#2"]
    assert commands.index(m.Publish()) < commands.index(only(commands, m.KillChild)[0])


def test_a_standby_that_is_still_starting_is_accepted_when_the_active_one_dies() -> None:
    scene = Scene(child("a", standbys=1))
    scene.lead()
    scene.ready("a")
    commands = scene.died("a")
    assert said(commands) == ["restart a crash"]
    assert m.Publish() in commands
    assert (scene.child("a").status, scene.child("a").incarnation) == ("starting", 2)
    assert said(scene.stands_by("a", 2)) == ["promote a#2", "start a#3 standby"]
    assert scene.child("a").status == "running"


def test_an_accepted_standby_that_fails_to_start_is_a_failed_restart() -> None:
    scene = Scene(child("a", standbys=1))
    scene.lead()
    scene.ready("a")
    scene.died("a")
    assert said(scene.failed("a")) == ["kill a#2", "restart a crash"]
    assert acts(scene.wait(0.1)) == ["start a#3"]


def test_an_accepted_standby_that_ignores_leaves_no_others() -> None:
    scene = Scene(child("a", standbys=2))
    scene.lead()
    scene.ready("a")
    scene.died("a")
    assert said(scene.ignored("a")) == ["kill a#2", "kill a#3"]
    assert scene.statuses() == {"a": "ignored"}


def test_no_earlier_life_is_accepted_after_a_later_one() -> None:
    """The ready one steps in; the older one that still starts has been passed over."""
    scene = Scene(child("a", standbys=2))
    scene.lead()
    scene.ready("a")
    scene.stands_by("a", 3)
    assert said(scene.died("a")) == [*("restart a crash", "promote a#3", "kill a#2")]
    assert said(scene.wait(0.1)) == ["start a#4 standby", "start a#5 standby"]
    assert scene.stands_by("a", 2) == []


def test_standby_lost_and_refilled() -> None:
    scene = Scene(child("a", standbys=1)).up()
    commands = scene.died("a", "killed", 2)
    assert records(commands) == ["a#2 died: killed: gone"]
    assert said(commands) == ["attend a#1:"]
    assert scene.child("a").standbys == ()
    assert acts(scene.wait(0.0)) == ["start a#3 standby"]
    assert (scene.child("a").restarts, scene.child("a").last_error) == (0, "")


def test_failing_standbys_are_begun_ever_more_seldom() -> None:
    scene = Scene(child("a", standbys=1))
    scene.lead()
    scene.ready("a")
    began: list[float] = []
    life = 2
    for _ in range(5):
        scene.failed("a", life)
        since = scene.now
        while not acts(scene.wait(0.001)):
            pass
        began.append(round(scene.now - since, 2))
        life += 1
    assert began == [0.0, 0.1, 0.2, 0.4, 0.8]
    scene.stands_by("a", life)
    for _ in range(5):
        scene.wait(1.0)
        scene.answered("a", 1)
        scene.answered("a", life)
    scene.died("a", "killed", life)
    assert acts(scene.wait(0.0)) == ["start a#8 standby"], "one that was ready for long is replaced at once"


def test_an_ignored_standby_leaves_the_child_as_it_is() -> None:
    scene = Scene(child("a", standbys=1))
    scene.lead()
    scene.ready("a")
    assert said(scene.ignored("a", 2)) == ["kill a#2"]
    assert scene.statuses() == {"a": "running"}


def test_resize_live() -> None:
    scene = Scene(child("a")).up()
    assert said(scene.ask(r.Resize(member="child/a", standbys=2), "r")) == [
        *("start a#2 standby", "start a#3 standby", "answer r ok")
    ]
    scene.stands_by("a", 2)
    scene.stands_by("a", 3)
    assert said(scene.ask(r.Resize(member="child/a", standbys=1), "s")) == [*("attend a#1: 2", "answer s ok")]
    assert said(scene.attended("a", 2)) == ["kill a#3"]
    assert said(scene.ask(r.Resize(member="child/a", standbys=0), "t")) == ["attend a#1:", "answer t ok"]
    assert said(scene.attended("a")) == ["kill a#2"]
    assert said(scene.ask(r.Resize(member="child/a"), "u")) == ["answer u ok"]


def test_standbys_end_with_their_child() -> None:
    scene = Scene(child("a", standbys=2)).up()
    assert said(scene.ask(r.Terminate(member="child/a"), "r")) == ["ask a#1"]
    assert said(scene.stopped("a")) == ["kill a#2", "kill a#3", "kill a#1"]
    scene.died("a")
    scene.died("a", "killed", 2)
    assert said(scene.died("a", "killed", 3)) == ["answer r ok"]


def test_a_standby_that_ignores_while_it_is_ended_has_ended() -> None:
    scene = Scene(child("a", standbys=1))
    scene.lead()
    scene.ready("a")
    scene.ask(r.Terminate(member="child/a"), "r")
    scene.died("a")
    assert said(scene.ignored("a", 2)) == ["kill a#2", "answer r ok"]


def test_standbys_of_a_child_that_stays_away_are_ended() -> None:
    scene = Scene(child("a", standbys=1, restart="transient")).up()
    assert said(scene.died("a", "normal")) == ["kill a#2"]


def test_bystanders_of_a_restart_come_back_by_their_standbys() -> None:
    scene = Scene(group("g", child("a", standbys=1), child("b", standbys=1), strategy="one_for_all")).up()
    done = scene.run(scene.died("g.a"))
    assert [text for text in done if "standby" not in text and "attend" not in text] == [
        *("restart g.a crash", "ask g.b#1", "kill g.b#1", "promote g.a#2", "promote g.b#2")
    ]


# -- places ----------------------------------------------------------------------------------------------------------


def test_a_standby_is_placed_on_another_node() -> None:
    scene = Scene(child("a", standbys=1), nodes=(NODE, OTHER))
    scene.lead()
    assert "start a#2 standby on o" in said(scene.ready("a", node=NODE))


def test_standbys_of_one_child_are_spread() -> None:
    scene = Scene(child("a", standbys=2), nodes=(NODE, OTHER, THIRD))
    scene.lead()
    assert acts(scene.ready("a", node=NODE)) == ["start a#2 standby on o", "start a#3 standby on p"]


def test_where_there_is_no_other_node_a_standby_beside_it_is_better_than_none() -> None:
    scene = Scene(child("a", standbys=1), nodes=(NODE,))
    scene.lead()
    assert "start a#2 standby" in said(scene.ready("a", node=NODE))


def test_a_child_that_is_bound_to_a_node_starts_there_with_its_standbys() -> None:
    scene = Scene(child("a", standbys=1, node_id=OTHER), nodes=(NODE, OTHER))
    assert "start a#1 on o" in said(scene.lead())
    assert "start a#2 standby on o" in said(scene.ready("a", node=OTHER))


def test_the_emptiest_node_is_chosen() -> None:
    scene = Scene(child("a"), child("b"), child("c", standbys=1), nodes=(NODE, OTHER, THIRD))
    scene.lead()
    for name, node in (("a", OTHER), ("b", THIRD), ("c", NODE)):
        scene.ready(name, node=node)
    scene.died("a")
    scene.ready("a", node=THIRD)
    scene.died("c", "killed", 2)
    assert acts(scene.wait(0.0)) == ["start c#3 standby on o"]


# -- draining nodes --------------------------------------------------------------------------------------------------


def drained(*specs: object, **settings: object) -> Scene:
    """Everything runs on a node that is about to go; there is another one."""
    scene = Scene(*specs, nodes=(NODE, OTHER), **settings)  # type: ignore[arg-type] - specs of a scene
    scene.run(scene.lead())
    return scene


def test_migration_off_a_draining_node() -> None:
    """Another life is ready elsewhere before this one is asked to end; it counts against nothing."""
    scene = drained(child("a"), root={"intensity": 0})
    assert acts(scene.see(NODE, OTHER, draining=(NODE,))) == ["start a#2 standby on o"]
    commands = scene.stands_by("a", 2, node=OTHER)
    assert records(commands) == ["a#2 ready", "a#1 draining: its node is about to go"]
    assert said(commands) == ["attend a#1: 2", "ask a#1"]
    scene.stopped("a")
    commands = scene.died("a", "killed")
    assert said(commands)[:2] == ["restart a preempted", "promote a#2"]
    assert scene.child("a").status == "running"
    assert scene.child("a").location is not None
    assert acts(scene.see(OTHER)) == [f"kill node_agent/{NODE[:12]}#1"], "it has gone, and took nobody along"


def test_a_standby_elsewhere_takes_over_at_once() -> None:
    scene = drained(child("a", standbys=1))
    assert said(scene.see(NODE, OTHER, draining=(NODE,))) == ["ask a#1"]
    assert said(scene.died("a"))[:2] == ["restart a preempted", "promote a#2"]


def test_standbys_leave_too() -> None:
    scene = Scene(child("a", standbys=1), nodes=(NODE, OTHER, THIRD))
    scene.run(scene.lead())
    assert said(scene.see(NODE, OTHER, THIRD, draining=(OTHER,))) == [*("attend a#1:", "start a#3 standby on p")]
    assert acts(scene.attended("a")) == ["kill a#2"]


def test_a_standby_for_the_move_that_fails_is_begun_again() -> None:
    scene = drained(child("a"))
    scene.see(NODE, OTHER, draining=(NODE,))
    scene.failed("a", 2)
    assert acts(scene.wait(0.0)) == ["start a#3 standby on o"]
    assert "ask a#1" in said(scene.stands_by("a", 3, node=OTHER))


def test_a_child_that_comes_up_on_a_draining_node_moves_on() -> None:
    scene = drained(child("a"))
    scene.died("a")
    scene.see(NODE, OTHER, draining=(NODE,))
    assert acts(scene.ready("a", node=NODE)) == ["start a#3 standby on o"]


def test_which_nodes_are_about_to_go_is_announced_also_where_nobody_has_to_move() -> None:
    scene = drained(child("a"))
    for draining in ((OTHER,), ()):
        assert m.Publish() in scene.see(NODE, OTHER, draining=draining)
        assert scene.machine.view().draining == draining
    assert m.Publish() not in scene.see(NODE, OTHER)


def test_new_lives_avoid_draining_nodes() -> None:
    scene = drained(child("a"), child("b", node_id=NODE))
    scene.see(NODE, OTHER, draining=(NODE,))
    scene.died("a", "killed", 2)
    scene.wait(1.0)
    scene.died("a", "killed", 3)
    assert acts(scene.died("a")) == ["start a#4 on o"]
    assert acts(scene.died("b")) == ["start b#2 on n"], "it must run there"


def test_nothing_moves_where_there_is_nowhere_to_go() -> None:
    scene = Scene(child("a", standbys=1), nodes=(NODE,)).up()
    assert said(scene.see(NODE, draining=(NODE,))) == []
    assert said(scene.died("a"))[:2] == ["restart a crash", "promote a#2"]


def test_whoever_is_bound_to_its_node_or_has_only_this_life_stays() -> None:
    scene = drained(child("a", node_id=NODE), child("t", restart="temporary"), child("s", share="p"), log=True)
    assert said(scene.see(NODE, OTHER, draining=(NODE,))) == []


def bound(**settings: Any) -> Scene:
    """`a` is of a real spec that names its node, which Ray has under another name."""
    spec = ChildSpec(name="a", cls=Cart, node="10.0.0.7", **settings)
    scene = Scene(nodes=(NODE, OTHER)).up()
    scene.run(scene.ask(plans_of(spec, parent=ROOT, origin="code"), "r"))
    return scene


def test_the_node_that_a_spec_names_is_found_by_the_shell() -> None:
    scene = Scene(nodes=(NODE, OTHER)).up()
    spec = ChildSpec(name="a", cls=Cart, node="10.0.0.7", standbys=1)
    assert acts(scene.ask(plans_of(spec, parent=ROOT, origin="code"), "r")) == ["start a#1"]
    assert acts(scene.ready("a")) == ["start a#2 standby"]
    scene.see(NODE, OTHER, draining=(NODE,))
    scene.failed("a", 2)
    assert acts(scene.died("a")) == ["start a#3"], "no other node is asked for"


def test_a_child_that_is_bound_to_a_node_that_goes_stays_to_the_end_with_its_standby() -> None:
    """Also when a healer keeps work off its node, and when that is over."""
    scene = bound(standbys=1)
    before = scene.child("a")
    assert said(scene.see(NODE, OTHER, draining=(NODE,))) == []
    assert said(scene.see(NODE, OTHER, draining=(NODE, OTHER))) == []
    assert said(scene.see(NODE, OTHER)) == []
    assert scene.child("a") == before
    assert before.standbys == ("s/child/a#2",)


def test_the_standby_of_a_child_that_is_bound_steps_in_on_a_node_that_goes() -> None:
    scene = bound(standbys=1)
    scene.see(NODE, OTHER, draining=(NODE,))
    assert said(scene.died("a"))[:2] == ["restart a crash", "promote a#2"]


def test_a_child_that_is_bound_gets_no_standby_to_move_with() -> None:
    assert said(bound().see(NODE, OTHER, draining=(NODE,))) == []


def test_a_group_with_a_supervisor_of_its_own_is_bound_likewise() -> None:
    spec = GroupSpec(name="g", supervisor=True, node="10.0.0.7", children=(ChildSpec(name="a", cls=Cart),))
    scene = Scene(nodes=(NODE, OTHER)).up()
    scene.see(NODE, OTHER, draining=(OTHER,))
    assert acts(scene.ask(plans_of(spec, parent=ROOT, origin="code"), "r")) == ["start supervisor/g#1"]


def test_a_drain_that_is_called_off_leaves_everything_as_it_was() -> None:
    scene = drained(child("a"))
    scene.see(NODE, OTHER, draining=(NODE,))
    assert said(scene.see(NODE, OTHER)) == ["kill a#2"]
    assert scene.child("a").standbys == ()
    assert scene.child("a").incarnation == 1


def test_a_migrating_child_that_is_ended_stays_ended() -> None:
    scene = drained(child("a"))
    scene.see(NODE, OTHER, draining=(NODE,))
    scene.stands_by("a", 2, node=OTHER)
    assert said(scene.ask(r.Terminate(member="child/a"), "r")) == []
    assert said(scene.stopped("a")) == ["kill a#2", "kill a#1"]
    scene.died("a", "killed", 2)
    assert said(scene.died("a")) == ["answer r ok"]


def test_a_migrating_child_that_announces_its_orderly_end_moves_all_the_same() -> None:
    scene = drained(child("a", restart="transient"))
    scene.see(NODE, OTHER, draining=(NODE,))
    scene.stands_by("a", 2, node=OTHER)
    scene.announce("a", "normal")
    assert "promote a#2" in said(scene.died("a", "normal"))


def test_a_migrating_childs_successor_that_dies_meanwhile_is_replaced_elsewhere() -> None:
    scene = drained(child("a"))
    scene.see(NODE, OTHER, draining=(NODE,))
    scene.stands_by("a", 2, node=OTHER)
    scene.died("a", "killed", 2)
    assert said(scene.died("a")) == ["restart a preempted", "start a#3 on o"]
