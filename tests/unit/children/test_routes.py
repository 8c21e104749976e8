"""From views and deaths to routes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from ray.exceptions import RayError

from actors.runtime import process
from actors.runtime.clock import SYSTEM_CLOCK
from supervisor.children import routes as module
from supervisor.children.errors import ChildGoneError
from supervisor.children.routes import ChildRoutes
from supervisor.tree import Location
from tests.unit.children.fakes import Actor
from tests.unit.children.test_sightings import Group, Sight, View

A = Sight(key="child/a", host="a#1")
PATIENCE_S = 30.0


class Caller:
    """Notes what it is told."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.told: list[tuple[Any, ...]] = []
        self.patient: list[bool] = []

    def routed(self, key: str, incarnation: int, host: str | None) -> None:
        self.told.append((key, incarnation, host))

    def called(self, interface: str, *, outdated: bool) -> None:
        self.told.append(("called", interface, outdated))

    def died(self, key: str, incarnation: int) -> None:
        self.told.append(("died", key, incarnation))

    def gone(self, key: str, error: ChildGoneError, *, patient: bool = False) -> None:
        self.told.append(("gone", key, error.reason))
        self.patient.append(patient)

    def back(self) -> None:
        self.told.append(("back", self.key))

    def take(self) -> list[tuple[Any, ...]]:
        taken, self.told = self.told, []
        return taken


class Cluster:
    """The actors that can be found."""

    def __init__(self) -> None:
        self.actors: dict[str, Any] = {}
        self.asked: list[str] = []

    def find(self, name: str) -> Any:
        self.asked.append(name)
        actor = self.actors.get(name)
        if isinstance(actor, Exception):
            raise actor
        return actor

    def put(self, *names: str) -> None:
        self.actors.update({name: Actor() for name in names})


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    made.put("a#1", "a#2", "p-0#1", "p-1#1")
    return made


@pytest.fixture
def routes(cluster: Cluster) -> Iterator[ChildRoutes]:
    made = ChildRoutes("here", SYSTEM_CLOCK, cluster.find)
    yield made
    made.close()


@pytest.fixture
def a(routes: ChildRoutes) -> Caller:
    caller = Caller("child/a")
    routes.add(caller)
    return caller


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as started:
        yield started
        started.kill()


def place(started: subprocess.Popen[bytes], node: str = "here") -> Location:
    return Location(process=process.identify(started.pid), node_id=node, host="host")


def wait_for(condition: Callable[[], bool]) -> None:
    until = SYSTEM_CLOCK.now() + PATIENCE_S
    while not condition():
        assert SYSTEM_CLOCK.now() < until


def test_a_caller_is_told_where_its_child_is_and_again_when_that_changes(routes: ChildRoutes, a: Caller) -> None:
    assert a.take() == []
    routes.on_view(View((A,)))
    assert a.take() == [("child/a", 1, "a#1")]
    routes.on_view(View((A, Sight(key="child/other"))))
    assert a.take() == []
    routes.on_view(View((replace(A, status="restarting"),)))
    assert a.take() == [("child/a", 1, None)]
    routes.on_view(View((replace(A, incarnation=2, host="a#2"),)))
    assert a.take() == [("child/a", 2, "a#2")]


def test_how_a_child_is_called_is_told_after_the_route_and_again_when_that_changes(
    cluster: Cluster, routes: ChildRoutes
) -> None:
    """What an earlier life has lost is judged by what is known of that one."""
    a = Caller("child/a")
    routes.add(a)
    routes.on_view(View((replace(A, interface="i1"),)))
    assert a.take() == [("child/a", 1, "a#1"), ("called", "i1", False)]
    routes.on_view(View((replace(A, interface="i1"),)))
    assert a.take() == []
    routes.on_view(View((replace(A, interface="i2", outdated=True),)))
    assert a.take() == [("called", "i2", True)]
    routes.on_view(View((replace(A, interface="i2", incarnation=2, host="a#2"),)))
    assert a.take() == [("child/a", 2, "a#2"), ("called", "i2", False)]


def test_who_comes_later_is_told_what_was_announced(routes: ChildRoutes) -> None:
    routes.on_view(View((A,)))
    caller = Caller("child/a")
    routes.add(caller)
    assert caller.take() == [("child/a", 1, "a#1")]


def test_connections_are_opened_ahead_for_standbys_too_once_and_only_where_calls_go(
    routes: ChildRoutes, a: Caller, cluster: Cluster
) -> None:
    view = View((replace(A, standbys=("a#2",)), Sight(key="child/other", host="other#1")))
    routes.on_view(view)
    routes.on_view(view)
    assert sorted(cluster.asked) == ["a#1", "a#2"]
    assert [cluster.actors[name].described for name in ("a#1", "a#2")] == [1, 1]
    assert routes.handle("a#2") is cluster.actors["a#2"]
    routes.on_view(View((A,)))
    assert routes.handle("a#2") is None


