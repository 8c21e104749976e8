"""Changing over to another node; when that is done is in the test matrix."""

from __future__ import annotations

from tests.unit.supervision.scene import NODE, OTHER, THIRD, Scene, acts, child, said


def moving() -> Scene:
    """`a` runs on a node that is about to go, and there are two others."""
    scene = Scene(child("a"), nodes=(NODE, OTHER, THIRD)).up()
    scene.see(NODE, OTHER, THIRD, draining=(NODE,))
    return scene


def test_nothing_changes_over_before_the_other_life_is_ready_elsewhere() -> None:
    scene = moving()
    assert said(scene.stands_by("a", 2, node=NODE)) == ["attend a#1: 2"], "it came up beside it all the same"
    assert scene.child("a").status == "running"


def test_a_second_node_that_is_about_to_go_moves_the_standby() -> None:
    scene = Scene(child("a", standbys=1), nodes=(NODE, OTHER, THIRD)).up()
    assert scene.child("a").standbys == ("s/child/a#2",)
    assert acts(scene.see(NODE, OTHER, THIRD, draining=(NODE, OTHER))) == ["start a#3 standby on p"]
    assert acts(scene.attended("a")) == ["kill a#2"]


def test_whoever_is_down_has_nothing_to_move() -> None:
    scene = moving()
    scene.died("a", "crash", 2)
    scene.died("a")
    scene.failed("a")
    assert said(scene.see(NODE, OTHER, THIRD, draining=(NODE, OTHER))) == []


def test_a_child_that_is_stopping_does_not_change_over() -> None:
    scene = moving()
    scene.shut_down()
    assert said(scene.stands_by("a", 2, node=OTHER)) == []
