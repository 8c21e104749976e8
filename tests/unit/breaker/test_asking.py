"""People's requests on their way to owners, some of which are not there; only Ray is stood in for."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import Any

import pytest

from actors.breaker import asking
from actors.breaker import messages as m
from actors.breaker.asking import Desk, request_of
from actors.breaker.errors import BreakerUnreachableError
from actors.runtime.errors import SupervisorClosedError
from tests.unit.breaker.far import FIRST, WAIT_S, Owner

MANY = 40
"""More requests than a desk has threads."""


class Homes:
    """One breaker's owner is there, the others' are not."""

    def owner_of(self, name: str) -> str | None:
        return FIRST if name == "bank" else None

    def want(self, name: str, timeout_s: float = 0.0) -> None:
        """There will be none."""

    def names_max(self) -> int:
        return 100


@pytest.fixture
def desk() -> Iterator[Desk]:
    owner = Owner()  # it answers by an error, so that Ray is not needed to see that it was asked
    made = Desk("s", Homes(), lambda _said: None, lambda _name: owner)
    yield made
    made.close()


def control(desk: Desk, name: str) -> Any:
    asked = m.ControlRequested(action="force_open", who="ann", reason="drill")
    return desk.control(request_of("k", name, asked), told=False)


def test_who_asks_an_owner_that_is_there_does_not_wait_for_those_that_are_not(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(asking, "PATIENCE_S", 10 * WAIT_S)
    lost = [control(desk, f"lost-{number}") for number in range(MANY)]
    lost += [desk.view(f"lost-{number}") for number in range(MANY)]
    with pytest.raises(RuntimeError, match="answers nobody"):
        control(desk, "bank").result(WAIT_S)
    assert [each.done() for each in lost] == [False] * 2 * MANY


def test_one_that_is_never_there_is_told_and_what_waits_at_the_end_is_cancelled(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(asking, "PATIENCE_S", 0.1)
    with pytest.raises(BreakerUnreachableError, match="nobody answered"):
        control(desk, "lost").result(WAIT_S)
    monkeypatch.setattr(asking, "PATIENCE_S", 10 * WAIT_S)
    waiting = [control(desk, "lost") for _ in range(MANY)]
    desk.close()
    for each in waiting:
        with pytest.raises((CancelledError, RuntimeError)):
            each.result(WAIT_S)


def test_whoever_looks_at_a_silent_one_again_and_again_waits_with_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(asking, "SHARED_AFTER_S", 0.0)
    views = {id(desk.view("lost")) for _ in range(MANY)}
    assert len(views) == 1
    answered = desk.view("bank")
    with pytest.raises(AttributeError, match="views"):  # this stand-in has no such method
        answered.result(WAIT_S)
    assert desk.view("bank") is not answered


def test_whoever_asks_after_the_end_is_told_that_the_handle_is_shut_down(desk: Desk):
    desk.close()
    for asked in (control(desk, "bank"), desk.view("bank")):
        with pytest.raises(SupervisorClosedError, match="the handle of supervisor 's' is shut down"):
            asked.result(WAIT_S)
