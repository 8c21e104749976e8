"""What a cluster has room for, by the numbers, and what is said of what it has not."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.room import Node, Want, is_demanding, misplaced, shortage, wanted

ONE = Node(node_id="a" * 20, names=("10.0.0.1", "left"), total={"CPU": 2.0})
TWO = Node(node_id="b" * 20, names=("10.0.0.2", "right"), total={"CPU": 4.0, "GPU": 1.0})


def want(path: str = "p", count: int = 1, node: str | None = None, **asked: float) -> Want:
    return Want(path=path, asked=asked, count=count, node=node)


@pytest.mark.parametrize(
    ("asked", "nodes", "says"),
    [
        (want(CPU=2), [ONE], []),
        (want(CPU=3), [ONE], ["p: no node has room for CPU: 3 (at most 2); ask for less, or add a node that has it"]),
        (
            want(CPU=1, GPU=1, node="left"),
            [ONE, TWO],
            [
                "p: node aaaaaaaaaaaa has not room for CPU: 1 (at most 2), GPU: 1 (at most 0); "
                "ask for less, or add a node that has it"
            ],
        ),
        (
            want(count=4, CPU=1),
            [ONE],
            [
                "p: the cluster has room for 2 of 4 (with those that stand by) that reserve CPU: 1 each; "
                "ask for less, or add a node"
            ],
        ),
        (want(count=6, CPU=1), [ONE, TWO], []),
        (
            want(count=5, CPU=1, node="b"),
            [ONE, TWO],
            [
                "p: node bbbbbbbbbbbb has room for 4 of 5 (with those that stand by) that reserve CPU: 1 each; "
                "ask for less, or add a node"
            ],
        ),
        (
            want(count=2, CPU=3),
            [ONE, TWO],
            [
                "p: the cluster has room for 1 of 2 (with those that stand by) that reserve CPU: 3 each; "
                "ask for less, or add a node"
            ],
        ),
        (want(count=10, CPU=0.2), [ONE], []),
        (want(count=0, CPU=99), [ONE], []),
        (
            want(node="10.0.0.9"),
            [ONE, TWO],
            ["p: no living node is called '10.0.0.9'; there are: aaaaaaaaaaaa (10.0.0.1), bbbbbbbbbbbb (10.0.0.2)"],
        ),
        (want(node="10.0.0.2"), [ONE, TWO], []),
    ],
)
def test_what_one_kind_of_actor_finds(asked: Want, nodes: list[Node], says: list[str]) -> None:
    assert misplaced([asked], nodes) == says


def test_kinds_that_have_room_alone_may_have_none_together() -> None:
    both = [want("a", CPU=1), want("b", 2, CPU=1)]
    told = ["all together reserve CPU: 3, and the cluster has 2; ask for less, or add a node"]
    assert misplaced(both, [ONE]) == told
    assert misplaced(both[:1], [ONE], both[1:]) == told, "what stays counts"
    assert misplaced([want("c")], [ONE], both) == [], "but what asks for none of it is not held up"
    assert misplaced(both, [ONE, TWO]) == []


def test_every_problem_is_told_at_once() -> None:
    told = misplaced([want("a", CPU=9), want("b", node="nowhere"), want("c", CPU=1)], [ONE])
    assert [problem.partition(":")[0] for problem in told] == ["a", "b"]


def test_what_some_cluster_may_lack() -> None:
    demanding = [want(CPU=1), want(node="left"), want(), want(count=0, CPU=1)]
    assert [is_demanding(each) for each in demanding] == [True, True, False, False]


def test_what_rays_options_reserve() -> None:
    options: dict[str, Any] = {"num_cpus": 1, "num_gpus": None, "resources": {"scales": 2, "none": 0}, "name": "x"}
    assert wanted(options) == {"CPU": 1, "scales": 2}
    assert wanted({}) == {}


def test_what_a_start_waits_for() -> None:
    free = [{"CPU": 1.0}, {"CPU": 0.5, "GPU": 1.0}]
    assert shortage({"CPU": 1}, free) == ""
    assert shortage({"CPU": 1, "GPU": 1}, free) == (
        "it waits for CPU: 1 (at most 1 free on a node), GPU: 1 (at most 1 free on a node); "
        "give some back, ask for less, or add a node"
    )
    assert shortage({"CPU": 1}, []).startswith("it waits for CPU: 1 (at most 0 free on a node)")
