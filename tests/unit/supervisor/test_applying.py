"""What applying a file asks of the leader, and in which order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from actors.runtime.errors import AdministrationError, ConfigError
from supervisor import requests as r
from supervisor.applying import Applying
from supervisor.messages import GroupView
from supervisor.planning import Plan
from supervisor.recipes import plans_of
from supervisor.room import Node
from supervisor.specs import TreeSpec
from supervisor.tree import ROOT, SUBTREE, ChildPlan, GroupPlan
from supervisor.tree_client import TreeClient
from tests.unit.specs.scene import Cart


def child(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "cls": Cart, **more}


@dataclass
class View:
    groups: dict[str, GroupView]


@dataclass
class FakeClient:
    """Holds the plans of a tree as a leader would, and notes what it is asked."""

    tree: TreeSpec
    origin: Any = "apply"
    cpus: float = 2.0
    refuses: str = ""
    asked: list[Any] = field(default_factory=list[Any])

    def plans(self) -> dict[str, ChildPlan | GroupPlan]:
        wishes = [plans_of(spec, parent=ROOT, origin=self.origin) for spec in self.tree.members]
        found: dict[str, ChildPlan | GroupPlan] = {}
        for wish in wishes:
            found |= {plan.path: plan for plan in wish.groups}
            for plan in wish.children:
                found[plan.key] = plan
                if plan.key.startswith(SUBTREE):
                    found |= {inner.path: inner for inner in plan.recipe.groups}
                    found |= {inner.key: inner for inner in plan.recipe.children}
        return found

    def view(self) -> View:
        members: dict[str, list[str]] = {ROOT: []}
        for name, plan in self.plans().items():
            is_child = isinstance(plan, ChildPlan)
            parent = plan.group if is_child else plan.parent
            if name.startswith(SUBTREE) or f"{SUBTREE}{name}" not in self.plans():
                members.setdefault(parent or ROOT, []).append(name)
        order = [plan for spec in self.tree.members for plan in plans_of(spec, parent=ROOT, origin="apply").order]
        for listed in members.values():
            listed.sort(key=lambda name: order.index(name) if name in order else -1)
        return View({path: group_view(path, tuple(listed)) for path, listed in members.items()})

    def nodes(self) -> tuple[Node, ...]:
        return (Node(node_id="n" * 20, names=("eu",), total={"CPU": self.cpus}), Node(node_id="u" * 20, names=("us",)))

    def add(self, group: str, spec: Any, *, origin: str) -> None:
        self.asked.append(("add", group, spec.name, origin))

    def terminate(self, member: str) -> None:
        self.asked.append(("terminate", member))

    def restart(self, member: str) -> None:
        self.asked.append(("restart", member))

    def delete(self, member: str) -> None:
        self.asked.append(("delete", member))
        if self.refuses:
            raise AdministrationError(member, problem=self.refuses, detail="", remedy="look")

    def ask(self, wish: r.Request, subject: str) -> None:
        assert isinstance(wish, r.Change)
        groups, children = [plan.path for plan in wish.groups], [plan.key for plan in wish.children]
        self.asked.append(("change", subject, groups, children, list(wish.order)))


def group_view(path: str, members: tuple[str, ...]) -> GroupView:
    return GroupView(
        path=path,
        parent=None,
        strategy="one_for_one",
        status="running",
        members=members,
        restarts=0,
        intensity=1,
        period_s=5.0,
        failure=None,
    )


def run(before: dict[str, Any], after: dict[str, Any], *, restart: bool = False, **fake: Any) -> tuple[list[Any], Plan]:
    client = FakeClient(TreeSpec.parse(before, source="before"), **fake)
    applying = Applying(cast("TreeClient", client), TreeSpec.parse(after, source="after"))
    assert applying.apply(dry_run=True, restart_changed=restart) is not None
    assert client.asked == []
    plan = applying.apply(dry_run=False, restart_changed=restart)
    return client.asked, plan


SHOP = {
    "children": [child("audit")],
    "groups": [{"name": "shop", "children": [child("cart"), {"name": "in", "children": [child("x")]}, child("till")]}],
    "pools": [child("clerks", size=2)],
}


def test_the_same_again_asks_nothing() -> None:
    asked, plan = run(SHOP, SHOP)
    assert asked == []
    assert (plan.is_empty, len(plan.unchanged)) == (True, 7)


def test_new_groups_are_added_whole_and_in_their_place() -> None:
    asked, _ = run({"children": [child("audit")]}, SHOP)
    assert asked == [
        ("add", ROOT, "clerks", "apply"),
        ("add", ROOT, "shop", "apply"),
        ("change", ROOT, [], [], ["child/audit", "clerks", "shop"]),
    ]


def test_what_is_gone_ends_first_and_is_forgotten() -> None:
    asked, _ = run(SHOP, {"children": [child("new")]})
    assert asked == [
        ("terminate", "shop"),
        ("delete", "shop"),
        ("terminate", "clerks"),
        ("delete", "clerks"),
        ("terminate", "child/audit"),
        ("delete", "child/audit"),
        ("add", ROOT, "new", "apply"),
        ("change", ROOT, [], [], ["child/new"]),
    ]


def test_what_is_temporary_may_be_forgotten_already_and_other_errors_are_told() -> None:
    before = {"children": [child("a", restart="temporary")]}
    asked, _ = run(before, {}, refuses="not_found")
    assert asked == [("terminate", "child/a"), ("delete", "child/a")]
    with pytest.raises(AdministrationError, match="running"):
        run(before, {}, refuses="running")


def test_changes_are_asked_for_group_by_group() -> None:
    after = {
        "children": [child("audit", standbys=1)],
        "groups": [
            {
                "name": "shop",
                "intensity": 4,
                "children": [child("cart", heartbeat_s=2), {"name": "in", "children": [child("x")]}, child("till")],
            }
        ],
        "pools": [child("clerks", size=3)],
    }
    asked, _ = run(SHOP, after)
    assert asked == [
        ("change", ROOT, ["clerks"], ["child/audit"], []),
        ("change", "shop", ["shop"], ["child/shop.cart"], []),
    ]


def test_a_group_is_changed_before_something_is_added_to_it() -> None:
    """A significant child is refused in a group that it could not end."""
    before = {"groups": [{"name": "g", "children": [child("a")]}]}
    ends = child("b", restart="transient", significant=True)
    after = {"groups": [{"name": "g", "auto_shutdown": "any_significant", "children": [ends, child("a")]}]}
    assert run(before, after)[0] == [
        ("change", "g", ["g"], [], []),
        ("add", "g", "b", "apply"),
        ("change", "g", [], [], ["child/g.b", "child/g.a"]),
    ]
    assert run(after, before)[0] == [
        ("terminate", "child/g.b"),
        ("delete", "child/g.b"),
        ("change", "g", ["g"], [], []),
    ]


def test_another_order_is_one_change_of_that_group() -> None:
    shop = [child("till"), child("cart"), {"name": "in", "children": [child("x")]}]
    asked, plan = run(SHOP, SHOP | {"groups": [{"name": "shop", "children": shop}]})
    assert plan.moved == ("shop.till",)
    assert asked == [("change", "shop", [], [], ["child/shop.till", "child/shop.cart", "shop.in"])]


def test_on_request_what_is_built_anew_restarts_and_a_group_once() -> None:
    before = {"children": [child("a"), child("t", restart="temporary")]}
    after = {"children": [child("a", args=["us"]), child("t", restart="temporary", args=["us"])]}
    assert run(before, after)[0] == [("change", ROOT, [], ["child/a", "child/t"], [])]
    asked, _ = run(before, after, restart=True)
    assert asked[1:] == [
        ("terminate", "child/a"),
        ("restart", "child/a"),
        ("terminate", "child/t"),
        ("add", ROOT, "t", "apply"),
    ]


def test_a_group_that_is_a_supervisor_of_its_own_is_changed_inside_and_for_its_next_life() -> None:
    own = {"name": "sub", "supervisor": True, "children": [child("x"), child("y")]}
    before = {"groups": [own]}
    assert run(before, before)[0] == []
    after = {"groups": [own | {"intensity": 9, "children": [child("y"), child("x", standbys=1)]}]}
    asked, _ = run(before, after)
    assert asked == [
        ("change", ROOT, [], ["supervisor/sub"], []),
        ("change", "sub", ["sub"], ["child/sub.x"], []),
        ("change", "sub", [], [], ["child/sub.y", "child/sub.x"]),
    ]
    assert run(before, {})[0] == [("terminate", "supervisor/sub"), ("delete", "supervisor/sub")]
    moved = {"groups": [own | {"node": "n", "children": [child("x", args=["us"]), child("y")]}]}
    asked, _ = run(before, moved, restart=True)
    assert asked[-2:] == [("terminate", "supervisor/sub"), ("restart", "supervisor/sub")]
    beside, _ = run(before, {"children": [child("a")], "groups": [own]})
    assert beside[-1] == ("change", ROOT, [], [], ["child/a", "supervisor/sub"])


def test_what_code_has_made_is_not_touched() -> None:
    with pytest.raises(ConfigError, match="audit: is a child that code has made"):
        run(SHOP, SHOP, origin="code")


def test_numbers_that_were_changed_live_are_what_there_is() -> None:
    data = {"children": [child("a", standbys=1)], "pools": [child("p", size=2)]}
    tree = TreeSpec.parse(data, source="here")

    class Resized(FakeClient):
        def plans(self) -> dict[str, ChildPlan | GroupPlan]:
            found = dict(super().plans())
            pool, single = found["p"], found["child/a"]
            assert isinstance(pool, GroupPlan)
            assert isinstance(single, ChildPlan)
            return found | {"p": replace(pool, pool_size=5), "child/a": replace(single, standbys=3)}

    applying = Applying(cast("TreeClient", Resized(tree)), tree)
    plan = applying.apply(dry_run=True, restart_changed=False)
    told = {change.path: [(each.name, each.before, each.after) for each in change.settings] for change in plan.changed}
    assert told == {"a": [("standbys", "3", "1")], "p": [("size", "5", "2")]}


def refused(before: dict[str, Any], after: dict[str, Any], *, dry_run: bool = False) -> tuple[str, ...]:
    """The problems for which a file is not applied; nothing may have been asked before."""
    client = FakeClient(TreeSpec.parse(before, source="before"))
    applying = Applying(cast("TreeClient", client), TreeSpec.parse(after, source="after"))
    with pytest.raises(ConfigError) as caught:
        applying.apply(dry_run=dry_run, restart_changed=False)
    assert client.asked == []
    return caught.value.problems


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_the_cluster_cannot_run_is_refused_before_anything_is_ended(dry_run: bool) -> None:
    before = {"children": [child("old")]}
    after = {
        "children": [child("lost", node="mars"), child("big", num_cpus=3)],
        "pools": [child("many", size=2, standbys=1, num_cpus=1)],
        "groups": [{"name": "g", "children": [child("gpu", num_gpus=1)]}],
    }
    assert refused(before, after, dry_run=dry_run) == (
        "lost: no living node is called 'mars'; there are: nnnnnnnnnnnn (eu), uuuuuuuuuuuu (us)",
        "big: no node has room for CPU: 3 (at most 2); ask for less, or add a node that has it",
        "many: the cluster has room for 2 of 3 (with those that stand by) that reserve CPU: 1 each; "
        "ask for less, or add a node",
        "g.gpu: no node has room for GPU: 1 (at most 0); ask for less, or add a node that has it",
    )


def test_a_change_is_refused_that_the_cluster_cannot_run_and_what_stays_counts() -> None:
    before = {"children": [child("a", num_cpus=1)], "pools": [child("p", size=1, num_cpus=1)]}
    more = {"children": [child("a", num_cpus=1)], "pools": [child("p", size=2, num_cpus=1)]}
    assert refused(before, more) == ("all together reserve CPU: 3, and the cluster has 2; ask for less, or add a node",)
    moved = {"children": [child("a", num_cpus=1, node="us")], "pools": [child("p", size=1, num_cpus=1)]}
    assert refused(before, moved) == (
        "a: node uuuuuuuuuuuu has not room for CPU: 1 (at most 0); ask for less, or add a node that has it",
    )


def test_what_is_there_already_does_not_hold_other_changes_up() -> None:
    """Its node may have gone: that is the supervisor's business, not that of the file."""
    before = {"children": [child("a", num_cpus=9, node="mars")]}
    after = {"children": [child("a", num_cpus=9, node="mars", shutdown_s=9.0), child("b")]}
    asked, _ = run(before, after)
    assert [each[0] for each in asked] == ["change", "add", "change"], "the last one is the order"
