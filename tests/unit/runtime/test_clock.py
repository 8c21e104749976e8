"""A skewed clock: what people read is off, what decides is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from actors.breaker.errors import CircuitOpenError
from actors.breaker.handle import local_breaker
from actors.breaker.settings import BreakerSettings
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.fault_control import fault_put, fault_seen, fault_take
from actors.runtime.fault_points import CLOCK, DEPENDENCY, ON
from actors.runtime.long_poll import LongPoll
from actors.runtime.replicated import OwnedState

HOUR_S = 3_600.0
DEADLINE_S = 20.0


@pytest.fixture(autouse=True)
def nothing_is_left_on() -> Iterator[None]:
    yield
    fault_take(list(ON))


def skew(by_s: float) -> None:
    common = {"run": "r", "point": CLOCK, "subject": "clock", "kind": "skew", "left_s": 60.0}
    fault_put([{"fault_id": f"skew{by_s}", "skew_s": by_s, **common}])


@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S])
def test_only_the_wall_clock_is_off_and_while_the_fault_is_on(by_s: float) -> None:
    now, now_ns, wall_us = SYSTEM_CLOCK.now(), SYSTEM_CLOCK.now_ns(), SYSTEM_CLOCK.wall_us()
    skew(by_s)
    assert abs(SYSTEM_CLOCK.wall_us() - wall_us - by_s * 1e6) < HOUR_S / 2 * 1e6
    assert fault_seen()[f"skew{by_s}"] == 1
    assert 0 <= SYSTEM_CLOCK.now() - now < HOUR_S / 2
    assert 0 <= SYSTEM_CLOCK.now_ns() - now_ns < HOUR_S / 2 * 1e9
    fault_take(list(ON))
    assert abs(SYSTEM_CLOCK.wall_us() - wall_us) < HOUR_S / 2 * 1e6


@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S])
def test_a_breaker_waits_as_long_as_it_says_whatever_the_wall_clock_says(by_s: float) -> None:
    settings = BreakerSettings(window_calls=2, minimum_calls=2, open_s=0.4, open_jitter=0.0, half_open_permits=1)
    breaker = local_breaker(f"skewed-{by_s:g}", settings)
    skew(by_s)
    opened_at = SYSTEM_CLOCK.now()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            breaker.call(divmod, 1, 0)
    with pytest.raises(CircuitOpenError) as refused:
        breaker.call(divmod, 1, 1)
    assert 0 < refused.value.retry_after_s <= 0.4
    while SYSTEM_CLOCK.now() < opened_at + DEADLINE_S:
        try:
            breaker.call(divmod, 1, 1)
        except CircuitOpenError:
            sleep(0.01)
        else:
            break
    assert breaker.state == "closed"
    assert 0.4 <= SYSTEM_CLOCK.now() - opened_at < DEADLINE_S


@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S])
def test_a_faults_own_end_and_a_long_polls_are_where_they_were(by_s: float) -> None:
    skew(by_s)
    began = SYSTEM_CLOCK.now()
    fault_put([{"fault_id": "short", "run": "r", "point": DEPENDENCY, "kind": "error", "left_s": 0.2}])
    assert LongPoll(OwnedState(1)).observe(0, 0, 0.1) is None, "nothing was published"
    assert 0.1 <= SYSTEM_CLOCK.now() - began < DEADLINE_S
    while "short" in ON and SYSTEM_CLOCK.now() < began + DEADLINE_S:
        sleep(0.01)
    assert 0.2 <= SYSTEM_CLOCK.now() - began < DEADLINE_S
