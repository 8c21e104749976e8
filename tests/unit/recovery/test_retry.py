"""What a user may say of retries and fallbacks, and what is refused."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from actors.recovery.retry import Fallback, Retry
from actors.runtime.errors import ConfigError, TaskTimeoutError


def test_any_exception_is_worth_another_attempt_by_default_a_timeout_too() -> None:
    assert Retry().allows(ValueError())
    assert Retry().allows(TaskTimeoutError("t", limit_s=1.0))
    assert not Retry().allows(KeyboardInterrupt())


def test_only_the_named_exceptions_are_tried_again() -> None:
    assert [Retry(on=(OSError,)).allows(error) for error in (TimeoutError(), ConnectionError(), ValueError())] == [
        True,
        True,
        False,
    ]
    assert not Retry(on=()).allows(ValueError())
    one: Any = OSError
    assert Retry(on=one) == Retry(on=(OSError,))


def test_bounds_must_fit_each_other() -> None:
    with pytest.raises(ConfigError, match=r"min_s \(2\) is larger than max_s \(1\)"):
        Retry(min_s=2.0, max_s=1.0)


@pytest.mark.parametrize("attempts", [0, -1, 1001])
def test_attempts_are_bounded(attempts: int) -> None:
    with pytest.raises(ConfigError, match="Retry: attempts"):
        Retry(attempts=attempts)


def test_a_fallback_is_written_with_its_function_alone() -> None:
    assert Fallback(len).fn is len
    assert Fallback(fn=len) == Fallback(len)
    assert pickle.loads(pickle.dumps(Fallback(len))) == Fallback(len)


@pytest.mark.parametrize("data", [{"fn": "len"}, {}, {"fm": len}, {"fn": len, "more": 1}])
def test_a_wrong_fallback_in_a_configuration_is_named_as_any_other_mistake(data: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"fn|more"):
        Fallback.parse(data, source="test")
