"""Commands about a child carry what is known of it."""

from __future__ import annotations

from actors.runtime.process import ProcessIdentity
from supervisor.messages import KillChild, KnownActor, RecordChild
from supervisor.orders import kill_of, kill_unlocated, record_of
from supervisor.tree import Child, ChildSpec, Location

_PLACE = Location(process=ProcessIdentity(7, 70), node_id="n", host="h")


def child(location: Location | None) -> Child:
    return Child(ChildSpec(key="worker/p-0"), incarnation=3, role="active", location=location)


def test_a_child_is_killed_where_it_runs():
    assert kill_of(child(_PLACE)) == KillChild(
        key="worker/p-0", incarnation=3, process=ProcessIdentity(7, 70), node_id="n"
    )


def test_a_child_without_a_known_place_is_killed_by_name():
    assert kill_of(child(None)) == KillChild(key="worker/p-0", incarnation=3, process=None, node_id=None)


def test_an_actor_of_another_life_is_killed_by_name():
    actor = KnownActor(key="worker/p-0", incarnation=2, alive=True)
    assert kill_unlocated(actor) == KillChild(key="worker/p-0", incarnation=2, process=None, node_id=None)


def test_what_happened_is_recorded_with_role_and_place():
    assert record_of(child(_PLACE), "fenced", "hung") == RecordChild(
        key="worker/p-0", incarnation=3, event="fenced", role="active", location=_PLACE, detail="hung"
    )
