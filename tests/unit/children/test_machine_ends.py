"""Calls that end otherwise than by an answer: given up, their child gone, streams that break, a pool's members."""

from __future__ import annotations

import pytest

from actors.recovery.retry import Retry
from supervisor.children.errors import ChildGoneError
from tests.unit.children.scene import KEY, NEVER, Scene

GONE = ChildGoneError(KEY, "it was given up")


# -- giving up ---------------------------------------------------------------------------------------------------------


def test_a_call_whose_time_is_up_fails_and_says_whether_it_was_sent() -> None:
    scene = Scene(served=False)
    scene.make(timeout_s=1.0)
    assert scene.wait(2.0) == [("fail", 0, "CallTimeoutError")]
    assert scene.machine.busy is False
    scene.route(1)
    scene.make(timeout_s=1.0)
    assert scene.wait(2.0) == [("fail", 1, "CallTimeoutError")]
    assert scene.machine.unfinished == 0
    assert scene.machine.busy is True
    assert scene.answer(1) == []
    assert scene.machine.busy is False


def test_a_call_that_was_answered_in_time_has_no_timeout() -> None:
    scene = Scene()
    scene.make(timeout_s=1.0)
    scene.answer(0)
    assert scene.wait(2.0) == []


def test_what_is_given_up_keeps_its_place_where_it_is_and_is_not_sent_to_the_next() -> None:
    """Behind the gap that it leaves there, calls wait until everything before it is answered."""
    scene = Scene(pause_s=0.1)
    scene.make(3)
    assert scene.give_up(1) == []
    assert scene.give_up(1) == []
    scene.miss(1)
    assert scene.wait(0.2) == [("send", 1, "c#1", 2)]
    assert scene.route(2) == [("send", 0, "c#2", 1)]
    assert scene.make() == []
    assert scene.answer(0) == [("ok", 0, b""), ("send", 2, "c#2", 3), ("send", 3, "c#2", 4)]
    assert scene.headers[2] == ("me", 3, 2, "m", 2)


def test_a_gap_at_the_end_is_closed_by_the_answers_before_it() -> None:
    scene = Scene()
    scene.make(2)
    scene.give_up(1)
    scene.route(2)
    assert scene.make() == []
    assert scene.answer(0) == [("ok", 0, b""), ("send", 2, "c#2", 3)]


def test_what_was_given_up_and_never_began_leaves_with_its_incarnation() -> None:
    scene = Scene(pause_s=9.0)
    scene.make(2)
    scene.answer(0, "standby")
    scene.give_up(0)
    assert scene.route(2) == [("send", 1, "c#2", 2)]


def test_what_was_given_up_leaves_with_its_dead_incarnation() -> None:
    scene = Scene()
    scene.make()
    scene.give_up(0)
    scene.lose(0)
    assert scene.machine.busy is False


def test_a_call_that_was_never_sent_is_given_up_without_a_trace() -> None:
    scene = Scene(window=1)
    scene.make(2)
    scene.give_up(1)
    scene.make()
    assert scene.answer(0) == [("ok", 0, b""), ("send", 2, "c#1", 2)]


@pytest.mark.parametrize("kind", ["error", "exited", "forgotten", "stale"])
def test_whatever_is_answered_to_a_call_that_was_given_up_is_dropped(kind: str) -> None:
    scene = Scene()
    scene.make()
    scene.give_up(0)
    told = scene.raised(0) if kind == "error" else scene.answer(0, kind)
    assert [command for command in told if command != "look out"] == []
    assert scene.machine.busy is False


# -- the end -----------------------------------------------------------------------------------------------------------


def test_a_child_that_is_gone_fails_its_calls_at_once() -> None:
    scene = Scene(window=1)
    scene.make(1, retry=Retry(attempts=2, on=(ValueError,)))
    scene.raised(0)
    scene.make(2)
    assert scene.end(GONE) == [
        ("fail", 1, "ChildGoneError"),
        ("fail", 2, "ChildGoneError"),
        ("fail", 0, "ChildGoneError"),
    ]
    assert scene.make() == [("fail", 3, "ChildGoneError")]
    assert (scene.machine.unfinished, scene.machine.busy) == (0, False)
    assert scene.wait(60.0) == []


def test_an_answer_that_the_news_of_the_end_overtook_still_counts() -> None:
    scene = Scene(window=2)
    scene.make(3)
    assert scene.end(GONE, patient=True) == [("fail", 2, "ChildGoneError")], "it was never sent"
    assert scene.make() == [("fail", 3, "ChildGoneError")]
    assert scene.answer(0, "exited", b"normal")[0] == ("fail", 0, "ChildExitedError")
    assert scene.lose(1) == [("fail", 1, "ChildGoneError")]
    assert (scene.machine.unfinished, scene.machine.busy) == (0, False)


def test_answers_that_do_not_come_are_not_waited_for_long() -> None:
    scene = Scene(farewell_s=0.2)
    scene.make(2, retry=Retry(attempts=2, on=(ValueError,)))
    scene.end(GONE, patient=True)
    assert scene.raised(0) == []
    assert scene.wait(0.1) == []
    assert scene.wait(0.1) == [("fail", 1, "ChildGoneError"), ("fail", 0, "ChildGoneError")]
    assert (scene.machine.unfinished, scene.machine.busy) == (0, False)


def test_a_child_that_comes_back_meanwhile_gets_the_calls_that_were_not_answered() -> None:
    scene = Scene(farewell_s=0.2)
    scene.make()
    scene.end(GONE, patient=True)
    assert scene.back() == []
    assert scene.route(2) == [("send", 0, "c#2", 1)]
    assert scene.wait(1.0) == []


