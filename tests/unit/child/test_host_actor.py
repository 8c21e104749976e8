"""Asynchronous and shared hosts in this process: event loops, threads of members, and streams across them."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from actors.child.actor import HOST_CONCURRENCY, ChildActor, HostActor, SharedHostActor, hosting_of
from actors.child.protocol import BUILT, FORGOTTEN, IGNORED, STALE, STALE_NOT_RUN, STANDBY, pack_call, unpack_answer
from actors.runtime.errors import ChildStartError, ChildStateError, IgnoreChild, StaleIncarnationError
from tests.unit.child.loop_home import KEY, Home, Soon, SoonCareful, home_of
from tests.unit.child.plain_home import Counter
from tests.unit.child.scene import DEADLINE_S, Caller, recipe, value_of

# -- an asynchronous child alone -------------------------------------------------------------------------------------


async def test_coroutines_and_plain_methods_are_called():
    home = await home_of(Soon, 5)
    assert await home.value("add", 1) == 6
    assert await home.value("plain") == (6, threading.current_thread().name)
    reply = await home.shell.call_packed(pack_call(KEY, home.caller().header("add"), Caller.payload(1)))
    assert value_of(unpack_answer(reply)) == 7


async def test_it_hosts_only_itself_and_builds_each_incarnation_once():
    home = await home_of()
    assert await home.build() == BUILT
    with pytest.raises(ValueError, match="hosts no other child"):
        await home.build(key="child/b")
    with pytest.raises(StaleIncarnationError):
        await home.shell.build(1, recipe(Soon), 0, "active")


class SoonRefusing(Soon):
    """Has nothing to do, or cannot."""

    def __init__(self, how: str) -> None:
        if how == "ignore":
            raise IgnoreChild
        sys.exit(3)


async def test_a_constructor_may_ignore_or_end():
    home = Home()
    assert await home.build(SoonRefusing, "ignore") == IGNORED
    with pytest.raises(ChildStartError) as caught:
        await home.build(SoonRefusing, "exit")
    assert (caught.value.exit_class, home.ended) == ("crash", ["crash"])
    assert await home.call("add", 1) == STALE


@pytest.mark.parametrize("at_once", [1, 3])
async def test_calls_that_arrive_in_any_order_start_in_theirs_and_so_many_at_once(at_once):
    home = await home_of(max_concurrency=at_once)
    home.caller().settles = False
    headers = [home.caller().header("add") for _ in range(50)]
    payload = Caller.payload(1)
    answers = await asyncio.gather(*(home.shell.call(KEY, header, payload) for header in reversed(headers)))
    assert [value_of(answer) for answer in reversed(answers)] == list(range(1, 51))
    await asyncio.gather(*(home.call("add", 1) for _ in range(10)))
    assert await home.value("most_at_once") == at_once


async def test_a_plain_child_that_runs_several_calls_has_threads_in_an_asynchronous_host():
    home = await home_of(Counter, max_concurrency=4)
    home.caller().settles = False
    headers = [home.caller().header("add") for _ in range(50)]
    answers = await asyncio.gather(*(home.shell.call(KEY, header, Caller.payload(1)) for header in reversed(headers)))
    assert {answer[0] for answer in answers} == {"ok"}
    assert await home.value("add", 0) == 50


@pytest.mark.parametrize(
    ("changes", "shared", "expectation"),
    [
        ({}, False, (ChildActor, 1)),
        ({"asynchronous": True}, False, (HostActor, HOST_CONCURRENCY)),
        ({"max_concurrency": 4}, False, (HostActor, HOST_CONCURRENCY)),
        ({}, True, (SharedHostActor, HOST_CONCURRENCY)),
    ],
)
def test_each_kind_of_child_has_its_kind_of_actor(changes, shared, expectation):
    kind, at_once = hosting_of(recipe(Counter, **changes), shared=shared)
    assert (kind.__ray_metadata__.modified_class.__name__, at_once) == (expectation[0].__name__, expectation[1])


async def test_a_repeat_waits_for_the_running_call():
    home = await home_of()
    header, payload = home.caller().header("add"), Caller.payload(1)
    answers = await asyncio.gather(*(home.shell.call(KEY, header, payload) for _ in range(3)))
    assert [value_of(answer) for answer in answers] == [1, 1, 1]


async def test_an_early_call_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr("actors.child.gate.EARLY_PATIENCE_S", 0.01)
    home = await home_of()
    home.caller().settles = False
    home.caller().header("add")
    assert await home.call("add", 1) == ("expected", b"1")
    assert home.shell._members[KEY].gate._waiting == {}


async def test_a_cancelled_call_lets_the_next_one_in():
    home = await home_of()
    call = asyncio.ensure_future(home.call("wait"))
    waiting = asyncio.ensure_future(home.call("wait"))
    await asyncio.sleep(0.01)
    waiting.cancel()
    call.cancel()
    await asyncio.wait((call, waiting))
    assert await home.value("add", 1) == 1


async def test_who_waits_is_told_of_a_fence():
    home = await home_of(max_concurrency=2)
    header = home.caller().header("wait")
    running = asyncio.ensure_future(home.shell.call(KEY, header, Caller.payload()))
    repeat = asyncio.ensure_future(home.shell.call(KEY, header, Caller.payload()))
    await asyncio.sleep(0.01)
    home.shell.fence(1, KEY)
    assert await repeat == STALE
    running.cancel()


async def test_what_waits_for_its_turn_when_the_child_is_fenced_never_runs():
    home = await home_of()
    running = asyncio.ensure_future(home.call("wait"))
    waiting = asyncio.ensure_future(home.call("add", 1))
    await asyncio.sleep(0.01)
    home.shell.fence(1, KEY)
    running.cancel()
    assert await waiting == STALE_NOT_RUN


@pytest.mark.parametrize(("code", "exit_class"), [(0, "normal"), (3, "crash")])
async def test_the_user_s_code_may_end_the_child(code, exit_class):
    home = await home_of()
    assert await home.call("leave", code) == ("exited", exit_class.encode())
    assert home.ports.exits == [(f"s/{KEY}#1", exit_class)]
    assert home.ended == [exit_class]


async def test_streams_of_both_kinds():
    home = await home_of()
    assert [value_of(answer) async for answer in home.stream("count", 3)] == [0, 1, 2]
    assert [value_of(answer) async for answer in home.stream("count_plainly", 3)] == [0, 1, 2]
    for how in ("fail", "lock"):
        assert [answer[0] async for answer in home.stream("count", 1, how)] == ["ok", "error"]
    with pytest.raises(TypeError, match="call it plainly"):
        [value_of(answer) async for answer in home.stream("add", 1)]
    assert [answer[0] async for answer in home.stream("count", 1, "exit")] == ["ok", "exited"]
    assert [answer async for answer in home.stream("count", 1)] == [STALE_NOT_RUN]
    assert [answer async for answer in home.stream("count", 1, key="child/b")] == [STALE]


async def test_a_stream_that_is_fenced_or_left_ends():
    home = await home_of()
    for method in ("count", "count_plainly"):
        stream = home.stream(method, 10**9)
        await anext(stream)
        await stream.aclose()
    stream = home.stream("count", 10)
    await anext(stream)
    home.shell.fence(1, KEY)
    assert [answer async for answer in stream] == [STALE]


async def test_a_repeat_of_a_stream_is_forgotten():
    home = await home_of()
    header = home.caller().header("count")
    for expectation in (2, 1):
        answers = [answer async for answer in home.shell.stream(KEY, header, Caller.payload(2))]
        assert len(answers) == expectation
    assert answers == [FORGOTTEN]


async def test_a_standby_takes_over_for_a_caller_or_a_leader():
    old = await home_of(SoonCareful, checkpoint="each_call")
    await old.value("add", 7)
    first = await home_of(SoonCareful, role="standby", incarnation=2, ports=old.ports, checkpoint="each_call")
    assert await first.shell.call(KEY, ("x", 1, 0, "add", 1), Caller.payload(1)) == STANDBY
    assert await first.value("add", 1) == 8
    second = await home_of(SoonCareful, role="standby", incarnation=3, ports=old.ports, checkpoint="each_call")
    for _ in range(2):
        await second.shell.activate(1, KEY, 3)
    assert (await second.value("plain"))[0] == 8
    third = await home_of(role="standby", incarnation=4)
    assert [value_of(answer) async for answer in third.stream("count", 1)] == [0]


async def test_a_standby_that_cannot_take_its_state_up_hands_it_on(monkeypatch: pytest.MonkeyPatch):
    old = await home_of(SoonCareful, checkpoint="each_call")
    await old.value("add", 7)
    newest = old.ports.store.checkpoints.pop()
    standby = await home_of(SoonCareful, role="standby", incarnation=2, ports=old.ports, checkpoint="each_call")
    standby.shell.keep(KEY, 1, newest.number, newest.state, recipe(SoonCareful, checkpoint="each_call").form)
    with monkeypatch.context() as patch:
        patch.setattr(SoonCareful, "restore", lambda self, state: 1 / 0)
        with pytest.raises(ChildStartError, match="ZeroDivisionError"):
            await standby.shell.activate(1, KEY, 2)
    after = await home_of(SoonCareful, incarnation=3, ports=old.ports, checkpoint="each_call")
    assert await after.value("add", 0) == 7


async def test_a_standby_whose_state_cannot_be_read_stays_one():
    home = await home_of(role="standby", checkpoint="each_call")
    home.ports.store.trouble = OSError("away")
    assert await home.call("add", 1) == STANDBY
    assert home.ports.records[0][1] == "takeover_failed"


async def test_each_call_is_kept_before_it_is_answered():
    home = await home_of(checkpoint="each_call")
    assert await home.value("add", 1) == 1
    assert len(home.ports.store.checkpoints) == 1
    home.ports.store.trouble = OSError("disk full")
    assert (await home.call("add", 1))[0] == "error"
    home.ports.store.trouble = None
    with pytest.raises(ChildStateError):
        await home.value("spoil")


async def test_a_checkpoint_on_request_and_at_intervals(eventually):
    home = await home_of(checkpoint=0.01)
    await home.value("add", 1)
    number = await home.shell.checkpoint_now(1, KEY)
    assert home.ports.store.checkpoints[-1].number >= number
    home.shell.fence(1, KEY)


async def test_a_stop_waits_for_what_runs_and_keeps_the_state():
    SoonCareful.said.clear()
    home = await home_of(SoonCareful, checkpoint=60.0, max_concurrency=3)
    running = [asyncio.ensure_future(home.call("add", 1)) for _ in range(3)]
    await asyncio.sleep(0)
    await home.shell.stop(1)
    assert [(await call)[0] for call in running] == ["ok"] * 3
    assert SoonCareful.said == ["stopped at 3"]
    assert home.ports.records == [(f"s/{KEY}#1", "stop_failed", "RuntimeError: not quite")]
    after = await home_of(SoonCareful, checkpoint=60.0, incarnation=2, ports=home.ports)
    assert await after.value("add", 0) == 3


async def test_a_child_without_checkpoints_stops_without_one():
    home = await home_of()
    await home.shell.stop_member(1, KEY)
    assert await home.call("add", 1) == STALE_NOT_RUN


async def test_health_may_be_a_coroutine():
    home = await home_of(SoonCareful)
    home.shell.heartbeat(1)
    await asyncio.sleep(0.01)
    assert home.shell.heartbeat(1)["unhealthy"] == {KEY: "health() returned False"}


async def test_standbys_are_attended_without_blocking():
    home = await home_of(checkpoint="each_call")
    await home.value("add", 1)
    assert await home.shell.attend(1, KEY, ()) == ()
    assert len(home.ports.store.checkpoints) == 1


async def test_a_watch_is_released_by_the_same_watcher_s_next():
    home = Home()
    first = asyncio.ensure_future(home.shell.watch("leader"))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(home.shell.watch("leader"))
    await asyncio.wait_for(first, DEADLINE_S)
    ending = OSError("it ends")
    home.shell.fail_watches(ending)
    for watching in (second, home.shell.watch("leader")):
        with pytest.raises(OSError, match="it ends"):
            await watching
    assert home.shell._releases == {}, "nothing is left of those that ended"
