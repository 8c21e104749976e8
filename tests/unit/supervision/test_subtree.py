"""A group that is a supervisor of its own: what each of its lives begins with, and what its end is to the one above."""

from __future__ import annotations

from typing import Any

from supervisor import messages as m
from supervisor import requests as r
from supervisor.supervision.ledger import Ledger
from supervisor.supervision.machine import SupervisorMachine
from supervisor.supervision.subtree import at_rest, beginning, was_ended
from supervisor.tree import TOP, ChildPlan, GroupPlan
from tests.unit.supervision.scene import CALM, Scene, Spec, Steady, actor, child, group, only, plans, said


class Far(Scene):
    """The machine of one life of the subtree `far`, and what it was left."""

    def __init__(self, *members: Spec, left: Ledger | None = None, lives: bool = False, **settings: Any) -> None:
        wanted = plans(group("far", *members, **settings), TOP)
        super().__init__()
        # The path of a group directly under the top is its own name.
        groups = tuple(GroupPlan(path="far", parent=TOP, backoff=CALM, **settings) for _ in wanted.groups[:1])
        children = tuple(ChildPlan(key=f"child/far.{spec.name}", group="far", **spec.settings) for spec in members)
        order = ("far", *(plan.key for plan in children))
        self.begun = beginning(groups, children, order, left, any_alive=lives)
        self.machine = SupervisorMachine(
            supervisor="s",
            incarnation=1,
            groups=self.begun.groups,
            children=self.begun.children,
            order=self.begun.order,
            rng=Steady(),
            ledger=self.begun.ledger,
            now=self.now,
        )

    def begin(self, *actors: m.KnownActor) -> list[m.Command]:
        return self.lead(*actors, succeeds=self.begun.succeeds)

    def up(self) -> Far:
        self.run(self.begin())
        return self


def next_life(far: Scene, **settings: Any) -> Far:
    return Far(child("a"), child("b"), left=far.machine.ledger(), **settings)


# -- what a life begins with ------------------------------------------------------------------------------------------


def test_a_first_life_starts_all_of_its_recipe() -> None:
    assert [text for text in said(Far(child("a"), child("b")).begin()) if text.startswith("start")] == ["start far.a#1"]


def test_the_life_after_an_asked_for_end_starts_all_again() -> None:
    """Its children are listed dead, and its predecessor's last word was that they are stopped."""
    far = Far(child("a"), child("b"), intensity=5).up()
    far.run(far.shut_down())
    again = next_life(far)
    heard = again.run(again.begin(actor("far.a", 1, alive=False), actor("far.b", 1, alive=False)))
    assert [text for text in heard if text.startswith(("start", "restart"))] == ["start far.a#2", "start far.b#2"]
    assert again.statuses() == {"far.a": "running", "far.b": "running"}
    assert again.group("far").status == "running"


def test_the_life_after_one_that_was_killed_while_it_ended_starts_all_again() -> None:
    far = Far(child("a"), child("b")).up()
    far.shut_down()
    assert was_ended(far.machine.ledger())
    again = next_life(far)
    commands = again.begin(actor("far.a", 1, alive=False), actor("far.b", 1, alive=False))
    assert only(commands, m.Finish) == []
    again.run(commands)
    assert again.statuses() == {"far.a": "running", "far.b": "running"}
    assert not again.machine.view().stopping


def test_the_life_after_one_that_was_over_its_intensity_starts_all_again_with_a_new_allowance() -> None:
    far = Far(child("a"), child("b"), intensity=1).up()
    for _ in range(2):
        far.run(far.died("far.a"))
    assert far.group("far").status == "given_up"
    again = next_life(far).up()
    assert again.statuses() == {"far.a": "running", "far.b": "running"}
    again.run(again.died("far.a"))
    assert again.group("far").status == "running"


def test_the_life_after_an_unexpected_death_adopts_what_lives_and_leaves_alone_what_was_ended() -> None:
    far = Far(child("a"), child("b")).up()
    far.run(far.ask(r.Terminate(member="child/far.b")))
    again = next_life(far)
    assert said(again.begin(actor("far.a", 1), actor("far.b", 1, alive=False))) == ["adopt far.a#1"]
    assert again.statuses() == {"far.a": "starting", "far.b": "stopped"}


def test_all_that_was_ended_stays_so_after_an_unexpected_death() -> None:
    far = Far(child("a")).up()
    far.run(far.ask(r.Terminate(member="child/far.a")))
    again = next_life(far)
    assert said(again.begin()) == []
    assert again.statuses() == {"far.a": "stopped"}


