"""Only what counts is a failure, only what came back is a success; all else says nothing."""

from __future__ import annotations

import asyncio
from concurrent import futures
from typing import Any

import pytest

from actors.breaker.outcome import FAILED, FAILED_SLOW, SLOW, SUCCESS, code_of, outcome_of_error, outcome_of_result
from actors.breaker.settings import BreakerSettings


@pytest.mark.parametrize(
    "error", [asyncio.CancelledError(), futures.CancelledError(), KeyboardInterrupt(), GeneratorExit(), SystemExit()]
)
@pytest.mark.parametrize("count", [Exception, BaseException])
def test_a_cancelled_call_says_nothing_whatever_is_counted(error: BaseException, count: Any) -> None:
    assert outcome_of_error(error, BreakerSettings(count=count)) == "cancelled"


def test_a_timeout_is_a_failure_not_a_cancellation() -> None:
    assert outcome_of_error(TimeoutError(), BreakerSettings()) == "failure"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(OSError(), "failure"), (TimeoutError(), "failure"), (KeyError(), "ignored"), (FileNotFoundError(), "ignored")],
)
def test_ignored_goes_before_counted_and_what_nobody_named_says_nothing(error: Exception, outcome: str) -> None:
    assert outcome_of_error(error, BreakerSettings(count=(OSError,), ignore=(FileNotFoundError,))) == outcome


def test_functions_decide_like_classes() -> None:
    settings = BreakerSettings(
        count=(lambda error: "503" in str(error),), ignore=(lambda error: "later" in str(error),)
    )
    told = [outcome_of_error(ValueError(text), settings) for text in ("503", "404", "503 later")]
    assert told == ["failure", "ignored", "ignored"]


def test_a_result_may_be_a_failure() -> None:
    settings = BreakerSettings(failed_result=lambda status: status >= 500)
    assert [outcome_of_result(status, settings) for status in (200, 503)] == ["success", "failure"]
    assert outcome_of_result(None, BreakerSettings()) == "success"


def test_slow_is_longer_than_the_limit_and_only_what_was_measured() -> None:
    settings = BreakerSettings(slow_call_rate=0.5, slow_call_s=1.0)
    assert [code_of("success", took, settings) for took in (1.0, 1.1, None)] == [SUCCESS, SLOW, SUCCESS]
    assert [code_of("failure", took, settings) for took in (1.0, 1.1, None)] == [FAILED, FAILED_SLOW, FAILED]
    assert code_of("success", 99.0, BreakerSettings()) == SUCCESS
