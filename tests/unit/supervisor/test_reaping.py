"""Who owns what: only what is fenced or has no leader, at two looks, is ended."""

from __future__ import annotations

from dataclasses import replace

from actors.runtime.actor_table import ActorRow
from actors.runtime.ids import ActorName
from actors.runtime.process import ProcessIdentity
from supervisor.messages import ChildView, ClusterView
from supervisor.reaping import Holdings, Resident, Said, holdings_of, take_stock, to_reap
from supervisor.tree import Location, Status

PLACE = Location(process=ProcessIdentity(77, 1), node_id="n1", host="h")


def row(name: str, state: str = "ALIVE", pid: int = 5) -> ActorRow:
    parsed = ActorName.parse(name)
    assert parsed is not None
    return ActorRow(name=parsed, state=state, pid=pid, node_id="n2" if pid else "", started_at_us=9)


def child(name: str, *, host: str = "", standbys: tuple[str, ...] = (), status: Status = "running") -> ChildView:
    parsed = ActorName.parse(name)
    return ChildView(
        key=parsed.key if parsed else name,
        name=name,
        status=status,
        role="service",
        restarts=2,
        location=PLACE if status == "running" else None,
        last_error="once",
        host=host,
        standbys=standbys,
    )


VIEW = ClusterView(
    leader="s/supervisor/root#2",
    incarnation=2,
    leader_location=PLACE,
    standby="s/supervisor/root#3",
    standby_location=PLACE,
    children=(
        child("s/child/cart#4", host="s/child/cart#4", standbys=("s/child/cart#5",)),
        child("s/child/inner#1", host="s/child/host#1"),
        child("s/child/ended#2", status="given_up"),
        child("no name", status="waiting"),
    ),
)


def standings(*names: str, view: ClusterView | None = VIEW) -> dict[str, str]:
    held = {"s": None if view is None else holdings_of(view)}
    found = take_stock([row(name) for name in names], held)
    return {str(each.name): each.standing for each in found}


def test_everything_that_a_leader_announces_is_owned() -> None:
    names = [
        "s/supervisor/root#2",
        "s/supervisor/root#3",
        "s/child/cart#4",
        "s/child/cart#5",
        "s/child/host#1",
        "s/child/inner#1",
        "s/child/ended#2",
    ]
    assert standings("s/supervisor/root#2") == dict.fromkeys(names, "owned")


def test_what_is_said_and_where_it_is_known_is_told() -> None:
    rows = [row("s/supervisor/root#2"), row("s/child/cart#4"), row("s/child/cart#5", pid=0)]
    found = {str(each.name): each for each in take_stock(rows, {"s": holdings_of(VIEW)})}
    cart = found["s/child/cart#4"]
    assert (cart.status, cart.said.role, cart.said.restarts, cart.pid, cart.node_id) == (
        "running",
        "service",
        2,
        5,
        "n2",
    )
    assert (cart.started_at_us, cart.said.last_error) == (9, "once")
    inner = found["s/child/inner#1"]
    assert (inner.pid, inner.node_id, inner.started_at_us) == (77, "n1", 0)
    assert found["s/child/ended#2"] == Resident(
        name=ActorName("s", "child", "ended", 2),
        standing="owned",
        said=Said(status="given_up", role="service", restarts=2, last_error="once"),
    )
    assert (found["s/child/cart#5"].said.role, found["s/child/cart#5"].pid) == ("standby", 0)
    standby = found["s/supervisor/root#3"]
    assert (standby.said.role, standby.pid, standby.node_id) == ("standby", 77, "n1")
    leader = found["s/supervisor/root#2"].said
    assert (leader.role, leader.restarts) == ("leader", 1)


def test_a_life_before_the_accepted_one_is_fenced_and_one_after_it_is_coming() -> None:
    found = standings("s/supervisor/root#2", "s/supervisor/root#1", "s/child/cart#3", "s/child/cart#6")
    assert found["s/supervisor/root#1"] == found["s/child/cart#3"] == "fenced"
    assert found["s/child/cart#6"] == "coming"


def test_what_its_leader_does_not_mention_is_left_alone() -> None:
    assert standings("s/supervisor/root#2", "s/child/other#1")["s/child/other#1"] == "unlisted"


def test_where_the_leader_is_silent_nothing_is_known() -> None:
    found = standings("s/supervisor/root#2", "s/child/cart#1", view=None)
    assert set(found.values()) == {"unknown"}


def test_without_a_leader_everything_is_an_orphan_whatever_was_announced_last() -> None:
    dead = row("s/supervisor/root#2", "DEAD")
    found = take_stock([dead, row("s/child/cart#4"), row("t/supervisor/root#1", "PENDING_CREATION")], {})
    assert {str(each.name): each.standing for each in found} == {
        "s/child/cart#4": "orphan",
        "t/supervisor/root#1": "unknown",
    }
    assert found[0].status == "orphan"
    assert found[1].said.status == "pending_creation"


def test_the_leader_is_listed_first_and_supervisors_apart() -> None:
    rows = [
        row(name) for name in ("t/worker/a#1", "s/worker/b#2", "s/worker/b#1", "s/supervisor/root#1", "s/child/a#1")
    ]
    assert [str(each.name) for each in take_stock(rows, {"s": Holdings()})] == [
        "s/supervisor/root#1",
        "s/child/a#1",
        "s/worker/b#1",
        "s/worker/b#2",
        "t/worker/a#1",
    ]


def test_only_what_is_lost_at_both_looks_is_reaped_and_the_log_last() -> None:
    names = ("s/event_log/writer#1", "s/child/a#1", "s/child/b#1", "s/child/c#1")
    first = take_stock([row(name) for name in names], {})
    led = [replace(each, standing="owned") for each in first if each.name.child == "c"]
    second = [*(each for each in first if each.name.child in ("a", "writer")), *led]
    assert [str(each.name) for each in to_reap(first, second)] == ["s/child/a#1", "s/event_log/writer#1"]
    assert to_reap([], first) == ()
    assert to_reap(first, []) == ()
