"""A plain child's shell in this process: calls, hooks, checkpoints, exits, standing by and taking over."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from actors.child.protocol import (
    BUILT,
    FORGOTTEN,
    IGNORED,
    STALE,
    STALE_NOT_RUN,
    STANDBY,
    Answer,
    pack_call,
    unpack_answer,
)
from actors.runtime.errors import (
    ChildNotHereError,
    ChildPayloadError,
    ChildStartError,
    StaleIncarnationError,
)
from tests.unit.child.plain_home import KEY, Broken, Careful, Counter, Home, Refusing, Stubborn
from tests.unit.child.scene import DEADLINE_S, ChildHere, MemoryPorts, recipe, value_of

# -- building and calling --------------------------------------------------------------------------------------------


def test_a_child_is_built_and_called():
    home = Home(Counter, 5)
    assert home.built == BUILT
    assert [home.value("add", 1), home.value("add", 2), home.value("add_soon", 3)] == [6, 8, 11]


def test_a_packed_call_is_a_call():
    home = Home()
    reply = home.shell.call_packed(pack_call(KEY, home.caller.header("add"), home.caller.payload(2)))
    assert value_of(unpack_answer(reply)) == 2


def test_a_second_build_of_the_same_incarnation_builds_nothing():
    home = Home()
    home.value("add", 1)
    assert home.shell.build(1, home.recipe, 1, "active") == BUILT
    assert home.value("add", 1) == 2


def test_an_actor_builds_no_other_child_than_its_own():
    home = Home()
    with pytest.raises(ValueError, match="hosts no other child"):
        home.shell.build(1, recipe(Counter, key="child/b"), 1, "active")
    assert home.shell.call("child/b", home.caller.header("add"), b"") == STALE


def test_a_constructor_may_ask_to_be_ignored():
    home = Home(Refusing)
    assert home.built == IGNORED
    assert home.call("add", 1) == STALE


def test_a_constructor_s_error_is_told_with_its_trace():
    with pytest.raises(ChildStartError, match="no such bank") as caught:
        Home(Broken, "raise")
    assert (caught.value.key, caught.value.exit_class) == (KEY, "crash")
    assert "Traceback" in caught.value.__notes__[0]


@pytest.mark.parametrize(("code", "exit_class"), [(0, "normal"), (None, "normal"), (3, "crash"), ("why", "crash")])
def test_a_constructor_may_end_its_child(code, exit_class):
    ports = MemoryPorts()
    with pytest.raises(ChildStartError) as caught:
        Home(Broken, code, ports=ports)
    assert caught.value.exit_class == exit_class
    assert ports.exits == [(f"s/{KEY}#1", exit_class)]


def test_an_exception_is_the_answer_and_the_child_lives_on():
    home = Home()
    with pytest.raises(KeyError, match="no such item"):
        home.value("fail")
    assert home.value("add", 1) == 101


def test_what_does_not_exist_or_does_not_travel_is_told():
    home = Home()
    with pytest.raises(AttributeError):
        home.value("nothing")
    with pytest.raises(ChildPayloadError, match="call the method as a stream"):
        home.value("generator")


@pytest.mark.parametrize(
    ("method", "args", "exit_class"),
    [("leave", (0,), "normal"), ("leave", (7,), "crash"), ("exit_actor", (), "normal")],
)
def test_the_user_s_code_may_end_the_child(method, args, exit_class):
    home = Home()
    assert home.call(method, *args) == ("exited", exit_class.encode())
    assert home.ports.exits == [(f"s/{KEY}#1", exit_class)]
    assert home.ended == [exit_class]
    assert home.call("add", 1) == STALE_NOT_RUN


def test_an_exit_is_not_held_up_by_a_leader_that_is_gone(monkeypatch):
    home = Home()
    monkeypatch.setattr("actors.child.member.ANNOUNCE_PATIENCE_S", 0.01)
    monkeypatch.setattr(home.ports, "announce_exit", lambda *_: threading.Event().wait(DEADLINE_S))
    assert home.call("leave", 0) == ("exited", b"normal")


def test_calls_of_one_client_come_in_order_and_repeats_have_one_effect():
    home = Home()
    home.caller.settles = False
    first, second = home.caller.header("add"), home.caller.header("add")
    payload = home.caller.payload(1)
    assert home.shell.call(KEY, second, payload) == ("expected", b"1")
    one = home.shell.call(KEY, first, payload)
    assert home.shell.call(KEY, first, payload) == one
    assert value_of(home.shell.call(KEY, second, payload)) == 2
    assert home.shell.call(KEY, first, payload) == one
    home.caller.settles = True
    home.value("add", 1)
    assert home.shell.call(KEY, first, payload) == FORGOTTEN


def test_several_threads_wait_for_each_other_s_calls():
    """Ray hands calls to several threads out of order."""
    home = Home(max_concurrency=30)
    home.caller.settles = False
    headers = [home.caller.header("add") for _ in range(20)]
    answers: dict[int, Answer] = {}

    def ask(header: Any) -> None:
        answers[header[1]] = home.shell.call(KEY, header, home.caller.payload(0))

    threads = [threading.Thread(target=ask, args=(header,)) for header in [*reversed(headers), headers[3]]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert [answers[number][0] for number in sorted(answers)] == ["ok"] * 20


def test_early_calls_do_not_hold_the_thread_that_an_earlier_one_needs():
    home = Home(max_concurrency=2)
    home.caller.settles = False
    first, second, third = (home.caller.header("add") for _ in range(3))
    answers: list[Answer] = []
    waiting = threading.Thread(target=lambda: answers.append(home.shell.call(KEY, second, home.caller.payload(1))))
    waiting.start()
    gate = home.shell._child.gate
    while not gate._waiting:
        pass
    assert home.shell.call(KEY, third, home.caller.payload(1)) == ("expected", b"1")
    assert value_of(home.shell.call(KEY, first, home.caller.payload(1))) == 1
    waiting.join(DEADLINE_S)
    assert [value_of(answer) for answer in answers] == [2]


def test_an_early_call_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr("actors.child.gate.EARLY_PATIENCE_S", 0.01)
    home = Home(max_concurrency=2)
    home.caller.settles = False
    home.caller.header("add")
    assert home.call("add", 1) == ("expected", b"1")


# -- streams ---------------------------------------------------------------------------------------------------------


def test_a_generator_is_streamed_item_by_item():
    home = Home()
    assert [value_of(answer) for answer in home.stream("count", 3)] == [0, 1, 2]
    assert home.value("add", 0) == 3


def test_what_is_no_generator_is_told():
    home = Home()
    with pytest.raises(TypeError, match="call it plainly"):
        [value_of(answer) for answer in home.stream("add", 1)]
    with pytest.raises(AttributeError):
        [value_of(answer) for answer in home.stream("nothing")]


def test_a_generator_s_error_ends_the_stream():
    home = Home()
    answers = list(home.stream("count", 1, "fail"))
    assert [answer[0] for answer in answers] == ["ok", "error"]
    answers = list(home.stream("count", 1, "lock"))
    assert [answer[0] for answer in answers] == ["ok", "error"]


def test_a_generator_may_end_the_child():
    home = Home()
    assert [answer[0] for answer in home.stream("count", 1, "exit")] == ["ok", "exited"]
    assert home.ended == ["normal"]
    assert list(home.stream("count", 1)) == [STALE_NOT_RUN]


def test_a_stream_that_nobody_wants_any_more_ends():
    home = Home()
    stream = home.stream("count", 10**9)
    next(stream)
    stream.close()
    assert home.value("add", 0) == 1


def test_a_fenced_stream_ends_with_stale():
    home = Home()
    stream = home.stream("count", 10)
    next(stream)
    home.shell.fence(1, KEY)
    assert list(stream) == [STALE]


def test_a_cancelled_stream_ends(monkeypatch):
    home = Home()
    stream = home.stream("count", 10)
    next(stream)
    monkeypatch.setattr(ChildHere, "is_cancelled", lambda _: True)
    assert list(stream) == []


def test_a_repeat_of_a_stream_is_forgotten():
    home = Home()
    header = home.caller.header("count")
    assert len(list(home.shell.stream(KEY, header, home.caller.payload(2)))) == 2
    assert list(home.shell.stream(KEY, header, home.caller.payload(2))) == [FORGOTTEN]
    assert list(home.shell.stream("child/b", header, b"")) == [STALE]


# -- standing --------------------------------------------------------------------------------------------------------


def test_a_standby_activates_itself_for_a_caller_that_accepts_it():
    home = Home(role="standby")
    home.caller.incarnation = 7
    standby = Home(role="standby", incarnation=2)
    assert standby.shell.call(KEY, ("c", 1, 0, "add", 1), standby.caller.payload(1)) == STANDBY
    assert standby.value("add", 1) == 1
    assert home.call("add", 1) == STALE_NOT_RUN


def test_a_standby_activates_itself_for_a_stream():
    standby = Home(role="standby", incarnation=2)
    assert [value_of(answer) for answer in standby.stream("count", 2)] == [0, 1]


def test_the_leader_activates_a_standby_once():
    standby = Home(role="standby", incarnation=2)
    for _ in range(2):
        standby.shell.activate(1, KEY, 2)
    assert standby.value("add", 1) == 1
    with pytest.raises(StaleIncarnationError):
        standby.shell.activate(1, KEY, 1)
    standby.shell.fence(1, KEY)
    with pytest.raises(StaleIncarnationError):
        standby.shell.activate(1, KEY, 2)


def test_commands_of_a_deposed_leader_are_refused():
    home = Home()
    home.shell.heartbeat(3)
    for command in (home.shell.fence, home.shell.stop_member):
        with pytest.raises(StaleIncarnationError):
            command(2, KEY)


def test_who_asks_for_another_child_is_told_where_not_to_look():
    home = Home()
    with pytest.raises(ChildNotHereError, match="does not live in"):
        home.shell.recipe_of("child/b")
    assert home.shell.recipe_of(KEY) == home.recipe


def test_a_heartbeat_tells_where_the_child_stands():
    home = Home(role="standby", incarnation=2)
    home.shell.keep(KEY, 1, 4, b"state", home.recipe.form)
    assert home.shell.heartbeat(1)["members"] == {
        KEY: {"incarnation": 2, "phase": "standby", "calls_run": 0, "checkpoint": 0, "kept": (1, 4)}
    }


# -- health and stopping ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "reason"), [(True, ""), (None, ""), (False, "health() returned False"), (OSError("x"), "OSError: x")]
)
def test_a_heartbeat_carries_the_last_word_of_health(monkeypatch, verdict, reason):
    monkeypatch.setattr(Careful, "verdict", verdict)
    home = Home(Careful)
    home.shell.heartbeat(1)
    assert home.shell.heartbeat(1)["unhealthy"] == ({KEY: reason} if reason else {})


def test_a_stop_runs_the_hook_and_then_keeps_the_state():
    Careful.said.clear()
    home = Home(Careful, checkpoint=60.0)
    home.value("add", 5)
    home.shell.stop(1)
    home.shell.stop_member(1, KEY)
    assert Careful.said == ["stopped at 5"]
    assert len(home.ports.store.checkpoints) == 1
    assert home.call("add", 1) == STALE_NOT_RUN
    assert Home(Careful, checkpoint=60.0, incarnation=2, ports=home.ports).value("add", 0) == 1005


def test_a_stop_goes_on_past_a_hook_that_fails():
    home = Home(Stubborn)
    home.shell.stop(1)
    assert home.ports.records == [(f"s/{KEY}#1", "stop_failed", "RuntimeError: not now")]
    assert home.ports.store.checkpoints == []


def test_a_last_checkpoint_that_cannot_be_written_is_told():
    home = Home(checkpoint=60.0)
    home.ports.store.trouble = OSError("disk full")
    with pytest.raises(OSError, match="disk full"):
        home.shell.stop(1)
