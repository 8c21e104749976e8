"""What follows a bad end of a call."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from actors.recovery.retry import Retry
from supervisor.children.call import Call
from supervisor.children.errors import CallOutcomeUnknownError, CallTimeoutError, ChildLostError
from supervisor.children.verdict import broken, failure_of_loss, forgotten, rest_after, timed_out

KEY = "child/c"


def _call(*, unknown: str = "retry", **fields: Any) -> Call:
    return Call("m", b"", (), Retry(attempts=3, on=(ValueError,), unknown=unknown), **fields)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("call", "replayable", "expected"),
    [
        (_call(unsure=True), False, None),
        (_call(unsure=True, unknown="never"), False, CallOutcomeUnknownError),
        (_call(unsure=True, unknown="never"), True, None),
        (_call(unsure=False, unknown="never"), False, None),
        (_call(unsure=True, attempts=3), True, ChildLostError),
    ],
)
def test_what_the_loss_of_its_incarnation_means(call: Call, replayable: bool, expected: Any) -> None:
    error = failure_of_loss(call, key=KEY, host="c#1", replayable=replayable)
    assert (None if error is None else type(error)) is expected


def test_the_error_of_a_lost_call_names_child_method_attempts_and_remedy() -> None:
    error = failure_of_loss(_call(attempts=3), key=KEY, host="c#1", replayable=False)
    assert str(error) == (
        "child/c was lost while m() was there, on attempt 3, its last. If m() itself ends the process, mend that; "
        "else raise Retry(attempts=...)"
    )


def test_an_exception_uses_up_an_attempt_if_it_is_worth_another() -> None:
    call = _call()
    assert rest_after(call, KeyError(), Random(1)) is None
    assert call.attempts == 0
    assert [rest_after(call, ValueError(), Random(1)) is None for _ in range(3)] == [False, False, True]
    assert call.attempts == 2
    assert call.previous_wait_s >= 0


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (_call(delivered=0), None),
        (_call(delivered=0, unknown="never"), CallOutcomeUnknownError),
        (_call(delivered=2), CallOutcomeUnknownError),
        (_call(delivered=2, resume=True), None),
        (_call(attempts=3, resume=True), ChildLostError),
    ],
)
def test_what_becomes_of_a_stream_that_broke(call: Call, expected: Any) -> None:
    error = broken(call, key=KEY)
    assert (None if error is None else type(error)) is expected


def test_what_is_remembered_no_more_is_unknown_but_a_stream_runs_again() -> None:
    unknown = forgotten(_call(), key=KEY, host="c#1", replayable=False)
    assert isinstance(unknown, CallOutcomeUnknownError)
    stream = _call(streaming=True)
    assert forgotten(stream, key=KEY, host="c#1", replayable=False) is None
    assert stream.attempts == 1
    assert isinstance(forgotten(stream, key=KEY, host="c#1", replayable=True), CallOutcomeUnknownError)


@pytest.mark.parametrize("sending", [0, 1])
def test_a_timeout_tells_whether_the_call_may_run(sending: int) -> None:
    error = timed_out(_call(timeout_s=2.0, sending=sending), key=KEY)
    assert isinstance(error, CallTimeoutError)
    assert (error.sent, error.limit_s) == (sending > 0, 2.0)
