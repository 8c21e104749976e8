"""A pool's places: who serves, who stands by, who steps in."""

from __future__ import annotations

from supervisor.tree import Child, ChildSpec, Pool, learn_of_members, leave_place, take_place


def _pool(size: int, members: int) -> tuple[Pool, dict[str, Child]]:
    keys = [f"worker/p-{number}" for number in range(members)]
    return Pool("p", size, keys), {key: Child(ChildSpec(key=key, pool="p", group="pool:p")) for key in keys}


def _roles(children: dict[str, Child]) -> list[str]:
    return [child.role for child in children.values()]


def test_a_key_has_a_concern_and_a_child() -> None:
    spec = ChildSpec(key="worker/default-3")
    assert (spec.concern, spec.child) == ("worker", "default-3")


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
    assert leave_place(pool, first) == third.spec.key
    third.role = "active"
    take_place(pool, first)
    assert _roles(children) == ["standby", "standby", "active"]
    assert leave_place(pool, third) == second.spec.key


def test_a_standby_that_ends_leaves_the_others_as_they_are() -> None:
    pool, children = _pool(1, 3)
    first, second, third = children.values()
    for child in children.values():
        take_place(pool, child)
    assert leave_place(pool, second) is None
    assert _roles(children) == ["active", "service", "standby"]
    assert leave_place(pool, first) == third.spec.key


def test_a_place_without_a_standby_waits_for_the_next_to_run() -> None:
    pool, children = _pool(1, 2)
    first, second = children.values()
    take_place(pool, first)
    assert leave_place(pool, first) is None
    take_place(pool, second)
    assert _roles(children) == ["service", "active"]


def test_members_that_a_predecessor_added_are_kept_with_their_pools_settings() -> None:
    pool, children = _pool(1, 1)
    children["worker/p-0"].spec = ChildSpec(key="worker/p-0", pool="p", group="pool:p", heartbeat_s=0.3)
    empty = Pool("q", 1)
    learn_of_members([pool, empty], children, ["worker/p-0", "worker/p-9", "worker/q-0", "worker/x-1", "agent/p-3"])
    assert pool.members == ["worker/p-0", "worker/p-9"]
    assert list(children) == ["worker/p-0", "worker/p-9"]
    assert children["worker/p-9"].spec == ChildSpec(key="worker/p-9", pool="p", group="pool:p", heartbeat_s=0.3)
