"""Several breakers at once: what of a glob is done and what is not is told, name by name."""

from __future__ import annotations

import pickle
from concurrent.futures import Future
from typing import Any

import pytest

from actors.breaker.errors import BreakerUnreachableError, TooManyBreakersError
from actors.runtime.errors import ConfigError
from supervisor.breakers import collection
from supervisor.breakers.collection import Breakers, PartlyDoneError


class World:
    """A link, its homes and a log; no owner runs, and some do not answer."""

    def __init__(self, *silent: str) -> None:
        self.silent = silent
        self.asked: list[str] = []
        made: Any = Breakers
        self.breakers = made(self, self, self)

    def owners(self) -> list[str]:
        return []

    def query(self, _: str) -> list[dict[str, str]]:
        return [{"breaker": name, "state": "closed"} for name in ("pay-a", "pay-b", "pay-c", "ship")]

    def check(self, name: str) -> None:
        if name == "one too many":
            raise TooManyBreakersError(name, limit=4, scope="the cluster", setting="breaker_names_max")

    def control(self, name: str, _: Any) -> Future[None]:
        self.asked.append(name)
        done: Future[None] = Future()
        if name in self.silent:
            done.set_exception(BreakerUnreachableError(name, what="a request (steer)", reason="nobody answered"))
        else:
            done.set_result(None)
        return done


def test_all_that_a_glob_means_are_done_and_named():
    world = World("ship")
    assert world.breakers.force_open("pay-*", reason="a drill") == ("pay-a", "pay-b", "pay-c")


def test_one_that_fails_keeps_none_of_the_others_from_it_and_both_are_told():
    world = World("pay-a")
    with pytest.raises(PartlyDoneError) as failed:
        world.breakers.force_open("pay-*", reason="a drill")
    assert world.asked == ["pay-a", "pay-b", "pay-c"]
    error = pickle.loads(pickle.dumps(failed.value))
    assert (error.action, error.done) == ("force_open", ("pay-b", "pay-c"))
    assert list(error.failed) == ["pay-a"]
    assert "nobody answered" in error.failed["pay-a"]
    told = "force open was done to 2 of 3 breakers (pay-b, pay-c), and not to pay-a. Ask again for these; pay-a: "
    assert str(error).startswith(told)


def test_that_none_was_done_is_told_as_well():
    with pytest.raises(PartlyDoneError, match=r"done to 0 of 3 breakers \(none\), and not to pay-a, pay-b, pay-c"):
        World("pay-a", "pay-b", "pay-c").breakers.reset("pay-*", reason="over")


def test_a_single_one_raises_what_its_owner_said():
    with pytest.raises(BreakerUnreachableError, match="pay-a"):
        World("pay-a").breakers.disable("pay-a", reason="a drill")


def test_a_new_name_too_many_is_refused_before_anybody_is_asked():
    world = World()
    with pytest.raises(TooManyBreakersError):
        world.breakers.force_open("one too many", reason="a drill")
    assert world.asked == []
    assert world.breakers.force_open("a new one", reason="a drill") == ("a new one",)


def test_those_that_never_answer_are_waited_for_together_and_not_one_by_one(monkeypatch: pytest.MonkeyPatch):
    """One by one these would take longer than a test may."""
    monkeypatch.setattr(collection, "CONTROL_WAIT_S", 0.05)
    world = World()
    names = [f"lost-{number}" for number in range(5000)]
    world.query = lambda _: [{"breaker": name, "state": "closed"} for name in (*names, "ship")]
    answered = world.control
    world.control = lambda name, asked: answered(name, asked) if name == "ship" else Future()  # type: ignore[method-assign]
    made: Any = Breakers
    with pytest.raises(PartlyDoneError) as failed:
        made(world, world, world).force_open("*", reason="a drill")
    assert failed.value.done == ("ship",)
    assert sorted(failed.value.failed) == sorted(names)
    assert "no answer within 0.05 s" in failed.value.failed["lost-0"]


def test_whether_there_is_one_of_a_name_can_be_asked():
    breakers = World().breakers
    assert "pay-a" in breakers
    assert "pay" not in breakers
    assert breakers["ship"] in breakers


@pytest.mark.parametrize("pattern", [None, 3, b"pay-a"])
def test_what_is_no_text_is_no_name_and_no_glob(pattern: Any):
    world = World()
    for ask in ("force_open", "disable", "shadow", "enable", "reset"):
        with pytest.raises(ConfigError, match="must be a text, not"):
            getattr(world.breakers, ask)(pattern, reason="drill")
    with pytest.raises(ConfigError, match="must be a text, not"):
        world.breakers.configure(pattern, reason="drill", open_s=1.0)
    with pytest.raises(ConfigError, match="no field is given"):
        world.breakers.configure("pay-a", reason="drill")
    assert world.asked == []
