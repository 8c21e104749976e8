"""Commands about a child carry what is known of it."""

from __future__ import annotations

from actors.runtime.process import ProcessIdentity
from supervisor.messages import KillChild, KnownActor, RecordChild
from supervisor.supervision.orders import end_of, end_unlocated, record_of
from supervisor.tree import Child, ChildPlan, Life, Location

_PLACE = Location(process=ProcessIdentity(7, 70), node_id="n", host="h")


_CHILD = Child(ChildPlan(key="worker/p-0"), incarnation=3, role="active")


def test_a_life_is_killed_where_it_runs() -> None:
    life = Life(4, location=_PLACE)
    assert end_of(_CHILD, life) == KillChild(
        key="worker/p-0", incarnation=4, process=ProcessIdentity(7, 70), node_id="n"
    )


def test_a_life_without_a_known_place_is_killed_by_name() -> None:
    assert end_of(_CHILD, Life(4)) == KillChild(key="worker/p-0", incarnation=4, process=None, node_id=None)


def test_an_actor_of_another_life_is_killed_by_name() -> None:
    actor = KnownActor(key="worker/p-0", incarnation=2, alive=True)
    assert end_unlocated(actor) == KillChild(key="worker/p-0", incarnation=2, process=None, node_id=None)


def test_what_happened_to_a_life_is_recorded_with_role_and_place() -> None:
    assert record_of(_CHILD, Life(4, location=_PLACE), "fenced", "hung", "hung") == RecordChild(
        key="worker/p-0",
        incarnation=4,
        event="fenced",
        role="active",
        location=_PLACE,
        detail="hung",
        exit_class="hung",
    )
    assert record_of(_CHILD, Life(4, standby=True), "ready").role == "standby"


def test_what_happened_to_a_child_without_a_life_is_recorded_of_its_last() -> None:
    assert record_of(_CHILD, None, "given_up") == RecordChild(
        key="worker/p-0", incarnation=3, event="given_up", role="active", location=None
    )
