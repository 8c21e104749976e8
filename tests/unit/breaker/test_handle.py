"""What a user can do with a breaker, and what it does to the user's calls: nothing but refuse them."""

from __future__ import annotations

import asyncio
import contextvars
import pickle
import traceback
from concurrent.futures import Future
from typing import Any

import pytest

from actors.breaker.errors import BreakerUnreachableError, CircuitOpenError
from actors.breaker.handle import BreakerHandle, local_breaker
from actors.breaker.settings import BreakerSettings
from actors.runtime.errors import ConfigError
from tests.unit.breaker.town import BreakError, Town, bad, good


def test_arguments_and_results_come_through():
    town = Town()
    words = {"fn": 1, "self": 2, "name": "x", "reason": "y"}
    assert town.breaker.call(dict, **words) == words
    assert town.breaker.call(max, 3, 4) == 4


@pytest.mark.parametrize("state", ["hot", "measured"])
def test_the_users_exception_is_the_same_object_with_its_own_traceback(state: str):
    town = Town(**({"slow_call_s": 9.0, "slow_call_rate": 1.0} if state == "measured" else {}))
    error = BreakError("mine")

    def raises() -> None:
        raise error

    town.breaker.call(good)
    with pytest.raises(BreakError) as raised:
        town.breaker.call(raises)
    assert raised.value is error
    assert (error.__cause__, error.__context__) == (None, None)
    assert traceback.extract_tb(error.__traceback__)[-1].name == "raises"


def test_a_refusal_carries_what_a_caller_needs_and_says_what_to_do():
    town = Town().opened()
    town.later(2.0)
    with pytest.raises(CircuitOpenError) as refused:
        town.breaker.call(pytest.fail, "it ran")
    error = pickle.loads(pickle.dumps(refused.value))
    assert (error.name, error.retry_after_s, error.state, error.by_itself) == ("b", 3.0, "open", False)
    assert error.generation == town.view.published.generation
    assert str(error) == "breaker 'b' is open; next probe in 3.0 s. Why it opened: its explain()"
    assert town.view.totals.refused == 1


@pytest.mark.parametrize(
    ("state", "by_itself", "words"),
    [
        ("open", True, "is open in this process, by its own calls"),
        ("half_open", False, "half-open, its probes are out; try again in 1.0 s"),
        ("ramping", False, "ramping, only a part passes"),
        ("forced_open", False, "forced open until enable or reset. Who did it, and why: supervisor breaker explain"),
    ],
)
def test_a_refusal_is_told_by_its_state(state: Any, by_itself: bool, words: str):
    assert words in str(CircuitOpenError("b", retry_after_s=1.0, state=state, by_itself=by_itself))


def test_it_recovers_by_its_probes():
    town = Town().half_opened()
    assert [town.breaker.call(good), town.breaker.state] == ["fine", "half_open"]
    assert [town.breaker.call(good), town.breaker.state] == ["fine", "closed"]
    assert town.breaker.retry_after_s == 0.0


def test_a_with_block_is_a_call():
    town = Town()
    for _ in range(2):
        with pytest.raises(BreakError), town.breaker:
            raise BreakError
    with pytest.raises(CircuitOpenError), town.breaker:
        pytest.fail("the block ran")
    town.later(5.0)
    with town.breaker as permit:
        assert permit.is_probe
    assert town.view.probes_succeeded == 1


def test_blocks_nest_and_each_ends_its_own():
    town = Town()
    other = town.handle("other", town.settings)
    with town.breaker as outer, other, town.breaker as inner:
        assert outer is not inner
        inner.failure()
    assert town.view.totals.failures == 1
    assert town.view.totals.successes == 1


def test_blocks_that_interleave_end_too():
    town = Town(half_open_permits=2)
    other = town.handle("other")

    def block(breaker: BreakerHandle):
        with breaker:
            yield

    first, second = block(town.breaker), block(other)
    next(first)
    next(second)
    assert list(first) == list(second) == []
    assert town.view.totals.successes == 1


def test_a_block_left_in_another_context_than_it_was_entered_in_does_no_harm():
    town = Town()
    contextvars.copy_context().run(town.breaker.__enter__)
    town.breaker.__exit__(None, None, None)
    assert town.view.totals.successes == 0


async def test_an_async_block_is_a_call_in_each_task_of_its_own():
    town = Town(half_open_permits=2)
    town.half_opened()
    both = asyncio.Barrier(2)

    async def block() -> bool:
        async with town.breaker as permit:
            await both.wait()
            return permit.is_probe

    assert await asyncio.gather(block(), block()) == [True, True]
    assert town.breaker.state == "closed"


