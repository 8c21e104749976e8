"""On which node a life is wanted, and who has to leave one."""

from __future__ import annotations

from random import Random
from typing import Any

from supervisor.supervision.placing import must_move, place, staying
from supervisor.supervision.state import State
from supervisor.tree import ROOT, TOP, Child, ChildPlan, GroupPlan, Life
from tests.unit.supervision.scene import where


def cluster(*nodes: str, draining: tuple[str, ...] = ()) -> State:
    state = State("s", 1, Random(1))
    state.add_group(GroupPlan(path=TOP, parent=None))
    state.add_group(GroupPlan(path=ROOT, parent=TOP))
    state.nodes, state.draining = nodes, frozenset(draining)
    return state


def on(state: State, node: str | None, **plan: Any) -> Child:
    """A child whose accepted life runs there."""
    child = state.add_child(ChildPlan(key="child/a", **plan))
    child.incarnation = 1
    child.lives[1] = Life(1, location=None if node is None else where(node))
    return child


def test_wherever_ray_likes_unless_a_node_is_about_to_go() -> None:
    assert place(cluster("n", "o"), on(cluster("n", "o"), None), standby=False) is None
    state = cluster("n", "o", "p", draining=("n",))
    state.lives_on["o"]["child/x", 1] = None
    assert place(state, on(state, None), standby=False) == "p"


def test_where_all_nodes_are_about_to_go_it_does_not_matter() -> None:
    state = cluster("n", draining=("n",))
    assert place(state, on(state, "n"), standby=False) is None
    assert place(state, on(state, "o"), standby=True) is None


def test_a_standby_is_elsewhere_where_none_of_its_kind_and_the_fewest_others_are() -> None:
    state = cluster("n", "o", "p", "q", draining=("q",))
    for number, node in enumerate("oppp"):
        state.lives_on[node]["child/x", number] = None
    child = on(state, "n")
    assert place(state, child, standby=True) == "o"
    child.lives[2] = Life(2, standby=True, node_id="o")
    assert place(state, child, standby=True) == "p"
    child.lives[3] = Life(3, standby=True, location=where("p"))
    assert place(state, child, standby=True) == "o"


def test_a_standby_of_a_child_whose_place_is_unknown_may_be_anywhere() -> None:
    state = cluster("n")
    assert place(state, on(state, None), standby=True) == "n"


def test_healers_are_on_nodes_of_their_own_if_it_can_be() -> None:
    state = cluster("n", "o", "p", draining=("p",))
    state.lives_on["o"]["child/x", 1] = None
    homes: list[str | None] = []
    state.add_child(ChildPlan(key="healer/main")).lives[1] = Life(1, location=where("n"))
    for number in range(1, 5):
        healer = state.add_child(ChildPlan(key=f"healer/{number}"))
        homes.append(place(state, healer, standby=False))
        healer.lives[1] = Life(1, node_id=homes[-1])
    assert homes == ["n", "o", "n", "o"], "as many on each, and the next where the fewest lives are"
    state.children["healer/2"].lives[1].location = where("n")
    assert place(state, state.children["healer/4"], standby=False) == "o", "what counts is where they came to be"
    alone = cluster("n")
    assert place(alone, alone.add_child(ChildPlan(key="healer/1")), standby=False) is None


def test_a_child_that_is_bound_is_where_it_must_be() -> None:
    state = cluster("n", "o", draining=("n",))
    assert place(state, on(state, "n", node_id="n"), standby=True) == "n"
    assert place(state, on(state, "n", wanted_node="a name"), standby=True) is None, "its shell knows which that is"
    assert place(state, on(state, "n", wanted_node="a name"), standby=False) is None


def test_the_nodes_that_stay() -> None:
    assert staying(cluster("n", "o", "p", draining=("o",))) == ["n", "p"]
    assert staying(cluster("n", "o"), but="n") == ["o"]


def test_who_must_move() -> None:
    state = cluster("n", "o", draining=("n",))
    assert must_move(state, on(state, "n"))
    for stays in (
        on(state, None),
        on(state, "o"),
        on(state, "n", node_id="n"),
        on(state, "n", wanted_node="n"),
        on(state, "n", restart="temporary"),
        on(state, "n", share="p"),
    ):
        assert not must_move(state, stays)
    for key in ("event_log/writer", "node_agent/n", "supervisor/shop"):
        child = Child(ChildPlan(key=key), incarnation=1, lives={1: Life(1, location=where("n"))})
        assert not must_move(state, child)
    alone = cluster("n", draining=("n",))
    assert not must_move(alone, on(alone, "n")), "there is nowhere to go"
