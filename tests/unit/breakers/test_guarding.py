"""What becomes of a call's answer is told to the breaker that let it through."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from actors.breaker.errors import CircuitOpenError
from actors.breaker.handle import BreakerHandle, local_breaker
from actors.breaker.settings import BreakerSettings
from actors.runtime.context import LIMIT
from supervisor.breakers.guarding import guarded
from supervisor.tasks.guarded import GuardedFunction, Guards
from supervisor.tasks.policy import Fallback, Policy
from supervisor.tasks.task import Callee, Task
from tests.unit.breaker.town import Town, good


@pytest.fixture
def breaker(request: pytest.FixtureRequest) -> BreakerHandle:
    return local_breaker(f"guarding-{request.node.name}", BreakerSettings(consecutive_failures=2))


def made(breaker: BreakerHandle) -> Future[Any]:
    return guarded(breaker, Future)


def test_failures_of_answers_open_it_and_the_next_call_is_not_made(breaker: BreakerHandle):
    for _ in range(2):
        made(breaker).set_exception(ConnectionError("no"))
    calls: list[int] = []
    with pytest.raises(CircuitOpenError):
        guarded(breaker, lambda: calls.append(1))
    assert calls == []


def test_successes_and_cancellations_do_not(breaker: BreakerHandle):
    for _ in range(3):
        made(breaker).set_exception(ConnectionError("no"))
        made(breaker).set_result(1)
        assert made(breaker).cancel()
        if breaker.state != "closed":
            break
    assert breaker.state == "closed"


def test_a_call_that_was_not_made_says_nothing(breaker: BreakerHandle):
    def cannot() -> Any:
        raise ValueError("it does not pickle")

    for _ in range(3):
        with pytest.raises(ValueError, match="does not pickle"):
            guarded(breaker, cannot)
    assert breaker.state == "closed"


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Town:
    """Breakers of tasks are found in it."""
    town = Town(half_open_permits=1)
    monkeypatch.setattr("supervisor.tasks.guarded.breaker_of", lambda *_: town.breaker)
    return town


def guarded_task(*, fallback: bool = False, breaker: str | None = "b") -> Task:
    policy = Policy(breaker=breaker, fallback=Fallback(good) if fallback else None)
    callee = Callee(digest=b"f", name="f")
    return Task(number=1, task_id="t1", key=None, callee=callee, arguments=b"", refs=(), policy=policy)


def test_timeouts_open_it_and_those_of_an_earlier_generation_change_nothing(town: Town):
    guards = Guards("nobody")
    ticket = guards.ticket(guarded_task())
    assert ticket is not None
    for _ in range(2):
        guards.timed_out("b", ticket)
    assert town.breaker.state == "open"
    town.later(5.0)
    town.breaker.call(good)
    assert town.breaker.state == "closed"
    for _ in range(4):
        guards.timed_out("b", ticket)
    assert (town.breaker.state, town.view.calls) == ("closed", 0)


def test_a_task_without_a_breaker_and_one_whose_fallback_runs_have_no_ticket(town: Town):
    guards = Guards("nobody")
    assert guards.ticket(guarded_task(breaker=None)) is None
    assert guards.ticket(guarded_task(fallback=True)) is None
    assert town.breaker.state == "closed"


def test_a_probe_that_runs_until_its_tasks_time_is_over_has_failed(town: Town):
    """Its worker may be killed for it, and could then say nothing any more."""
    town.half_opened()
    limit = LIMIT.set(town.clock.now() + 1.0)
    hung = town.breaker.acquire()
    LIMIT.reset(limit)
    town.later(0.9)
    assert (town.breaker.state, town.view.permits_out) == ("half_open", 1)
    town.later(0.2)
    assert (town.breaker.state, town.view.permits_out) == ("open", 0)
    assert "time of the task that probed was over" in str(town.breaker.explain())
    hung.success()
    assert town.breaker.state == "open"


def test_a_guarded_function_is_the_same_for_the_same_function_and_looks_like_it():
    guards = Guards("nobody")
    first = guards.guarded(made, "bank")
    assert first is guards.guarded(made, "bank")
    assert first is not guards.guarded(made, "shop")
    assert isinstance(first, GuardedFunction)
    assert (getattr(first, "__name__", ""), first.__module__) == (made.__name__, made.__module__)
    assert guards.guarded(3, "bank") == 3  # pyright: ignore[reportArgumentType] - what is no function is refused later


def test_a_guarded_functions_parameters_have_names_of_their_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("supervisor.tasks.guarded.breaker_of", lambda *_: Town().breaker)
    assert GuardedFunction("s", "b", lambda **names: names)(self=1, args=2) == {"self": 1, "args": 2}


def test_making_an_object_is_a_call_too(monkeypatch: pytest.MonkeyPatch):
    town = Town()
    monkeypatch.setattr("supervisor.tasks.guarded.breaker_of", lambda *_: town.breaker)
    assert GuardedFunction("s", "b", dict)(a=1) == {"a": 1}
    with pytest.raises(ValueError, match="invalid literal"):
        GuardedFunction("s", "b", int)("x")
    totals = town.view.totals
    assert (totals.successes, totals.failures) == (1, 1)
