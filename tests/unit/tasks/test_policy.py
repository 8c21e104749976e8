"""What a policy may say."""

from __future__ import annotations

import pickle

import pytest

from actors.recovery.retry import Fallback, Retry
from actors.runtime.errors import ConfigError
from supervisor.tasks.policy import Policy


def test_a_policy_says_nothing_by_default_but_to_try_again() -> None:
    assert Policy() == Policy(timeout_s=None, deadline_s=None, retry=Retry(), fallback=None, priority=0)


def test_a_policy_crosses_processes() -> None:
    policy = Policy(timeout_s=2, retry=Retry(attempts=4, on=(OSError,)), fallback=Fallback(len), priority=3)
    assert pickle.loads(pickle.dumps(policy)) == policy


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"timeout_s": 0}, "timeout_s"),
        ({"deadline_s": -1}, "deadline_s"),
        ({"priority": 101}, "priority"),
        ({"retry": {"attempts": 0}}, "retry.attempts"),
        ({"retry": {"backoff": "sideways"}}, "retry.backoff"),
        ({"fallback": 3}, "fallback"),
        ({"timout_s": 3}, "timout_s"),
    ],
)
def test_a_wrong_value_is_named(data: dict[str, object], path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Policy.parse(data, source="test")
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [path]
