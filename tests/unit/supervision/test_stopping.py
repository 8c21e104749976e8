"""A child ends on request: whoever still holds its state puts it away first, and whoever does not is not asked."""

from __future__ import annotations

import pytest

from supervisor import requests as r
from supervisor.supervision.stopping import GONE_S
from tests.unit.supervision.scene import Scene, actor, acts, child, group, said
from tests.unit.supervision.test_matrix_adoption import successor


def ended(scene: Scene, name: str) -> list[str]:
    return said(scene.ask(r.Terminate(member=f"child/{name}"), "r"))


def test_standbys_wait_until_the_accepted_one_has_put_its_state_away() -> None:
    scene = Scene(child("a", standbys=2)).up()
    assert ended(scene, "a") == ["ask a#1"]
    assert said(scene.stopped("a")) == ["kill a#2", "kill a#3", "kill a#1"]
    assert scene.run([command for number in (1, 2, 3) for command in scene.died("a", "killed", number)]) == [
        "answer r ok"
    ]


@pytest.mark.parametrize("how", ["died", "raised", "out of time", "gone before it was asked"])
def test_where_it_could_not_a_standby_does(how: str) -> None:
    """The calls that it had answered are held nowhere else."""
    scene = Scene(group("g", child("a", standbys=2), child("b"))).up()
    if how == "gone before it was asked":
        scene.ask(r.Terminate(member="g"), "r")
        assert said(scene.died("g.a")) == ["ask g.a#2"]
        scene.run(scene.stopped("g.b"))
    else:
        assert ended(scene, "g.a") == ["ask g.a#1"]
        if how == "raised":
            assert said(scene.stopped("g.a", in_order=False)) == ["kill g.a#1"]
        elif how == "out of time":
            assert said(scene.wait(5.0)) == ["kill g.a#1"]
        assert said(scene.died("g.a", "killed")) == ["ask g.a#2"]
    assert said(scene.stopped("g.a", 2)) == ["kill g.a#3", "kill g.a#2"]
    scene.died("g.a", "killed", 2)
    assert said(scene.died("g.a", "killed", 3)) == ["answer r ok"]


def test_one_after_the_other_is_asked_until_one_could() -> None:
    scene = Scene(child("a", standbys=2)).up()
    ended(scene, "a")
    assert said(scene.died("a")) == ["ask a#2"]
    assert said(scene.stopped("a", 2, in_order=False)) == ["kill a#2"]
    assert said(scene.died("a", "killed", 2)) == ["ask a#3"]
    assert said(scene.wait(5.0)) == ["kill a#3"]
    assert said(scene.wait(GONE_S)) == ["answer r ok"], "nobody tells of its death"


def test_the_one_that_has_the_state_is_asked_first() -> None:
    scene = Scene(child("a", standbys=2))
    scene.lead()
    scene.ready("a")
    scene.stands_by("a", 2)
    scene.stands_by("a", 3)
    scene.attended("a", 3)
    ended(scene, "a")
    assert said(scene.died("a")) == ["ask a#3"]


def test_whoever_cannot_have_any_is_not_asked() -> None:
    scene = Scene(child("a", standbys=1))
    scene.lead()
    scene.ready("a")
    ended(scene, "a")
    assert said(scene.died("a")) == ["kill a#2"], "it still starts"


def test_a_brutal_kill_asks_nobody() -> None:
    scene = Scene(child("a", standbys=1, shutdown_s="brutal_kill")).up()
    assert ended(scene, "a") == ["kill a#1", "kill a#2"]


def test_a_group_that_gives_up_has_the_state_of_the_one_that_died_put_away() -> None:
    """What is above may start it again, and then it goes on from there."""
    scene = Scene(group("g", child("a", standbys=1), intensity=0)).up()
    heard = scene.run(scene.died("g.a"))
    assert heard == [
        "ask g.a#2",
        "kill g.a#2",
        "restart g shutdown",
        "start g.a#3",
        "start g.a#4 standby",
        "attend g.a#3: 4",
    ]


def test_whoever_a_predecessor_began_is_asked_before_it_has_answered() -> None:
    """Its standby was accepted by the adoption, and holds what the dead one had acknowledged; its group restarts."""
    before = Scene(group("g", child("a"), child("b", standbys=1), strategy="rest_for_one")).up()
    scene = successor(before)
    dead = [actor("g.a", 1, alive=False), actor("g.b", 1, alive=False)]
    commands = scene.lead(*dead, actor("g.b", 2), succeeds=True)
    assert acts(commands) == ["adopt g.b#2", "ask g.b#2"]


def test_a_standby_that_a_predecessor_had_promoted_is_asked_when_it_says_so() -> None:
    before = Scene(group("g", child("a"), child("b", standbys=1), strategy="rest_for_one")).up()
    scene = successor(before)
    commands = scene.lead(actor("g.a", 1, alive=False), actor("g.b", 1), actor("g.b", 2), succeeds=True)
    assert acts(commands) == ["adopt g.b#1", "adopt g.b#2", "ask g.b#1"]
    assert acts(scene.ready("g.b", 2)) == ["kill g.b#1", "ask g.b#2"]
    assert acts(scene.stopped("g.b", 2)) == ["kill g.b#2"]
    assert acts(scene.died("g.b", "killed", 2)) == ["start g.a#2"]


def test_a_standby_that_answers_meanwhile_waits_for_its_turn() -> None:
    before = Scene(child("a", standbys=1)).up()
    scene = successor(before)
    scene.lead(actor("a", 1), actor("a", 2), succeeds=True)
    scene.ready("a", 1)
    assert ended(scene, "a") == ["ask a#1"]
    assert said(scene.stands_by("a", 2)) == []
    assert scene.child("a").status == "stopping"
    assert said(scene.died("a")) == ["ask a#2"]
