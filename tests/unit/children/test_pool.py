"""Calls to a pool: who gets each, and where it goes when that one is lost."""

from __future__ import annotations

import pickle
from random import Random
from typing import Any

from actors.recovery.retry import Retry
from supervisor.children.errors import ChildGoneError
from supervisor.children.pool import AHEAD, PoolMachine
from supervisor.children.settings import CallSettings
from tests.unit.children.scene import NEVER, Scene

GONE = ChildGoneError("p", "it was given up")


def _pool(members: int, **settings: Any) -> Scene:
    scene = Scene(served=False, machine=PoolMachine("p", "me", CallSettings(**settings), Random(7), pickle.loads))
    for number in range(members):
        scene.route(1, key=f"child/{number}")
    return scene


def _hosts(told: list[Any]) -> list[str]:
    return [command[2] for command in told if command[0] == "send"]


def test_calls_go_to_the_member_with_the_fewest_and_equals_take_turns() -> None:
    scene = _pool(3)
    assert _hosts(scene.make(4)) == ["0#1", "1#1", "2#1", "0#1"]
    scene.answer(1)
    assert _hosts(scene.make(2)) == ["1#1", "2#1"]
    assert (scene.machine.unfinished, scene.machine.busy) == (5, True)


def test_what_no_member_has_room_for_waits_for_whoever_is_free_first() -> None:
    scene = _pool(2)
    assert len(_hosts(scene.make(11))) == 2 * (1 + AHEAD)
    assert _hosts(scene.answer(1)) == ["1#1"]
    assert (scene.machine.unfinished, scene.machine.busy) == (10, True)


def test_members_that_come_up_late_share_what_has_waited() -> None:
    scene = _pool(0)
    scene.make(8)
    assert [_hosts(scene.route(1, key=f"child/{n}")) for n in range(2)] == [["0#1"] * 5, ["1#1"] * 3]


def test_each_member_has_a_client_and_numbers_of_its_own() -> None:
    scene = _pool(2)
    scene.make(4)
    assert [scene.headers[index][:2] for index in range(4)] == [("me.1", 1), ("me.2", 1), ("me.1", 2), ("me.2", 2)]


def test_a_refused_call_stays_where_an_earlier_sending_of_it_may_still_begin() -> None:
    """The network may hold a sending back until what was missing has arrived: elsewhere it would run a second time."""
    scene = _pool(2, pause_s=0.1)
    scene.make(4, retry=NEVER)
    scene.answer(2, "expected", b"1")
    scene.answer(2, "expected", b"1")
    assert "1#1" not in _hosts(scene.wait(0.05))
    assert ("send", 2, "0#1", 2) in scene.wait(0.1)


def test_calls_wait_while_no_member_serves() -> None:
    scene = _pool(0)
    assert scene.make(2) == []
    assert scene.machine.busy
    scene.route(1, key="child/0", host=False)
    assert _hosts(scene.route(2, key="child/0")) == ["0#2", "0#2"]
    assert scene.answer(1, payload=b"v") == [("ok", 1, b"v")]


def test_what_a_dead_member_has_not_answered_goes_to_another() -> None:
    scene = _pool(2)
    scene.make(3)
    assert scene.die(key="child/0") == ["look out"]
    assert scene.lose(0) == [("send", 0, "1#1", 2)]
    assert scene.lose(2) == [("send", 2, "1#1", 3)]
    assert [scene.answer(index) for index in (1, 0, 2)] == [[("ok", 1, b"")], [("ok", 0, b"")], [("ok", 2, b"")]]
    assert scene.machine.busy is False


def test_what_must_not_run_twice_is_unknown_when_its_member_dies() -> None:
    scene = _pool(2)
    scene.make(retry=NEVER)
    assert scene.lose(0) == ["look out", ("fail", 0, "CallOutcomeUnknownError")]
    assert scene.machine.unfinished == 0


def test_a_member_out_of_reach_keeps_what_it_may_have_begun_and_gets_no_more() -> None:
    scene = _pool(2, pause_s=0.1)
    scene.make(1)
    assert scene.miss(0) == []
    assert _hosts(scene.make(2)) == ["1#1", "1#1"]
    assert scene.wait(0.2) == [("send", 0, "0#1", 1)]