@pytest.mark.parametrize("trouble", [None, RayError("the GCS is away")])
def test_an_actor_that_cannot_be_found_is_looked_for_again(
    routes: ChildRoutes, a: Caller, cluster: Cluster, trouble: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIND_AGAIN_S", 3600.0)
    cluster.actors["a#1"] = trouble
    routes.on_view(View((A,)))
    assert a.take() == [("child/a", 1, None)]
    cluster.put("a#1")
    routes.tick()
    assert a.take() == []
    routes._find_at = 0.0
    routes.tick()
    assert a.take() == [("child/a", 1, "a#1")]
    routes._find_at = 0.0
    routes.tick()
    assert a.take() == []


def test_a_child_that_is_gone_is_told_once_and_may_come_back(routes: ChildRoutes, a: Caller) -> None:
    gone = View((replace(A, status="given_up", last_error="OSError: no"),))
    routes.on_view(View((A,)))
    a.take()
    routes.on_view(gone)
    routes.on_view(gone)
    reason = "it was given up (last error: OSError: no)"
    assert a.take() == [("gone", "child/a", reason), ("child/a", 1, None)]
    routes.on_view(View((replace(A, status="starting", incarnation=2, host="a#2"),)))
    assert a.take() == [("back", "child/a"), ("child/a", 2, None)]
    routes.on_view(View((replace(A, incarnation=2, host="a#2"),)))
    assert a.take() == [("child/a", 2, "a#2")]


def test_a_child_that_is_no_more_in_the_view_was_deleted(routes: ChildRoutes, a: Caller) -> None:
    routes.on_view(View())
    assert a.take() == []
    routes.on_view(View((A,)))
    routes.on_view(View())
    assert a.take() == [("child/a", 1, "a#1"), ("gone", "child/a", "it was deleted")]
    routes.on_view(View((A,)))
    assert a.take() == [("back", "child/a"), ("child/a", 1, "a#1")]


@pytest.mark.parametrize(
    ("after", "patient"),
    [
        pytest.param(View((replace(A, status="stopped"),)), True, id="stopped"),
        pytest.param(View(), True, id="deleted"),
        pytest.param(View((replace(A, status="given_up"),)), False, id="given up"),
    ],
)
def test_who_can_have_ended_by_itself_may_have_said_so(
    routes: ChildRoutes, a: Caller, after: View, patient: bool
) -> None:
    routes.on_view(View((A,)))
    routes.on_view(after)
    assert a.patient == [patient]


def test_a_pool_is_told_of_all_its_members_and_of_those_that_leave(routes: ChildRoutes) -> None:
    members = tuple(Sight(key=f"child/p-{n}", role="active", group="p", host=f"p-{n}#1") for n in range(2))
    pool = Caller("p")
    routes.add(pool)
    routes.on_view(View(members, {"p": Group()}))
    assert pool.take() == [("child/p-0", 1, "p-0#1"), ("child/p-1", 1, "p-1#1")]
    assert routes.members("p") == ["child/p-0", "child/p-1"]
    routes.on_view(View(members[1:], {"p": Group()}))
    assert pool.take() == [("gone", "child/p-0", "it left the pool")]
    assert routes.members("p") == ["child/p-1"]
    assert routes.members("unheard of") == []
    routes.on_view(View(members, {"p": Group()}))
    assert pool.take() == [("child/p-0", 1, "p-0#1")]


def test_a_death_on_this_node_is_told_by_the_kernel(
    routes: ChildRoutes, a: Caller, victim: subprocess.Popen[bytes]
) -> None:
    view = View((replace(A, location=place(victim)),))
    routes.on_view(view)
    a.take()
    victim.kill()
    wait_for(lambda: bool(a.told))
    assert a.take() == [("died", "child/a", 1)]
    late = Caller("child/a")
    routes.add(late)
    routes._told.clear()
    routes.on_view(view)
    assert late.take()[-2:] == [("child/a", 1, "a#1"), ("died", "child/a", 1)]


def test_one_that_is_dead_when_it_is_announced_is_told_so(
    routes: ChildRoutes, a: Caller, victim: subprocess.Popen[bytes]
) -> None:
    where = place(victim)
    victim.kill()
    victim.wait()
    routes.on_view(View((replace(A, location=where),)))
    assert a.take() == [("child/a", 1, "a#1"), ("died", "child/a", 1)]


def test_processes_of_other_nodes_are_left_to_ray(
    routes: ChildRoutes, a: Caller, victim: subprocess.Popen[bytes]
) -> None:
    routes.on_view(View((replace(A, location=place(victim, "elsewhere")),)))
    assert routes._deaths._descriptors == {}


def test_a_death_of_one_that_nobody_calls_any_more_is_nobodys_business(routes: ChildRoutes) -> None:
    routes._on_death("z#1")
    assert "z#1" in routes._dead
    routes.add(Caller("child/a"))
    routes.on_view(View((A,)))
    assert routes._dead == set()