def test_what_must_not_run_twice_is_unknown_at_a_child_that_is_gone() -> None:
    scene = Scene()
    scene.make(retry=NEVER)
    assert scene.end(GONE) == [("fail", 0, "CallOutcomeUnknownError")]


def test_a_child_that_was_restarted_by_hand_can_be_called_again() -> None:
    scene = Scene()
    scene.end(GONE)
    scene.route(1, host=False)
    assert scene.make() == [("fail", 0, "ChildGoneError")]
    scene.back()
    assert scene.make() == [], "it has still to start"
    assert scene.route(2) == [("send", 1, "c#2", 1)]
    assert scene.make() == [("send", 2, "c#2", 2)]


def test_a_method_that_ends_the_child_is_not_called_again_and_others_wait() -> None:
    scene = Scene()
    scene.make(2)
    assert scene.answer(0, "exited", b"normal") == [("fail", 0, "ChildExitedError"), "look out"]
    assert scene.make() == []
    assert scene.route(2) == [("send", 1, "c#2", 2), ("send", 2, "c#2", 3)]
    assert scene.calls[1].attempts == 0


def test_leaving_fails_everything() -> None:
    scene = Scene()
    scene.make()
    assert scene.told(scene.machine.abandon(GONE, scene.now)) == [("fail", 0, "ChildGoneError")]


# -- streams -----------------------------------------------------------------------------------------------------------


def test_a_stream_whose_first_item_came_is_not_the_machines_business_any_more() -> None:
    scene = Scene()
    scene.make(streaming=True, timeout_s=1.0)
    assert scene.answer(0) == [("ok", 0, b"")]
    assert scene.machine.busy is False
    assert scene.wait(5.0) == []
    assert scene.give_up(0) == []
    assert scene.told(scene.machine.broke(scene.calls[0], scene.now)) == []


def test_a_stream_that_broke_before_its_first_item_was_taken_runs_again() -> None:
    scene = Scene()
    scene.make(streaming=True)
    scene.answer(0)
    assert scene.told(scene.machine.broke(scene.calls[0], scene.now)) == [("send", 0, "c#1", 2)]


def test_a_stream_that_broke_later_is_unknown_unless_it_may_be_resumed() -> None:
    scene = Scene()
    scene.make(streaming=True)
    scene.make(streaming=True, resume=True)
    for index in (0, 1):
        scene.answer(index)
        scene.calls[index].delivered = 2
    assert scene.told(scene.machine.broke(scene.calls[0], scene.now)) == [("fail", 0, "CallOutcomeUnknownError")]
    assert scene.told(scene.machine.broke(scene.calls[1], scene.now)) == [("send", 1, "c#1", 3)]
    assert scene.machine.unfinished == 1


def test_a_stream_is_never_remembered_so_asking_again_makes_it_anew() -> None:
    scene = Scene()
    scene.make(streaming=True)
    assert scene.answer(0, "forgotten") == [("send", 0, "c#1", 2)]
    assert scene.machine.unfinished == 1
    scene.make(streaming=True, retry=NEVER)
    assert scene.answer(1, "forgotten") == [("fail", 1, "CallOutcomeUnknownError")]
    scene.give_up(0)
    assert scene.answer(0, "forgotten") == []


# -- a pool's member ---------------------------------------------------------------------------------------------------


def test_a_pools_member_gives_back_what_it_cannot_answer() -> None:
    scene = Scene(mobile=True, window=1)
    scene.make(2)
    assert scene.die() == ["look out", ("back", 1)]
    assert scene.lose(0) == [("back", 0)]
    assert (scene.machine.unfinished, scene.machine.busy) == (0, False)


def test_a_pools_member_that_cannot_be_reached_keeps_only_what_it_may_have_begun() -> None:
    scene = Scene(mobile=True, window=2, pause_s=0.1)
    scene.make(3)
    assert scene.miss(0) == [("back", 2)]
    assert scene.answer(1, "standby") == ["look out"]
    assert scene.wait(0.2) == [("send", 0, "c#1", 1), ("send", 1, "c#1", 2)]


def test_what_cannot_be_heard_of_from_a_dead_member_goes_elsewhere_without_waiting_for_its_successor() -> None:
    """The kernel knows that it is dead; Ray may only know that it does not answer."""
    scene = Scene(mobile=True, pause_s=9.0)
    scene.make(2)
    scene.make(1, retry=NEVER)
    scene.miss(0)
    assert scene.die() == ["look out", ("back", 0)]
    assert scene.miss(1) == [("back", 1)]
    assert scene.miss(2) == [("fail", 2, "CallOutcomeUnknownError")]


def test_a_pools_member_that_is_replaced_gives_everything_back() -> None:
    scene = Scene(mobile=True)
    scene.make(2)
    scene.answer(1, "expected", b"2")
    assert scene.route(2) == [("back", 0), ("back", 1)]


def test_a_pools_member_that_stands_by_or_is_gone_gives_everything_back() -> None:
    scene = Scene(mobile=True, window=1)
    scene.make(1, retry=Retry(attempts=2, on=(ValueError,)))
    scene.raised(0)
    scene.make(2)
    assert scene.route(1, host=False) == [("back", 2)]
    assert scene.end(GONE) == [("back", 1), ("back", 0)]


def test_a_call_that_rested_at_a_member_which_serves_no_more_goes_elsewhere() -> None:
    scene = Scene(mobile=True)
    scene.make(1, retry=Retry(attempts=2, on=(ValueError,)), timeout_s=0.0)
    scene.raised(0)
    scene.route(1, host=False)
    assert scene.wait(60.0) == [("back", 0)]


def test_timers_that_mean_nothing_any_more_are_swept_out() -> None:
    scene = Scene()
    for index in range(3000):
        scene.make(timeout_s=1000.0)
        scene.answer(index)
    assert len(scene.machine._timers) < 2100
