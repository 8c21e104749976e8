"""Names and places: what is called how, who serves a pool, who stands by, who steps in."""

from __future__ import annotations

import pytest

from supervisor.tree import (
    ROOT,
    Child,
    ChildPlan,
    Life,
    Pool,
    child_key,
    group_path,
    is_group,
    is_within,
    leave_place,
    member_plan,
    path_of,
    take_place,
)
from tests.unit.supervision.scene import where


def _pool(size: int, members: int) -> tuple[Pool, dict[str, Child]]:
    keys = [f"worker/p-{number}" for number in range(members)]
    return Pool("p", size), {key: Child(ChildPlan(key=key, pool="p", group="pool:p")) for key in keys}


def _roles(children: dict[str, Child]) -> list[str]:
    return [child.role for child in children.values()]


def test_a_key_has_a_concern_and_a_child() -> None:
    plan = ChildPlan(key="worker/default-3")
    assert (plan.concern, plan.child) == ("worker", "default-3")


def test_the_first_to_run_serve_and_the_others_stand_by() -> None:
    pool, children = _pool(2, 4)
    for child in children.values():
        take_place(pool, child)
    assert _roles(children) == ["active", "active", "standby", "standby"]


def test_the_longest_running_standby_takes_a_free_place() -> None:
    pool, children = _pool(1, 3)
    first, second, third = children.values()
    for child in (first, third, second):
        take_place(pool, child)
    assert leave_place(pool, first) == third.plan.key
    third.role = "active"
    take_place(pool, first)
    assert _roles(children) == ["standby", "standby", "active"]
    assert leave_place(pool, third) == second.plan.key


def test_a_standby_that_ends_leaves_the_others_as_they_are() -> None:
    pool, children = _pool(1, 3)
    first, second, third = children.values()
    for child in children.values():
        take_place(pool, child)
    assert leave_place(pool, second) is None
    assert _roles(children) == ["active", "service", "standby"]
    assert leave_place(pool, first) == third.plan.key


def test_a_place_without_a_standby_waits_for_the_next_to_run() -> None:
    pool, children = _pool(1, 2)
    first, second = children.values()
    take_place(pool, first)
    assert leave_place(pool, first) is None
    take_place(pool, second)
    assert _roles(children) == ["service", "active"]


def test_whoever_serves_a_pool_that_became_smaller_is_not_replaced() -> None:
    pool, children = _pool(2, 3)
    for child in children.values():
        take_place(pool, child)
    pool.size = 1
    assert leave_place(pool, children["worker/p-0"]) is None
    assert (pool.active, list(pool.standbys)) == (1, ["worker/p-2"])


def test_a_members_plan_is_its_pools_template_under_its_own_key() -> None:
    template = ChildPlan(key="child/p", group="p", pool="p", heartbeat_s=0.3)
    assert member_plan(template, "child/p-9") == ChildPlan(key="child/p-9", group="p", pool="p", heartbeat_s=0.3)


@pytest.mark.parametrize(
    ("group", "name", "key", "path"),
    [(ROOT, "cart", "child/cart", "cart"), ("shop.eu", "cart", "child/shop.eu.cart", "shop.eu.cart")],
)
def test_names_stand_behind_those_of_their_groups(group: str, name: str, key: str, path: str) -> None:
    assert (child_key(group, name), group_path(group, name)) == (key, path)
    assert (is_group(key), is_group(path)) == (False, True)
    assert (path_of(key), path_of(path)) == (path, path)


def test_what_is_within_a_group() -> None:
    assert is_within("shop.eu.cart", "shop.eu")
    assert not is_within("shopping", "shop")
    assert not is_within("shop", "shop")
    assert is_within("shop", "shop", strictly=False)


def test_the_accepted_life_is_where_the_child_is() -> None:
    child = Child(ChildPlan(key="child/a"), incarnation=2)
    assert (child.accepted, child.location, child.standbys()) == (None, None, [])
    child.lives = {3: Life(3, standby=True), 2: Life(2, location=where()), 1: Life(1, standby=True, status="stopping")}
    assert (child.accepted, child.location) == (child.lives[2], where())
    assert child.standbys() == [child.lives[3]]
    child.incarnation = 3
    assert child.accepted is None, "it still stands by"


def test_a_suspect_is_looked_at_four_times_in_each_timeout() -> None:
    assert ChildPlan(key="child/a", hang_timeout_s=2.0).look_s == 0.5
