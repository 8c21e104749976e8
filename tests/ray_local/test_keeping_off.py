"""Nodes that work is kept off, in Ray's own table."""

from __future__ import annotations

from threading import Thread

from ray.experimental import internal_kv

from actors.runtime.keeping_off import keep_off, kept_off, kept_off_for
from tests.ray_local.conftest import unique_name

SECOND_US = 1_000_000


def entries(sup: str) -> int:
    return len(internal_kv._internal_kv_list(f"kept_off/{sup}/".encode(), namespace=b"supervisor"))


def test_each_node_for_its_time_and_each_supervisor_for_itself(ray_session: object):
    sup, other = unique_name(), unique_name()
    assert kept_off(sup, 0) == frozenset()
    keep_off(sup, "n1", 10.0, 0)
    keep_off(sup, "n2", 20.0, 0)
    keep_off(f"{sup}2", "n9", 20.0, 0)
    assert kept_off(sup, 9 * SECOND_US) == {"n1", "n2"}
    assert kept_off(sup, 10 * SECOND_US) == {"n2"}
    assert kept_off_for(sup, 15 * SECOND_US) == {"n2": 5.0}
    assert kept_off(other, 0) == frozenset()
    keep_off(sup, "n2", 0.0, 11 * SECOND_US)
    assert kept_off(sup, 11 * SECOND_US) == frozenset()
    assert entries(sup) == 0, "what is over is not kept"


def test_two_at_once_take_nothing_from_each_other(ray_session: object):
    sup = unique_name()
    nodes = [f"n{number}" for number in range(20)]
    writers = [Thread(target=keep_off, args=(sup, node, 60.0, 0)) for node in nodes]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert kept_off(sup, 1) == set(nodes)


def test_what_another_release_has_written_is_passed_over(ray_session: object):
    sup = unique_name()
    internal_kv._internal_kv_put(f"kept_off/{sup}/n1".encode(), b"{}", namespace=b"supervisor")
    keep_off(sup, "n2", 60.0, 0)
    assert kept_off(sup, 1) == {"n2"}
