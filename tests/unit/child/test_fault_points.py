"""Faults at a child's point: what does not arrive is not begun, what is not answered has run, errors are answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from actors.child.protocol import pack_call
from actors.runtime.fault_control import fault_put, fault_take
from actors.runtime.fault_points import CHILD_CALL, ON, InjectedUnavailableError
from tests.unit.child.loop_home import Soon, home_of
from tests.unit.child.plain_home import KEY, Counter, Home
from tests.unit.child.scene import value_of


@pytest.fixture(autouse=True)
def nothing_is_left_on() -> Iterator[None]:
    yield
    fault_take(list(ON))


def put(kind: str, subject: str = KEY, **changed: Any) -> None:
    order = {"fault_id": kind, "run": "r", "point": CHILD_CALL, "subject": subject, "kind": kind, "left_s": 60.0}
    fault_put([{**order, **changed}])


def test_what_does_not_arrive_is_sent_again_and_begins_once() -> None:
    home = Home(Counter)
    header, payload = home.caller.header("add"), home.caller.payload(3)
    for kind in ("unavailable", "lost_request"):
        put(kind)
        with pytest.raises(InjectedUnavailableError):
            home.shell.call_packed(pack_call(KEY, header, payload))
        fault_take([kind])
    assert value_of(home.shell.call(KEY, header, payload)) == 3


def test_what_was_not_answered_is_answered_again_and_has_run_once() -> None:
    home = Home(Counter)
    header, payload = home.caller.header("add"), home.caller.payload(3)
    put("lost_reply")
    with pytest.raises(InjectedUnavailableError):
        home.shell.call(KEY, header, payload)
    fault_take(["lost_reply"])
    assert value_of(home.shell.call(KEY, header, payload)) == 3
    assert home.value("add", 1) == 4


def test_an_error_is_the_answer_and_the_method_does_not_run() -> None:
    home = Home(Counter)
    put("error", error="builtins:ConnectionError", message="no route")
    with pytest.raises(ConnectionError, match="no route"):
        home.value("add", 3)
    with pytest.raises(ConnectionError, match="no route"):
        value_of(next(home.stream("count", 2)))
    fault_take(["error"])
    assert home.value("add", 1) == 1


def test_a_stream_does_not_begin_or_loses_an_item() -> None:
    home = Home(Counter)
    put("lost_request")
    with pytest.raises(InjectedUnavailableError):
        next(home.stream("count", 2))
    fault_take(["lost_request"])
    items = home.stream("count", 2)
    assert value_of(next(items)) == 0
    put("lost_reply")
    with pytest.raises(InjectedUnavailableError):
        next(items)


def test_other_children_are_not_hit() -> None:
    put("error", subject="child/b")
    put("unavailable", subject="child/b")
    assert Home(Counter).value("add", 1) == 1


async def test_on_an_event_loop_it_is_the_same() -> None:
    home = await home_of(Soon)
    caller = home.caller()
    header, payload = caller.header("add"), caller.payload(3)
    for kind in ("lost_request", "lost_reply"):
        put(kind)
        with pytest.raises(InjectedUnavailableError):
            await home.shell.call(KEY, header, payload)
        fault_take([kind])
    assert value_of(await home.shell.call(KEY, header, payload)) == 3
    put("error", error="builtins:ConnectionError", message="no route")
    with pytest.raises(ConnectionError, match="no route"):
        await home.value("add", 3)
    fault_take(["error"])
    assert await home.value("add", 1) == 4