def test_what_was_deleted_or_is_temporary_does_not_come_back_with_the_recipe() -> None:
    far = Far(child("a"), child("b", restart="temporary")).up()
    far.run(far.ask(r.Terminate(member="child/far.a")))
    far.ask(r.Delete(member="child/far.a"))
    kept = at_rest(far.machine.ledger())
    assert [entry.plan.key for entry in kept.children] == []
    assert dict(kept.numbers) == {"child/far.a": 1, "child/far.b": 1}, "a later child of the name counts on"
    again = Far(child("a"), child("b", restart="temporary"), left=kept).up()
    assert again.statuses() == {}
    assert again.group("far").status == "running"


def test_a_temporary_group_at_rest_is_forgotten_with_all_in_it() -> None:
    far = Scene(group("far", child("a"), group("t", child("b"), restart="temporary"))).up()
    kept = at_rest(far.machine.ledger())
    assert [entry.plan.key for entry in kept.children] == ["child/far.a"]
    assert "far.t" not in {member for entry in kept.groups for member in (entry.plan.path, *entry.members)}
    assert {entry.status for entry in (*kept.groups, *kept.children)} == {"stopped"}


def test_what_its_predecessor_could_not_tell_any_more_is_adopted() -> None:
    """The one above knows of its end, and not yet of the life after that, which died at once."""
    far = Far(child("a"), child("b")).up()
    far.run(far.shut_down())
    again = next_life(far)
    heard = said(again.begin(actor("far.a", 1), actor("far.a", 2)))
    assert heard == ["kill far.a#1", "adopt far.a#2"]


def test_without_a_memory_it_adopts_what_lives_and_starts_over_when_nothing_does() -> None:
    assert Far(child("a"), lives=True).begun.succeeds
    assert not Far(child("a")).begun.succeeds
    assert said(Far(child("a")).begin(actor("far.a", 3, alive=False))) == ["start far.a#4"]


# -- its own end ------------------------------------------------------------------------------------------------------


def test_a_subtree_over_its_intensity_ends_whatever_its_restart_type() -> None:
    for restart in ("permanent", "transient", "temporary"):
        far = Far(child("a"), child("b"), intensity=0, restart=restart).up()
        commands = far.died("far.a", detail="once too often")
        heard = far.run(commands)
        assert heard[-1] == "finish", restart
        assert far.machine.ending == ("shutdown", "child/far.a: once too often")
        assert was_ended(far.machine.ledger())


def test_a_subtree_whose_significant_children_ended_ends() -> None:
    far = Far(
        child("a", significant=True, restart="transient"),
        child("b"),
        auto_shutdown="any_significant",
        restart="transient",
    ).up()
    assert far.run(far.died("far.a", "normal"))[-1] == "finish"
    assert far.machine.ending == ("shutdown", "its significant children ended")


def test_a_subtree_that_cannot_start_ends_as_crashed() -> None:
    far = Far(child("a"), child("b"), restart="transient")
    assert far.run(far.begin(), fails=("far.b",))[-1] == "finish"
    assert far.machine.ending == ("crash", "child/far.b: no")


def test_a_subtree_that_is_asked_to_end_ends_in_reverse_order() -> None:
    far = Far(child("a"), child("b"), restart="transient").up()
    heard = far.run(far.shut_down())
    assert [text for text in heard if text.startswith("ask")] == ["ask far.b#1", "ask far.a#1"]
    assert heard[-1] == "finish"


# -- seen from above --------------------------------------------------------------------------------------------------


def above(*others: Spec, **settings: Any) -> Scene:
    """A tree with the subtree `supervisor/far` as the last member of the group `g`."""
    scene = Scene(group("g", *others, **settings))
    scene.machine._s.add_child(ChildPlan(key="supervisor/far", group="g", shutdown_s="infinity"))
    return scene.up()


def reaps(heard: list[str]) -> list[str]:
    return [text for text in heard if text.startswith(("reap", "start supervisor"))]


def test_what_ended_with_its_siblings_is_reaped_before_it_begins_again() -> None:
    for strategy in ("one_for_all", "rest_for_one"):
        scene = above(child("a"), strategy=strategy)
        assert reaps(scene.run(scene.died("g.a"))) == ["reap far", "start supervisor/far#2"], strategy


def test_what_gave_up_is_reaped_before_it_begins_again() -> None:
    scene = above()
    scene.announce("supervisor/far", "shutdown")
    assert reaps(scene.run(scene.died("supervisor/far", "killed"))) == ["reap far", "start supervisor/far#2"]


def test_what_died_unexpectedly_is_not_reaped() -> None:
    scene = above()
    assert reaps(scene.run(scene.died("supervisor/far", "killed"))) == ["start supervisor/far#2"]


def test_what_was_dead_when_its_siblings_were_ended_is_reaped_too() -> None:
    scene = above(child("a"), strategy="rest_for_one")
    for _ in range(2):  # the second restart waits
        scene.run(scene.died("supervisor/far", "killed"))
    assert scene.child("supervisor/far").status == "restarting"
    assert "reap far" in said(scene.died("g.a"))
