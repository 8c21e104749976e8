"""A fault at a point hits the calls it names, so many of them, until its end; without one nothing happens."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from actors.runtime import fault_points
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.fault_passing import pass_point, pass_point_soon
from actors.runtime.fault_points import (
    FAULTS_MAX,
    ON,
    REPLIES,
    RUNS,
    InjectedFaultError,
    InjectedUnavailableError,
    PointFault,
    decide,
    put,
    skew_of,
    sweep,
    take,
)


@pytest.fixture(autouse=True)
def nothing_is_left_on() -> Iterator[None]:
    yield
    ON.clear()


def fault(kind: Any = "error", **changed: Any) -> PointFault:
    fields: dict[str, Any] = {
        "fault_id": "f",
        "run": "r1",
        "point": "p",
        "subject": "child/*",
        "kind": kind,
        "until": 10.0,
        **changed,
    }
    return PointFault(**fields)


def effect(*faults: PointFault, subject: str = "child/cart", point: str = "p", now: float = 5.0, **stage: Any) -> Any:
    return decide({str(n): each for n, each in enumerate(faults)}, point, subject, now=now, rng=Random(1), **stage)


def test_it_hits_whom_it_names_where_and_while_it_is_on() -> None:
    assert isinstance(effect(fault()).raises, InjectedFaultError)
    assert effect(fault(), subject="worker/w0") is None
    assert effect(fault(), point="q") is None
    assert effect(fault(), now=10.0) is None
    assert effect() is None


def test_each_kind_does_its_own() -> None:
    late = effect(fault("latency", delay_s=1.0, jitter_s=0.5))
    assert 1.0 <= late.wait_s <= 1.5
    assert late.raises is None
    assert effect(fault("hang")).wait_s == 5.0
    gone = effect(fault("unavailable")).raises
    assert isinstance(gone, ConnectionError)
    assert isinstance(gone, InjectedUnavailableError)
    assert "supervisor chaos stop r1" in str(gone)
    mine = effect(fault(error=KeyError, message="no")).raises
    assert (type(mine), mine.args) == (KeyError, ("no",))


def test_several_add_up() -> None:
    both = effect(fault("latency", delay_s=1.0), fault("latency", delay_s=2.0), fault(), fault("unavailable"))
    assert both.wait_s == 3.0
    assert type(both.raises) is InjectedFaultError


def test_who_fails_the_call_is_told() -> None:
    assert effect(fault("latency"), fault(fault_id="g"), fault("unavailable", fault_id="h")).raised_by == "g"


def test_each_kind_has_its_stage() -> None:
    there_and_back = (fault("lost_request"), fault("lost_reply"), fault("exit"), fault("skew", skew_s=9.0))
    lost = effect(*there_and_back)
    assert (lost.ends, str(lost.raises).count("the request did not arrive")) == (True, 1)
    assert effect(*there_and_back, kinds=RUNS).raises is None
    unanswered = effect(*there_and_back, kinds=REPLIES)
    assert "the reply did not arrive" in str(unanswered.raises)
    assert (unanswered.ends, unanswered.hits) == (False, ["f"])


def test_the_clock_is_off_by_all_that_are_on() -> None:
    on = {"a": fault("skew", fault_id="a", skew_s=5.0), "b": fault("skew", fault_id="b", skew_s=-2.0, until=3.0)}
    assert skew_of(on, now=1.0) == (3.0, ("a", "b"))
    assert skew_of(on, now=3.0) == (5.0, ("a",))
    assert skew_of(on, now=10.0) == (0, ())


def test_a_share_of_the_calls() -> None:
    rng = Random(3)
    hit = sum(decide({"f": fault(share=0.2)}, "p", "child/x", now=0.0, rng=rng) is not None for _ in range(5000))
    assert 800 < hit < 1200


def test_it_ends_by_itself_and_is_bounded() -> None:
    assert put(fault(until=1.0))
    assert put(fault(fault_id="g", until=9.0))
    assert sweep(1.0) == ("f",)
    assert (list(ON), take("g"), take("g")) == (["g"], True, False)
    assert all(put(fault(fault_id=str(number))) for number in range(FAULTS_MAX))
    assert not put(fault(fault_id="one more"))
    assert put(fault(fault_id="0", until=3.0)), "the same again is another end of it"


def test_a_call_passes_waits_and_fails() -> None:
    now = SYSTEM_CLOCK.now()
    pass_point("p", "child/cart")
    put(fault("latency", delay_s=0.05, until=now + 60))
    pass_point("p", "child/cart")
    assert SYSTEM_CLOCK.now() >= now + 0.05
    put(fault(fault_id="g", until=now + 60))
    with pytest.raises(InjectedFaultError):
        pass_point("p", "child/cart")
    fault_points.ON.clear()
    put(fault(until=now - 1))
    pass_point("p", "child/cart")
    assert ON == {}, "what is over is swept on the way"


async def test_a_coroutine_does_too() -> None:
    await pass_point_soon("p", "child/cart")
    put(fault("hang", until=SYSTEM_CLOCK.now() + 0.05))
    await pass_point_soon("p", "child/cart")
    put(fault("unavailable", until=SYSTEM_CLOCK.now() + 60))
    with pytest.raises(InjectedUnavailableError):
        await pass_point_soon("p", "child/cart")
