"""A skewed clock: what people read is off, what decides is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.fault_control import fault_put, fault_seen, fault_take
from actors.runtime.fault_points import CLOCK, ON

HOUR_S = 3_600.0


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
