"""What a view says about single children and pools."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from supervisor.children.sightings import Member, look_at


@dataclass(frozen=True, kw_only=True)
class Sight:
    key: str
    status: str = "running"
    role: str = "service"
    location: Any = None
    last_error: str = ""
    incarnation: int = 1
    host: str = "h#1"
    standbys: tuple[str, ...] = ()
    group: str = "root"
    adopted: bool = False
    interface: str = ""
    outdated: bool = False


@dataclass(frozen=True)
class Group:
    status: str = "running"
    failure: str | None = None


@dataclass(frozen=True)
class View:
    children: tuple[Sight, ...] = ()
    groups: dict[str, Group] = field(default_factory=dict[str, Group])


def test_a_running_child_is_where_its_host_is_and_its_standbys_are_worth_a_connection() -> None:
    view = View((Sight(key="child/a"), Sight(key="child/b", incarnation=4, host="b#4", standbys=("b#5",))))
    (seen,) = look_at(view, ["child/b"])
    assert (seen.known, seen.gone, seen.actors) == (True, None, {"b#4", "b#5"})
    assert seen.members == (Member(key="child/b", incarnation=4, host="b#4", location=None),)


def test_how_a_child_is_called_and_whether_what_serves_is_of_an_earlier_spec() -> None:
    (seen,) = look_at(View((Sight(key="child/a", interface="i2", outdated=True),)), ["child/a"])
    assert [(member.interface, member.outdated) for member in seen.members] == [("i2", True)]


def test_a_child_that_does_not_run_has_nobody_to_call() -> None:
    (seen,) = look_at(View((Sight(key="child/a", status="restarting", standbys=("a#2",)),)), ["child/a"])
    assert (seen.members[0].host, seen.gone, seen.actors) == (None, None, {"a#2"})


def test_a_child_that_is_being_adopted_serves_as_it_did() -> None:
    (seen,) = look_at(View((Sight(key="child/a", status="starting", host="a#1", adopted=True),)), ["child/a"])
    assert (seen.members[0].host, seen.actors) == ("a#1", {"a#1"})


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        ("given_up", "OSError: no", r"it was given up (last error: OSError: no)"),
        ("stopped", "", "it was stopped, or ended normally"),
        ("ignored", "", "its constructor said that there is nothing to run"),
    ],
)
def test_why_a_child_is_gone(status: str, error: str, reason: str) -> None:
    (seen,) = look_at(View((Sight(key="child/a", status=status, last_error=error),)), ["child/a"])
    assert seen.gone == reason


def test_what_the_view_does_not_know() -> None:
    assert [seen.known for seen in look_at(View(), ["child/a", "shop.pool"])] == [False, False]


def test_a_pool_has_its_members_and_those_that_stand_by_get_no_calls() -> None:
    view = View(
        (
            Sight(key="child/p-0", role="active", group="p", host="p-0#1"),
            Sight(key="child/p-1", role="standby", group="p", host="p-1#1"),
            Sight(key="child/p-2", status="stopped", group="p", host="p-2#1"),
            Sight(key="child/x"),
        ),
        {"p": Group()},
    )
    (seen,) = look_at(view, ["p"])
    assert (seen.known, seen.gone, seen.actors) == (True, None, {"p-0#1", "p-1#1"})
    assert [(member.key, member.host) for member in seen.members] == [("child/p-0", "p-0#1"), ("child/p-1", None)]


def test_a_pool_that_was_given_up_says_why() -> None:
    given_up, stopped = Group("given_up", "too many restarts"), Group("stopped")
    seen = look_at(View((), {"p": given_up, "q": stopped}), ["p", "q"])
    assert [one.gone for one in seen] == ["it was given up: too many restarts", "it was stopped, or ended normally"]