async def test_coroutines_go_through():
    town = Town()

    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return 2 * number

    async def fails() -> None:
        raise BreakError

    assert await Town().breaker.acall(double, 4) == 8
    for _ in range(2):
        with pytest.raises(BreakError):
            await town.breaker.acall(fails)
    with pytest.raises(CircuitOpenError):
        await town.breaker.acall(double, 4)
    assert await town.breaker.atry_acquire() is None
    town.later(5.0)
    assert await town.breaker.acall(double, 4) == 8
    permit = await town.breaker.atry_acquire()
    assert permit is not None
    permit.success()
    assert town.breaker.state == "closed"


def test_a_permit_is_ended_once_by_what_comes_first():
    town = Town()
    permit = town.breaker.try_acquire()
    assert permit is not None
    permit.failure(BreakError())
    permit.success()
    with permit:
        pass
    totals = town.view.totals
    assert (totals.failures, totals.successes, permit.is_probe) == (1, 0, False)


def test_a_permits_error_is_judged_by_the_settings():
    town = Town(ignore=KeyError)
    for error in (KeyError(), asyncio.CancelledError(), BreakError(), "no stock"):
        permit = town.breaker.try_acquire()
        assert permit is not None
        permit.failure(error)
    assert (town.view.totals.neutral, town.view.totals.failures) == (2, 2)


def anything(*args: Any, **kwargs: Any) -> None:
    pytest.fail(f"called with {args} and {kwargs}")


def test_a_fallback_answers_refused_calls_alone_with_their_arguments():
    town = Town()
    breaker = town.breaker.with_fallback(lambda *args, **kwargs: ("instead", args, kwargs))
    with pytest.raises(BreakError):
        breaker.call(bad)
    town.fail()
    assert breaker.call(anything, 1, key=2) == ("instead", (1,), {"key": 2})
    assert breaker(good)(1) == ("instead", (1,), {})
    with pytest.raises(CircuitOpenError):
        town.breaker.call(good)
    with pytest.raises(TypeError, match="a fallback is a function"):
        town.breaker.with_fallback("cached")  # type: ignore[arg-type]


async def test_a_fallback_of_coroutines_and_generators():
    town = Town().opened()

    async def instead(number: int) -> int:
        return -number

    async def each(number: int):
        yield number

    async def fetch(number: int) -> int:
        return number

    async def stream(number: int):
        yield 100 * number

    assert await town.breaker.with_fallback(instead).acall(fetch, 1) == -1
    assert await town.breaker.with_fallback(abs).acall(fetch, -1) == 1
    assert await town.breaker.with_fallback(instead)(fetch)(1) == -1
    assert [item async for item in town.breaker.with_fallback(each)(stream)(7)] == [7]
    assert list(town.breaker.with_fallback(range)(lambda end: (yield end))(3)) == [0, 1, 2]


def test_by_hand_it_is_forced_disabled_shadowed_enabled_and_reset():
    town = Town()
    breaker = town.breaker
    breaker.force_open(reason="maintenance", who="ann")
    assert (breaker.state, breaker.retry_after_s, breaker.health_score) == ("forced_open", 20.0, 0)
    assert breaker.explain().why == "force open by ann: maintenance"
    with pytest.raises(CircuitOpenError) as refused:
        breaker.call(good)
    assert (refused.value.state, refused.value.retry_after_s) == ("forced_open", 20.0)
    breaker.disable(reason="noise")
    town.fail(5)
    assert (breaker.state, town.view.calls) == ("disabled", 0)
    breaker.shadow(reason="try")
    town.fail(3)
    assert (breaker.state, town.view.would_be_open) == ("shadow", True)
    breaker.enable(reason="done")
    assert breaker.state == "closed"
    town.fail(2)
    assert breaker.state == "open"
    breaker.reset(reason="mended")
    assert (breaker.state, breaker.call(good)) == ("closed", "fine")


@pytest.mark.parametrize("words", [{"reason": None}, {"reason": " "}, {"reason": "x", "who": 7}, {"reason": "a\nb"}])
def test_a_request_that_cannot_stand_on_record_changes_nothing(words: Any):
    town = Town()
    before = town.view.published
    for ask in ("force_open", "disable", "shadow", "enable", "reset", "configure"):
        with pytest.raises(ConfigError, match=r"reason|who"):
            getattr(town.breaker, ask)(**words)
    with pytest.raises(ConfigError, match=r"reason|who"):
        town.breaker.configure(open_s=1.0, **words)
    assert (town.view.published, town.breaker.settings) == (before, town.settings)
    assert town.breaker.call(good) == "fine"


def test_who_asks_is_this_user_and_process_unless_told_otherwise():
    town = Town()
    with town.breaker.subscribe() as changes:
        town.breaker.disable(reason="noise")
        change = changes.next(0)
    assert change is not None
    assert change.cause is not None
    assert change.cause.reason == "noise"
    assert "@" in change.cause.who
    assert " pid " in change.cause.who


