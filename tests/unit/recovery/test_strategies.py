"""Strategies are values with a bound each; what contradicts itself, or has none, is refused with its path."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from actors.recovery.retry import Fallback, Provider, Retry
from actors.recovery.strategies import (
    Escalate,
    Isolate,
    Restart,
    Restore,
    Strategy,
    UserStrategy,
    check_strategies,
    problems_of_channels,
    problems_of_own,
    title,
)
from actors.runtime.errors import ConfigError

MAKE: dict[str, Any] = {
    "retry": Retry,
    "fallback": lambda **fields: Fallback(len, **fields),
    "provider": lambda **fields: Provider(len, **fields),
    "restore": Restore,
    "escalate": Escalate,
    "restart": Restart,
    "isolate": Isolate,
    "tune": lambda **fields: UserStrategy(name="tune", **fields),
}


@pytest.mark.parametrize("kind", list(MAKE))
@pytest.mark.parametrize("timeout_s", [None, 0, -1, float("inf"), float("nan")])
def test_a_strategy_without_a_bound_is_refused(kind: str, timeout_s: Any) -> None:
    with pytest.raises(ConfigError, match="timeout_s"):
        MAKE[kind](timeout_s=timeout_s)


@pytest.mark.parametrize("kind", [name for name in MAKE if name != "provider"])
def test_each_has_a_title_and_travels(kind: str) -> None:
    strategy = MAKE[kind]()
    assert title(strategy) == kind
    assert pickle.loads(pickle.dumps(strategy)) == strategy


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"load": len}, "load, verify and roll_back belong to apply"),
        ({"verify": len}, "load, verify and roll_back belong to apply"),
        ({"roll_back": len}, "load, verify and roll_back belong to apply"),
        ({"apply": len, "path": ""}, "path"),
        ({"apply": len, "version": -1}, "version"),
    ],
)
def test_a_restore_is_whole(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Restore(**fields)
    assert Restore(load=len, apply=len, verify=len, roll_back=len).load is len


def test_a_drain_fits_its_timeout() -> None:
    with pytest.raises(ConfigError, match=r"drain_s \(60\) must be shorter than timeout_s \(60\)"):
        Isolate(drain_s=60)


def test_escalations_end_and_one_channel_need_not_be_a_tuple() -> None:
    one: Any = "pager"
    assert Escalate(channels=one).channels == ("pager",)
    with pytest.raises(ConfigError, match="repeats"):
        Escalate(repeats=0)


def test_a_fallback_asks_its_own_function_first_and_the_others_in_order() -> None:
    others: Any = (max, Provider(min, name="least", breaker="b", timeout_s=1.0))
    made = Fallback(len, breaker="a", timeout_s=2.0, others=others)
    assert [(each.title, each.breaker, each.timeout_s) for each in made.providers] == [
        ("len", "a", 2.0),
        ("max", None, 10.0),
        ("least", "b", 1.0),
    ]
    one: Any = max
    assert Fallback(len, others=one).others == (Provider(max),)
    with pytest.raises(ConfigError, match=r"others"):
        Fallback(len, others=7)


def test_a_plan_holds_strategies_only() -> None:
    assert check_strategies([Retry(), Restart()], source="plan") == (Retry(), Restart())
    assert check_strategies(Restart(), source="plan") == (Restart(),)
    with pytest.raises(ConfigError, match=r"healer.plan: strategies\[1\]: 'restart' is none; there are Retry"):
        check_strategies((Retry(), "restart"), source="healer.plan")
    with pytest.raises(ConfigError, match="strategies: 0 were given; a plan has 1 to 20"):
        check_strategies((), source="healer.plan")
    many: list[Strategy] = [Restart()] * 21
    with pytest.raises(ConfigError, match="21 were given"):
        check_strategies(many, source="healer.plan")


def test_a_strategy_of_ones_own_that_nobody_has_is_named_with_its_place() -> None:
    given = (Retry(), UserStrategy(name="tune"), UserStrategy(name="tuen"))
    assert problems_of_own(given[:2], ("tune",), group="g") == ()
    where = "no installed package has the entry point 'tuen' in the group g"
    assert problems_of_own(given, ("clean", "tune"), group="g") == (f"strategies[2]: {where}; there are clean, tune",)
    assert problems_of_own(given, ("tune",), group="g") == (f"strategies[2]: {where}; there is tune",)
    assert problems_of_own(given[2:], (), group="g") == (f"strategies[0]: {where}; there are none",)


def test_a_channel_that_is_none_is_named_with_its_place() -> None:
    given = (Retry(), Escalate(), Escalate(channels=("mail", "pager")))
    assert problems_of_channels(given, ("pager", "mail")) == ()
    assert problems_of_channels(given, ("mail", "hook")) == (
        "strategies[2].channels: there is no channel 'pager'; there are: mail, hook",
    )


@pytest.mark.parametrize("make", [Fallback, Provider])
def test_a_breaker_that_cannot_be_is_refused_where_it_is_named(make: Any) -> None:
    with pytest.raises(ConfigError, match="breaker: has one of"):
        make(len, breaker="pay*")
    assert make(len, breaker="pay").breaker == "pay"


def test_a_strategy_of_ones_own_is_written_by_its_name() -> None:
    make: Any = UserStrategy
    assert make("mend", options={"a": 1}) == UserStrategy(name="mend", options={"a": 1})
