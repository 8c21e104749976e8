"""A member is found in its group by its path or key, and what was done with it is said in a line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from supervisor.cli import administering
from supervisor.cli.administering import show_members
from supervisor.cli.main import main
from supervisor.group import Counts
from supervisor.messages import ChildView, GroupView


@dataclass
class FakeGroup:
    """Notes what is asked of it. Stands in for `Group`, whose methods the commands take from the class."""

    path: str
    asked: list[Any]

    def terminate(self, name: str) -> None:
        self.asked.append(("terminate", self.path, name))

    def restart(self, name: str, *, terminate_first: bool) -> None:
        self.asked.append(("replace" if terminate_first else "restart", self.path, name))

    def delete(self, name: str) -> None:
        self.asked.append(("delete", self.path, name))

    def resize(self, name: str, *, size: int | None, standbys: int | None) -> None:
        self.asked.append(("resize", self.path, name, size, standbys))

    def spec(self, name: str) -> dict[str, str]:
        return {"path": self.path, "name": name}

    def children(self) -> list[ChildView | GroupView]:
        return []

    def count(self) -> Counts:
        return Counts(specs=0, active=0, supervisors=0, workers=0)


@dataclass
class FakeHandle:
    asked: list[Any] = field(default_factory=list[Any])

    @property
    def root(self) -> FakeGroup:
        return FakeGroup("root", self.asked)

    def group_of(self, path: str) -> FakeGroup:
        return FakeGroup(path, self.asked)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> FakeHandle:
    made = FakeHandle()
    monkeypatch.setattr(administering, "attached", lambda name, address: made)
    monkeypatch.setattr(administering, "Group", FakeGroup)
    return made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize(
    ("member", "group", "own"),
    [("cart", "root", "cart"), ("shop.eu.cart", "shop.eu", "cart"), ("child/shop.cart", "shop", "cart")],
)
def test_a_member_is_looked_for_in_its_group(handle: FakeHandle, member: str, group: str, own: str) -> None:
    ended = run("terminate", member)
    assert (ended.exit_code, ended.output) == (0, f"{member}: ended\n")
    assert handle.asked == [("terminate", group, own)]


def test_what_runs_may_be_ended_before(handle: FakeHandle) -> None:
    assert run("delete", "shop.cart").output == "shop.cart: deleted\n"
    assert run("delete", "shop.cart", "--terminate-first").output == "shop.cart: deleted\n"
    assert handle.asked == [("delete", "shop", "cart"), ("terminate", "shop", "cart"), ("delete", "shop", "cart")]


def test_a_restart_of_what_runs_is_one_request(handle: FakeHandle) -> None:
    assert run("restart", "shop.cart").output == "shop.cart: runs again\n"
    assert run("restart", "shop.cart", "--terminate-first").output == "shop.cart: runs again\n"
    assert handle.asked == [("restart", "shop", "cart"), ("replace", "shop", "cart")]


def test_numbers_are_changed_together_or_one_by_one(handle: FakeHandle) -> None:
    assert run("resize", "p", "--size", "3", "--standbys", "0").output == "p: 3 members, 0 standing by\n"
    assert run("resize", "p", "--standbys", "2").output == "p: 2 standing by\n"
    assert handle.asked == [("resize", "root", "p", 3, 0), ("resize", "root", "p", None, 2)]
    assert run("resize", "p").exit_code == 2


def test_settings_and_members_are_printed(handle: FakeHandle) -> None:
    assert run("spec", "shop.cart").output == "path: shop\nname: cart\n"
    for arguments in (("children",), ("children", "shop")):
        assert run(*arguments).output.splitlines()[-1] == "0 members: 0 active, 0 groups, 0 children"
    assert handle.asked == []


def test_members_are_shown_a_line_each_and_what_went_wrong_below() -> None:
    child = ChildView(
        key="child/shop.cart",
        name="s/child/shop.cart#3",
        status="running",
        role="service",
        restarts=2,
        location=None,
        last_error="its process ended",
    )
    group = GroupView(
        path="shop.eu",
        parent="shop",
        strategy="rest_for_one",
        status="given_up",
        members=(),
        restarts=4,
        intensity=1,
        period_s=5.0,
        failure="too many restarts",
    )
    console = Console(width=80)
    with console.capture() as captured:
        show_members([child, group], Counts(specs=2, active=1, supervisors=1, workers=1), console)
    lines = captured.get().splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["member", "kind", "status", "restarts", "actor"],
        ["shop.cart", "child", "running", "2", "s/child/shop.cart#3"],
        ["shop.eu", "rest_for_one", "given_up", "4"],
    ]
    assert lines[3:] == [
        "shop.cart: its process ended",
        "shop.eu: too many restarts",
        "2 members: 1 active, 1 groups, 1 children",
    ]
