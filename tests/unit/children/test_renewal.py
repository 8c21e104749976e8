"""Interfaces that were changed are looked up anew: together, until they are the announced ones."""

from __future__ import annotations

from collections.abc import Callable, Collection
from threading import Event
from typing import Any

import pytest

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import LeaderUnreachableError
from supervisor.children import renewal as module
from supervisor.children.interface import ChildInterface
from supervisor.children.renewal import Renewal
from tests.unit.children.rig import PATIENCE_S, Cart

OLD, NEW = ChildInterface.of(Cart), ChildInterface.of(Cart, concurrency=2)


class Caller:
    """The calls to one child."""

    def __init__(self) -> None:
        self.interface = OLD

    @property
    def is_behind(self) -> bool:
        return self.interface is OLD

    def take(self, interface: ChildInterface) -> None:
        self.interface = interface


class Leader:
    """Answers with what the test puts here; `known` None is no answer."""

    def __init__(self) -> None:
        self.known: dict[str, ChildInterface] | None = {"a": NEW, "b": NEW}
        self.asked: list[list[str]] = []
        self.may_answer = Event()

    def look_up(self, keys: Collection[str]) -> dict[str, ChildInterface]:
        self.asked.append(sorted(keys))
        assert self.may_answer.wait(PATIENCE_S)
        if self.known is None:
            raise LeaderUnreachableError("s", what="the tree", waited_s=1.0)
        return {key: self.known[key] for key in keys if key in self.known}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.001)


def renewal(leader: Leader, **callers: Any) -> Renewal:
    made = Renewal(callers.get)
    made.look_up = leader.look_up
    return made


def wait_for(condition: Callable[[], Any]) -> None:
    until = SYSTEM_CLOCK.now() + PATIENCE_S
    while not condition():
        assert SYSTEM_CLOCK.now() < until
        sleep(0.001)


def test_what_is_wanted_meanwhile_is_asked_for_together() -> None:
    leader, a, b = Leader(), Caller(), Caller()
    renewing = renewal(leader, a=a, b=b)
    renewing.want("a")
    wait_for(lambda: leader.asked)
    renewing.want("b")
    renewing.want("gone")
    renewing.want("b")
    leader.may_answer.set()
    wait_for(lambda: renewing._thread is None)
    assert (a.interface, b.interface) == (NEW, NEW)
    assert leader.asked == [["a"], ["b", "gone"]]


@pytest.mark.parametrize("known", [None, {"a": OLD}], ids=["nobody answers", "the answer is old"])
def test_it_asks_until_the_announced_one_is_there(known: dict[str, ChildInterface] | None) -> None:
    leader, a = Leader(), Caller()
    leader.known = known
    leader.may_answer.set()
    renewing = renewal(leader, a=a)
    renewing.want("a")
    wait_for(lambda: len(leader.asked) > 2)
    leader.known = {"a": NEW}
    wait_for(lambda: renewing._thread is None)
    assert a.interface is NEW


def test_of_what_is_gone_it_does_not_ask_again() -> None:
    leader, a = Leader(), Caller()
    leader.known = {}
    leader.may_answer.set()
    renewing = renewal(leader, a=a)
    renewing.want("a")
    wait_for(lambda: renewing._thread is None)
    assert (leader.asked, a.interface) == ([["a"]], OLD)


def test_after_the_end_nothing_is_asked() -> None:
    leader, a = Leader(), Caller()
    leader.known = None
    renewing = renewal(leader, a=a)
    renewing.want("a")
    wait_for(lambda: leader.asked)
    renewing.close()
    leader.may_answer.set()
    wait_for(lambda: renewing._thread is None)
    renewing.want("a")
    assert renewing._thread is None
    assert leader.asked == [["a"]]


def test_without_a_leader_nothing_is_known() -> None:
    renewing = Renewal({"a": Caller()}.get)  # pyright: ignore[reportArgumentType] - as far as it looks at callers
    renewing.want("a")
    wait_for(lambda: renewing._thread is None)
