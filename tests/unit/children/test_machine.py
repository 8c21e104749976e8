"""Calls to one child: what is sent where and when, and what becomes of it."""

from __future__ import annotations

from actors.recovery.retry import Retry
from tests.unit.children.scene import NEVER, Scene

# -- the usual way -----------------------------------------------------------------------------------------------------


def test_a_call_is_sent_at_once_and_its_answer_resolves_it() -> None:
    scene = Scene()
    assert scene.make() == [("send", 0, "c#1", 1)]
    assert scene.headers[0] == ("me", 1, 0, "m", 1)
    assert (scene.machine.unfinished, scene.machine.busy, scene.machine.load) == (1, True, 1)
    assert scene.answer(0, payload=b"v") == [("ok", 0, b"v")]
    assert (scene.machine.unfinished, scene.machine.busy, scene.machine.load) == (0, False, 0)


def test_the_header_says_up_to_where_everything_is_answered() -> None:
    scene = Scene()
    scene.make(3)
    scene.answer(1)
    scene.make()
    assert scene.headers[3] == ("me", 4, 0, "m", 1)
    scene.answer(0)
    scene.make()
    assert scene.headers[4] == ("me", 5, 2, "m", 1)


def test_an_answered_duplicate_counts_once() -> None:
    scene = Scene()
    scene.make()
    scene.answer(0)
    assert scene.answer(0) == []


def test_the_window_bounds_what_is_in_flight() -> None:
    scene = Scene(window=2)
    assert scene.make(3) == [("send", 0, "c#1", 1), ("send", 1, "c#1", 2)]
    assert scene.answer(1) == [("ok", 1, b""), ("send", 2, "c#1", 3)]


def test_calls_wait_until_an_incarnation_is_accepted() -> None:
    scene = Scene(served=False)
    assert scene.make(2) == []
    assert scene.machine.load == 2
    assert scene.route(4) == [("send", 0, "c#4", 1), ("send", 1, "c#4", 2)]
    assert scene.headers[1] == ("me", 2, 0, "m", 4)


def test_the_hosts_own_failure_is_the_calls() -> None:
    scene = Scene()
    scene.make()
    assert scene.told(scene.machine.failed(scene.sent[0], TypeError("no"), scene.now)) == [("fail", 0, "TypeError")]
    assert scene.told(scene.machine.failed(scene.sent[0], TypeError("no"), scene.now)) == []


# -- exceptions --------------------------------------------------------------------------------------------------------


def test_an_exception_is_the_answer_unless_the_retry_names_it() -> None:
    scene = Scene()
    scene.make(2, retry=Retry(attempts=3, on=(KeyError,)))
    assert scene.raised(0) == [("fail", 0, "ValueError")]


def test_an_exception_that_the_retry_names_is_tried_again_after_a_rest_under_a_new_number() -> None:
    scene = Scene()
    scene.make(retry=Retry(attempts=2, on=(ValueError,), backoff="constant", min_s=0.5, max_s=0.5))
    assert scene.raised(0) == []
    assert scene.wait(0.4) == []
    assert scene.machine.unfinished == 1
    assert scene.wait(0.2) == [("send", 0, "c#1", 2)]
    assert scene.raised(0) == [("fail", 0, "ValueError")]
    assert scene.calls[0].attempts == 1


def test_a_call_that_rests_can_be_given_up() -> None:
    scene = Scene()
    scene.make(retry=Retry(attempts=2, on=(ValueError,)))
    scene.raised(0)
    assert scene.give_up(0) == []
    assert scene.wait(60.0) == []
    assert scene.machine.busy is False


# -- death -------------------------------------------------------------------------------------------------------------


def test_a_death_moves_nothing_until_the_next_incarnation_is_accepted() -> None:
    scene = Scene()
    scene.make(2)
    assert scene.die() == ["look out"]
    assert scene.die() == []
    assert scene.lose(0) == []
    assert scene.make() == []
    assert scene.route(2) == [("send", 0, "c#2", 1), ("send", 1, "c#2", 2), ("send", 2, "c#2", 3)]
    assert [scene.headers[index][1:3] for index in range(3)] == [(1, 0), (2, 0), (3, 0)]


def test_a_death_that_ray_tells_first_is_one_too() -> None:
    scene = Scene()
    scene.make(2)
    assert scene.lose(0) == ["look out"]
    assert scene.lose(1) == []
    assert scene.route(2) == [("send", 0, "c#2", 1), ("send", 1, "c#2", 2)]


def test_an_answer_that_was_on_its_way_when_the_process_died_counts() -> None:
    scene = Scene()
    scene.make(2)
    scene.die()
    assert scene.answer(0) == [("ok", 0, b"")]
    assert scene.route(2) == [("send", 1, "c#2", 2)]
    assert scene.headers[1] == ("me", 2, 1, "m", 2)


def test_a_call_that_was_answered_cannot_be_lost() -> None:
    scene = Scene()
    scene.make()
    scene.answer(0)
    assert scene.lose(0) == ["look out"]


def test_answers_and_losses_of_an_incarnation_that_is_not_accepted_any_more_are_ignored() -> None:
    scene = Scene()
    scene.make(1)
    old = scene.sent[0]
    scene.route(2)
    assert scene.answer(0, sent=old) == []
    assert scene.told(scene.machine.lost(old, scene.now)) == []
    assert scene.told(scene.machine.unavailable(old, scene.now)) == []
    assert scene.die(1) == []
    assert scene.route(1) == []
    assert scene.answer(0) == [("ok", 0, b"")]