def test_it_is_configured_while_it_runs():
    town = Town()
    hot = town.breaker.call
    assert hot(good) == "fine"
    town.breaker.configure(reason="tighter", minimum_calls=1, window_calls=1)
    town.fail(1)
    assert town.breaker.state == "open"
    town.breaker.configure(town.settings, reason="as before")
    assert town.breaker.settings == town.settings
    with pytest.raises(ConfigError, match="failure_rate"):
        town.breaker.configure(reason="wrong", failure_rate=2.0)
    with pytest.raises(ConfigError, match="unknown key"):
        town.breaker.configure(reason="wrong", failure_rat=0.5)


def test_calls_made_before_are_measured_once_the_settings_ask_for_it():
    town = Town()

    def slow() -> None:
        town.clock.time += 2.0

    guarded = town.breaker(slow)
    guarded()
    town.breaker.configure(reason="measure", slow_call_s=1.0, slow_call_rate=1.0)
    guarded()
    assert town.view.totals.slow == 1
    town.breaker.call(good)
    assert town.breaker.metrics().percentiles[0.5] is not None


def test_results_that_are_failures_open_it_and_are_returned():
    town = Town(failed_result=lambda result: result == "busy")
    assert [town.breaker.call(good, "busy") for _ in range(2)] == ["busy", "busy"]
    assert town.breaker.state == "open"
    assert [call.error for call in town.breaker.explain().calls] == ["returned 'busy'"] * 2


def test_a_function_of_the_settings_that_fails_changes_no_call(caplog: pytest.LogCaptureFixture):
    def fails(_: Any) -> bool:
        raise ZeroDivisionError

    town = Town(failed_result=fails, ignore=fails, open_s=fails)
    assert town.breaker.call(good) == "fine"
    town.fail()
    assert (town.breaker.state, town.view.totals.neutral) == ("closed", 2)
    assert ["failed_result" in record.message for record in caplog.records] == [True, False]


def test_metrics_and_a_score_tell_how_it_goes():
    town = Town(minimum_calls=4)
    town.breaker.call(good)
    assert town.breaker.health_score == 100
    town.fail()
    metrics = town.breaker.metrics()
    assert (metrics.calls, metrics.failure_rate, metrics.success_rate, metrics.owner_answered) == (2, 0.5, 0.5, True)
    assert metrics.health_score < 100
    assert set(metrics.percentiles.values()) == {None}


def test_what_a_call_raised_is_explained_in_one_line_without_secrets():
    class UnreadableError(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

    def leaks() -> None:
        raise BreakError("token=abc123\nat\thost " + "x" * 1000)

    def unreadable() -> None:
        raise UnreadableError

    town = Town()
    for call in (leaks, unreadable):
        with pytest.raises((BreakError, UnreadableError)):
            town.breaker.call(call)
    first, second = town.breaker.explain().calls
    assert first.error.startswith("BreakError: token=*** at host xxx")
    assert len(first.error) <= 300
    assert second.error.endswith("UnreadableError")


def test_an_owner_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch):
    town = Town()
    town.breaker.call(good)
    monkeypatch.setattr(town.link, "view", lambda name: (_ for _ in ()).throw(ConnectionError(name)))
    metrics = town.breaker.metrics()
    assert (metrics.owner_answered, metrics.calls) == (False, 1)
    assert town.breaker.health_score == 100
    assert town.breaker.explain().state == "closed"
    monkeypatch.setattr("actors.breaker.handle.CONTROL_WAIT_S", 0.0)
    monkeypatch.setattr(town.link, "control", lambda name, event: Future())
    with pytest.raises(BreakerUnreachableError, match="reset was not answered"):
        town.breaker.reset(reason="x")


def test_a_handle_tells_which_breaker_it_is():
    town = Town()
    assert (town.breaker.name, repr(town.breaker)) == ("b", "<breaker 'b' of '(this process)': closed>")


def test_a_pickled_handle_finds_this_processs_circuit():
    breaker = local_breaker("pickled", BreakerSettings(failure_rate=0.25)).with_fallback(good)
    copy = pickle.loads(pickle.dumps(breaker))
    assert copy._circuit is breaker._circuit
    copy.force_open(reason="test")
    assert (breaker.state, copy.call(bad)) == ("forced_open", "fine")


@pytest.mark.parametrize("what", [int, 3, staticmethod(good), classmethod(good)])
def test_what_cannot_be_guarded_is_refused(what: Any):
    with pytest.raises(TypeError):
        Town().breaker(what)


def test_transitions_are_told_in_their_order_to_each_subscriber():
    town = Town(half_open_permits=1)
    with town.breaker.subscribe() as changes, town.breaker.subscribe() as others:
        town.half_opened()
        town.breaker.call(good)
        seen = [changes.next(0) for _ in range(4)]
        assert [(each.before, each.after) for each in seen if each is not None] == [
            ("closed", "open"),
            ("open", "half_open"),
            ("half_open", "closed"),
        ]
        assert others.next(0) == seen[0]
    town.opened()
    assert changes.closed