def test_a_member_that_leaves_gives_its_calls_to_the_others() -> None:
    scene = _pool(2)
    scene.make(2)
    late = scene.sent[0]
    assert scene.end(GONE, key="child/0") == [("send", 0, "1#1", 2)]
    assert scene.answer(0, sent=late) == []
    assert scene.die(key="child/0") == []
    assert scene.end(GONE, key="child/0") == []
    assert _hosts(scene.route(3, key="child/0")) == []
    assert _hosts(scene.make()) == ["0#3"]


def test_an_exception_that_is_worth_another_attempt_is_tried_where_it_was_or_elsewhere() -> None:
    scene = _pool(2)
    scene.make(1, retry=Retry(attempts=2, on=(ValueError,), min_s=0.1, max_s=0.1))
    scene.raised(0)
    scene.die(key="child/0")
    assert scene.wait(1.0) == [("send", 0, "1#1", 1)]
    assert scene.raised(0) == [("fail", 0, "ValueError")]


def test_time_runs_while_a_call_waits_rests_and_moves() -> None:
    scene = _pool(1)
    scene.make(1, timeout_s=1.0)
    scene.lose(0)
    scene.make(1, timeout_s=1.0)
    assert scene.wait(2.0) == [("fail", 0, "CallTimeoutError"), ("fail", 1, "CallTimeoutError")]
    scene.route(2, key="child/0")
    scene.make(1, timeout_s=1.0)
    assert scene.wait(2.0) == [("fail", 2, "CallTimeoutError")]
    scene.make(1, timeout_s=1.0)
    scene.answer(3)
    assert scene.wait(2.0) == []
    assert scene.machine.unfinished == 0


def test_timers_that_mean_nothing_any_more_are_swept_out() -> None:
    scene = _pool(1)
    for index in range(3000):
        scene.make(timeout_s=1000.0)
        scene.answer(index)
    assert len(scene.machine._timers) < 2100


def test_calls_can_be_given_up_wherever_they_are() -> None:
    scene = _pool(0)
    scene.make(1)
    assert scene.give_up(0) == []
    scene.route(1, key="child/0")
    scene.make(1)
    assert scene.give_up(1) == []
    assert scene.answer(1) == []
    assert scene.give_up(1, GONE) == []
    assert scene.machine.unfinished == 0


def test_a_pool_that_is_gone_fails_all_its_calls_until_it_serves_again() -> None:
    scene = _pool(1, window=1)
    scene.make(2)
    assert scene.end(GONE, key="p") == [("fail", 0, "ChildGoneError"), ("fail", 1, "ChildGoneError")]
    assert scene.make() == [("fail", 2, "ChildGoneError")]
    scene.route(1, key="child/0", host=False)
    assert scene.make() == [("fail", 3, "ChildGoneError")]
    scene.back()
    assert scene.make() == [], "it has still to start"
    assert _hosts(scene.route(2, key="child/0")) == ["0#2"]


def test_leaving_fails_everything_also_what_waits() -> None:
    scene = _pool(0)
    scene.make(1)
    assert scene.told(scene.machine.abandon(GONE, scene.now)) == [("fail", 0, "ChildGoneError")]


def test_the_hosts_own_failure_is_the_calls() -> None:
    scene = _pool(1)
    scene.make()
    assert scene.told(scene.machine.failed(scene.sent[0], TypeError(), scene.now)) == [("fail", 0, "TypeError")]


def test_a_stream_that_breaks_runs_at_another_member_if_it_may() -> None:
    scene = _pool(2)
    scene.make(2, streaming=True)
    for index in (0, 1):
        scene.answer(index)
    scene.calls[1].delivered = 1
    assert _hosts(scene.told(scene.machine.broke(scene.calls[0], scene.now))) == ["0#1"]
    assert scene.told(scene.machine.broke(scene.calls[1], scene.now)) == [("fail", 1, "CallOutcomeUnknownError")]
    assert scene.told(scene.machine.broke(scene.calls[1], scene.now)) == []
