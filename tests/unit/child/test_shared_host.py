"""Several children in one actor, in this process: each on a thread or an event loop of its own."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from typing import Any

import pytest

from actors.child.protocol import BUILT, IGNORED, STALE, Answer
from actors.runtime.errors import ChildStartError
from tests.unit.child.loop_home import Home, Soon
from tests.unit.child.plain_home import Careful, Counter, Refusing
from tests.unit.child.scene import DEADLINE_S, value_of

GATES: dict[str, threading.Event] = {}


class Gated:
    """Waits for gates: in its constructor, in a call, when it stops."""

    def __init__(self, gate: str) -> None:
        if gate:
            GATES[gate].wait(DEADLINE_S)

    def wait(self) -> bool:
        return GATES["call"].wait(DEADLINE_S)

    def stop(self) -> None:
        GATES["stopping"].set()
        GATES["stop"].wait(DEADLINE_S)


class Rows:
    """Bound to the thread that made it."""

    def __init__(self) -> None:
        self.rows = sqlite3.connect(":memory:")
        self.rows.execute("create table rows (value)")

    def insert(self, value: int) -> int:
        self.rows.execute("insert into rows values (?)", (value,))
        return self.rows.execute("select count(*) from rows").fetchone()[0]

    def each(self) -> Any:
        for (value,) in self.rows.execute("select value from rows"):
            yield value

    def endless(self) -> Any:
        while True:
            yield 0


async def shared_home() -> Home:
    home = Home(shared=True)
    await home.build(Rows, key="child/rows")
    await home.build(Soon, key="child/soon")
    await home.build(Careful, key="child/careful", checkpoint=60.0)
    return home


async def test_members_live_on_threads_and_loops_of_their_own():
    home = await shared_home()
    assert [await home.value("insert", value, key="child/rows") for value in (5, 6)] == [1, 2]
    assert await home.value("add", 3, key="child/soon") == 3
    assert (await home.value("plain", key="child/soon"))[1] == "s/child/soon#1"
    assert await home.value("add", 1, key="child/careful") == 1
    assert await home.call("add", 1, key="child/nobody") == STALE
    assert set(home.shell.heartbeat(1)["members"]) == {"child/rows", "child/soon", "child/careful"}


async def test_streams_of_members_cross_threads_and_loops():
    home = await shared_home()
    await home.value("insert", 5, key="child/rows")
    assert [value_of(answer) async for answer in home.stream("each", key="child/rows")] == [5]
    assert [value_of(answer) async for answer in home.stream("count", 200, key="child/soon")] == list(range(200))
    assert [answer[0] async for answer in home.stream("nothing", key="child/rows")] == ["error"]


@pytest.mark.parametrize(("method", "args", "key"), [("endless", (), "child/rows"), ("count", (10**9,), "child/soon")])
async def test_a_stream_that_nobody_wants_any_more_frees_its_member(method, args, key):
    home = await shared_home()
    stream = home.stream(method, *args, key=key)
    await anext(stream)
    await stream.aclose()
    answer = await asyncio.wait_for(home.call("nothing", key=key), DEADLINE_S)
    assert answer[0] == "error"


async def test_one_member_s_exit_leaves_the_others_alone():
    home = await shared_home()
    assert await home.call("leave", 0, key="child/careful") == ("exited", b"normal")
    assert home.ports.exits == [("s/child/careful#1", "normal")]
    assert await home.call("add", 1, key="child/careful") == STALE
    assert await home.call("leave", 3, key="child/soon") == ("exited", b"crash")
    assert await home.value("insert", 1, key="child/rows") == 1
    assert home.ended == []


async def test_a_member_is_stopped_alone_or_with_all():
    home = await shared_home()
    Careful.said.clear()
    await home.shell.stop_member(1, "child/soon")
    assert set(home.shell.heartbeat(1)["members"]) == {"child/rows", "child/careful"}
    await home.shell.stop(1)
    assert Careful.said == ["stopped at 0"]
    assert home.shell.heartbeat(1)["members"] == {}


async def test_a_later_incarnation_takes_the_place_of_an_earlier_one():
    home = await shared_home()
    await home.value("add", 5, key="child/soon")
    home.incarnation = 2
    assert await home.build(Soon, key="child/soon") == BUILT
    home.callers.clear()
    assert await home.value("add", 1, key="child/soon") == 1


async def test_a_member_that_cannot_be_built_leaves_nothing_behind():
    home = await shared_home()
    assert await home.build(Refusing, key="child/ignored") == IGNORED
    with pytest.raises(ChildStartError):
        await home.build(Counter, "too", "many", "arguments", key="child/broken")
    assert len(home.shell.heartbeat(1)["members"]) == 3


async def test_who_waits_in_its_constructor_holds_nobody_else_up_and_can_be_ended():
    home = await shared_home()
    gate = GATES["slow"] = threading.Event()
    slow = asyncio.ensure_future(home.build(Gated, "slow", key="child/slow"))
    again = asyncio.ensure_future(home.build(Gated, "slow", key="child/slow"))
    await asyncio.wait_for(home.build(Counter, key="child/quick"), DEADLINE_S)
    home.shell.fence(1, "child/slow", 1)
    gate.set()
    for building in (slow, again):
        with pytest.raises(ChildStartError, match="ended while it started"):
            await building
    assert await home.call("add", 1, key="child/slow") == STALE
    assert "child/slow" not in home.shell.heartbeat(1)["members"]
    assert (home.shell._building, home.shell._coming) == ({}, {})


async def test_what_was_ended_before_it_came_is_not_built():
    home = await shared_home()
    home.shell.fence(1, "child/late", 1)
    with pytest.raises(ChildStartError, match="ended while it started"):
        await home.build(Counter, key="child/late")
    home.incarnation = 2
    assert await home.build(Counter, key="child/late") == BUILT
    home.shell.fence(1, "child/late", 1)
    assert await home.value("add", 1, key="child/late") == 1, "an order about an earlier one is not about it"
    home.shell.fence(1, "child/late")
    assert await home.call("add", 1, key="child/late") == STALE


async def test_only_so_many_ended_ones_are_remembered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("actors.child.host_actor.FENCED_KEPT", 2)
    home = await shared_home()
    for name in "abc":
        home.shell.fence(1, f"child/{name}", 1)
    assert list(home.shell._fenced) == ["child/b", "child/c"]


async def test_one_that_does_not_stop_is_waited_for_until_it_is_fenced():
    home = await shared_home()
    gate, reached = GATES["stop"], GATES["stopping"] = threading.Event(), threading.Event()
    await home.build(Gated, "", key="child/stuck")
    stopping = asyncio.ensure_future(home.shell.stop_member(1, "child/stuck"))
    await asyncio.to_thread(reached.wait, DEADLINE_S)
    home.shell.fence(1, "child/stuck", 1)
    await asyncio.wait_for(stopping, DEADLINE_S)
    assert home.shell._winding_down == {}
    gate.set()


async def test_a_host_ends_once_what_is_due_is_answered():
    home = Home(shared=True)
    await home.build(Gated, "", key="child/a")
    gate = GATES["call"] = threading.Event()
    call = asyncio.ensure_future(home.call("wait"))
    await asyncio.sleep(0)
    retiring = asyncio.ensure_future(home.shell.retire(1))
    await asyncio.sleep(0)
    assert not retiring.done()
    gate.set()
    assert value_of(await call) is True
    await asyncio.wait_for(retiring, DEADLINE_S)
    while home.ended != ["retired"]:
        await asyncio.sleep(0)


async def test_a_standby_member_takes_over():
    home = Home(shared=True, incarnation=2)
    await home.build(Counter, key="child/a", role="standby")
    answer: Answer = await home.call("add", 4)
    assert value_of(answer) == 4
    await home.build(Counter, key="child/b", role="standby")
    await home.shell.activate(1, "child/b", 2)
    assert await home.value("add", 1, key="child/b") == 1