def test_a_living_incarnation_that_is_replaced_loses_its_calls_to_the_next() -> None:
    scene = Scene()
    scene.make(2)
    assert scene.route(2) == [("send", 0, "c#2", 1), ("send", 1, "c#2", 2)]


def test_only_what_can_have_been_running_is_charged_with_a_death() -> None:
    scene = Scene()
    scene.make(3, retry=Retry(attempts=5, on=()))
    for incarnation in range(1, 5):
        scene.die(incarnation)
        scene.route(incarnation + 1)
    assert [call.attempts for call in scene.calls] == [4, 0, 0]
    scene.die(5)
    assert scene.route(6) == [("fail", 0, "ChildLostError"), ("send", 1, "c#6", 2), ("send", 2, "c#6", 3)]


def test_with_concurrency_as_many_are_charged() -> None:
    scene = Scene(concurrency=2)
    scene.make(3)
    scene.route(2)
    assert [call.attempts for call in scene.calls] == [1, 1, 0]


def test_no_attempt_is_used_while_no_incarnation_is_accepted() -> None:
    scene = Scene()
    scene.make()
    scene.die()
    scene.route(1, host=False)
    scene.route(1, host=False)
    scene.wait(60.0)
    assert scene.calls[0].attempts == 1


# -- unknown outcomes --------------------------------------------------------------------------------------------------


def test_what_must_not_run_twice_surfaces_when_its_incarnation_is_lost() -> None:
    scene = Scene(window=1)
    scene.make(2, retry=NEVER)
    scene.calls[1].retry = NEVER
    scene.die()
    assert scene.lose(0) == [("fail", 0, "CallOutcomeUnknownError")]
    assert scene.route(2) == [("send", 1, "c#2", 2)]


def test_with_replicated_answers_it_is_sent_to_the_next() -> None:
    scene = Scene(replayable=True)
    scene.make(retry=NEVER)
    assert scene.route(2) == [("send", 0, "c#2", 1)]


def test_a_refusal_that_tells_that_it_did_not_begin_leaves_nothing_unknown() -> None:
    scene = Scene()
    scene.make(retry=NEVER)
    assert scene.answer(0, "stale", b"not run") == ["look out"]
    assert scene.make() == []
    assert scene.route(2) == [("send", 0, "c#2", 1), ("send", 1, "c#2", 2)]
    assert scene.calls[0].attempts == 0


def test_a_refusal_that_does_not_tell_may_hide_an_effect() -> None:
    scene = Scene()
    scene.make(retry=NEVER)
    assert scene.answer(0, "stale") == [("fail", 0, "CallOutcomeUnknownError"), "look out"]


def test_an_answer_that_is_remembered_no_more_is_unknown_whatever_the_policy() -> None:
    scene = Scene()
    scene.make()
    assert scene.answer(0, "forgotten") == [("fail", 0, "CallOutcomeUnknownError")]


# -- out of reach ------------------------------------------------------------------------------------------------------


def test_out_of_reach_is_not_dead_and_the_same_incarnation_is_asked_again_with_the_same_numbers() -> None:
    scene = Scene(pause_s=0.1)
    scene.make(2, retry=NEVER)
    first = scene.sent[0]
    assert scene.miss(1) == []
    assert scene.miss(0) == []
    assert scene.make() == []
    assert scene.wait(0.05) == []
    assert scene.wait(0.06) == [("send", 0, "c#1", 1), ("send", 1, "c#1", 2), ("send", 2, "c#1", 3)]
    assert scene.miss(0, first) == []
    assert scene.answer(0, sent=first) == [("ok", 0, b"")]


def test_pauses_double_until_something_is_answered() -> None:
    scene = Scene(pause_s=0.1, pause_max_s=0.2)
    scene.make()
    for pause_s in (0.1, 0.2, 0.2):
        scene.miss(0)
        assert scene.wait(pause_s - 0.01) == []
        assert scene.wait(0.02) == [("send", 0, "c#1", 1)]
    scene.answer(0)
    scene.make()
    scene.miss(1)
    assert scene.wait(0.11) == [("send", 1, "c#1", 2)]


def test_the_next_incarnation_is_not_paused_for() -> None:
    scene = Scene(pause_s=9.0)
    scene.make()
    scene.miss(0)
    assert scene.route(2) == [("send", 0, "c#2", 1)]


def test_one_that_was_replaced_while_it_could_not_be_reached_may_have_run_the_call() -> None:
    scene = Scene()
    scene.make(retry=NEVER)
    scene.miss(0)
    assert scene.route(2) == [("fail", 0, "CallOutcomeUnknownError")]


# -- missing numbers ---------------------------------------------------------------------------------------------------


def test_when_an_earlier_call_is_missing_it_is_sent_again_first_and_others_once() -> None:
    scene = Scene()
    scene.make(3)
    late = scene.sent[2]
    assert scene.answer(1, "expected", b"1") == [("send", 0, "c#1", 1), ("send", 1, "c#1", 2)]
    assert scene.answer(2, "expected", b"1", sent=late) == [("send", 2, "c#1", 3)]
    assert scene.answer(2, "expected", b"1", sent=late) == []


def test_who_is_refused_again_waits_a_little() -> None:
    scene = Scene(pause_s=0.1)
    scene.make(2)
    scene.answer(1, "expected", b"1")
    assert scene.answer(1, "expected", b"1") == []
    assert scene.wait(0.2) == [("send", 0, "c#1", 1), ("send", 1, "c#1", 2)]


def test_one_that_stands_by_is_asked_again_after_a_pause() -> None:
    scene = Scene(pause_s=0.1)
    scene.make()
    assert scene.answer(0, "standby") == ["look out"]
    assert scene.wait(0.2) == [("send", 0, "c#1", 1)]
