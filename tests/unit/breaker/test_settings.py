"""What a user may say of a breaker, and what is refused, with the remedy."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from actors.breaker.settings import BreakerSettings, changed, describe_difference
from actors.runtime.errors import ConfigError

CONTRACT = {
    "failure_rate": 0.5,
    "slow_call_rate": None,
    "slow_call_s": None,
    "consecutive_failures": None,
    "minimum_calls": 20,
    "window_calls": 100,
    "window_s": None,
    "open_s": 5.0,
    "open_s_max": 60.0,
    "open_growth": 2.0,
    "open_jitter": 0.1,
    "half_open_permits": 3,
    "half_open_success_rate": 1.0,
    "half_open_s_max": 30.0,
    "permit_lease_s": 10.0,
    "ramp": (),
    "ramp_step_s": 1.0,
    "quorum": None,
    "quorum_of": "reporters",
    "ignore": (),
    "count": (Exception,),
    "failed_result": None,
}


def _is_broken(error: BaseException) -> bool:
    return bool(error.args)


def test_what_could_never_be_a_failure_is_refused_unless_something_else_opens_it():
    with pytest.raises(ConfigError, match="count is empty"):
        BreakerSettings(count=())
    with pytest.raises(ConfigError, match="count is empty"):
        BreakerSettings(count=(), consecutive_failures=3)
    assert BreakerSettings(count=(), failed_result=bool).count == ()
    assert BreakerSettings(count=(), slow_call_s=1.0, slow_call_rate=0.5).count == ()


def test_names_and_defaults_are_the_contract() -> None:
    assert BreakerSettings().model_dump() == CONTRACT


@pytest.mark.parametrize("field", ["failure_rate", "slow_call_rate", "half_open_success_rate"])
@pytest.mark.parametrize("rate", [0, -0.1, 1.1, float("nan")])
def test_rates_are_fractions_above_0(field: str, rate: float) -> None:
    with pytest.raises(ConfigError, match=f"BreakerSettings: {field}"):
        BreakerSettings.parse({field: rate}, source="BreakerSettings")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"window_calls": 0}, "window_calls: Input should be greater than or equal to 1"),
        ({"window_s": 0}, "window_s: Input should be greater than 0"),
        ({"minimum_calls": 0}, "minimum_calls"),
        ({"consecutive_failures": 0}, "consecutive_failures"),
        ({"open_s": 0}, "open_s: a wait must be longer than 0 seconds, and end"),
        ({"open_s": float("inf")}, "open_s: a wait must be longer"),
        ({"open_s": float("nan")}, "open_s: a wait must be longer"),
        ({"open_s_max": float("inf")}, "open_s_max"),
        ({"open_growth": 0.5}, "open_growth"),
        ({"open_jitter": 1.5}, "open_jitter"),
        ({"half_open_permits": 0}, "half_open_permits"),
        ({"permit_lease_s": 0}, "permit_lease_s"),
        ({"quorum": 0}, "quorum"),
        ({"quorum_of": "nodes"}, "counts nothing without quorum"),
        ({"ramp": (0.5, 0.5)}, "ramp: each step must let more through"),
        ({"ramp": (0.0, 0.5)}, "ramp: each step is a fraction"),
        ({"ramp": (0.5, 1.1)}, "ramp: each step is a fraction"),
        ({"ignore": (int,)}, "ignore: int is not an exception"),
        ({"count": ("ValueError",)}, "count"),
        ({"failure_rates": 0.5}, "failure_rates: unknown key"),
        ({"failure_rate": None}, "nothing would ever open it"),
        ({"slow_call_rate": 0.5}, "slow_call_rate needs slow_call_s"),
        ({"slow_call_s": 2.0}, "slow_call_s opens nothing without slow_call_rate"),
        ({"window_calls": 50, "window_s": 10.0}, r"window_calls \(50\) and window_s \(10\) exclude each other"),
        ({"window_calls": None}, "a window is needed"),
        ({"minimum_calls": 101}, r"minimum_calls \(101\) is larger than window_calls \(100\)"),
        ({"open_s": 61.0}, r"open_s \(61\) is larger than open_s_max \(60\); raise that too"),
        ({"ignore": (OSError,), "count": (TimeoutError, ValueError)}, "TimeoutError would never count: it is ignored"),
        ({"ignore": Exception}, "Exception would never count"),
    ],
)
def test_what_cannot_be_or_contradicts_itself_is_refused_with_its_name(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        BreakerSettings(**fields)


def test_all_contradictions_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        BreakerSettings(slow_call_rate=0.5, open_s=61.0, window_calls=None)
    assert "slow_call_s" in str(caught.value)
    assert "open_s_max" in str(caught.value)
    assert "a window is needed" in str(caught.value)


def test_something_else_than_a_mapping_is_refused() -> None:
    with pytest.raises(ConfigError, match="top level"):
        BreakerSettings.parse([1], source="here.yaml")


def test_a_window_of_time_replaces_the_default_one_of_calls() -> None:
    assert BreakerSettings(window_s=10).window_calls is None
    assert BreakerSettings(window_s=10, minimum_calls=500).minimum_calls == 500


def test_a_small_window_lowers_the_default_minimum_and_no_given_one() -> None:
    assert BreakerSettings(window_calls=5).minimum_calls == 5
    assert BreakerSettings(window_calls=50).minimum_calls == 20
    with pytest.raises(ConfigError, match="no rate would ever be judged"):
        BreakerSettings(window_calls=5, minimum_calls=6)


def test_one_exception_or_function_need_not_be_a_tuple() -> None:
    one: Any = ValueError
    rule: Any = _is_broken
    assert BreakerSettings(ignore=one) == BreakerSettings(ignore=(ValueError,))
    assert BreakerSettings(count=rule).count == (_is_broken,)


def test_any_rule_alone_is_enough() -> None:
    assert BreakerSettings(failure_rate=None, consecutive_failures=3).consecutive_failures == 3
    assert BreakerSettings(failure_rate=None, slow_call_rate=0.5, slow_call_s=1).slow_call_s == 1.0


def test_settings_travel_with_their_functions() -> None:
    settings = BreakerSettings(open_s=abs, ignore=(_is_broken, KeyError), failed_result=bool)
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_two_definitions_are_compared_by_numbers_and_names_not_by_functions() -> None:
    first = BreakerSettings(open_s=lambda _: 1.0, count=(OSError, lambda _: True), failed_result=lambda _: True)
    second = BreakerSettings(open_s=lambda _: 2.0, count=(lambda _: False, OSError), failed_result=lambda _: False)
    assert describe_difference(first, second) == ()
    assert describe_difference(BreakerSettings(), BreakerSettings()) == ()


def test_the_difference_names_each_field_with_what_stands_and_what_was_given() -> None:
    first = BreakerSettings(failure_rate=0.5, ramp=(0.1, 1.0), open_s=abs, count=(ValueError,))
    second = BreakerSettings(failure_rate=0.2, ramp=(0.5, 1.0), failed_result=bool)
    assert describe_difference(first, second) == (
        "failure_rate: 0.5 stands, 0.2 was given",
        "open_s: a function stands, 5.0 was given",
        "ramp: (0.1, 1.0) stands, (0.5, 1.0) was given",
        "count: ('ValueError',) stands, ('Exception',) was given",
        "failed_result: None stands, a function was given",
    )


def test_a_change_keeps_the_rest_and_one_kind_of_window_replaces_the_other() -> None:
    settings = BreakerSettings(failure_rate=0.2, window_calls=50)
    assert changed(settings, open_s=9.0) == BreakerSettings(failure_rate=0.2, window_calls=50, open_s=9.0)
    by_time = changed(settings, window_s=10.0)
    assert (by_time.window_calls, by_time.window_s) == (None, 10.0)
    assert changed(by_time, window_calls=30).window_s is None
    with pytest.raises(ConfigError, match="exclude each other"):
        changed(settings, window_calls=30, window_s=1.0)
    with pytest.raises(ConfigError, match="opne_s: unknown key"):
        changed(settings, opne_s=1.0)
