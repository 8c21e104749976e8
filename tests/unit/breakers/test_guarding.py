"""What becomes of a call's answer is told to the breaker that let it through."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from actors.breaker.errors import CircuitOpenError
from actors.breaker.handle import BreakerHandle, local_breaker
from actors.breaker.settings import BreakerSettings
from supervisor.breakers.guarding import guarded
from supervisor.tasks.guarded import GuardedFunction, Guards


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


def test_a_guarded_function_is_the_same_for_the_same_function_and_looks_like_it():
    guards = Guards("nobody")
    first = guards.guarded(made, "bank")
    assert first is guards.guarded(made, "bank")
    assert first is not guards.guarded(made, "shop")
    assert isinstance(first, GuardedFunction)
    assert (getattr(first, "__name__", ""), first.__module__) == (made.__name__, made.__module__)
    assert guards.guarded(3, "bank") == 3  # pyright: ignore[reportArgumentType] - what is no function is refused later
