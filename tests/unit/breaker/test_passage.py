"""Refusing by the owner's word alone, and for no longer than it says."""

from __future__ import annotations

import pytest

from actors.breaker.errors import CircuitOpenError
from actors.breaker.passage import turn_away
from tests.unit.breaker.town import Town


def test_a_call_is_turned_away_until_the_wait_is_over_and_then_the_gate_is_asked() -> None:
    town = Town().opened()
    circuit = town.circuit
    with pytest.raises(CircuitOpenError) as refused:
        turn_away(circuit, circuit.lane)
    assert refused.value.retry_after_s == pytest.approx(circuit.lane.until - town.clock.time)
    assert (refused.value.name, refused.value.state) == ("b", "open")
    town.clock.time = circuit.lane.until  # nobody has looked yet, neither the keeper nor the owner
    turn_away(circuit, circuit.lane)
    assert circuit.lane.take_refusals() == 1


async def test_leave_is_taken_by_hand_in_a_coroutine():
    town = Town(half_open_permits=1)
    (await town.breaker.aacquire()).cancel()
    town.half_opened()
    probe = await town.breaker.aacquire()
    assert probe.is_probe
    with pytest.raises(CircuitOpenError):
        await town.breaker.aacquire()
    assert await town.breaker.atry_acquire() is None
    probe.success()
    assert town.breaker.state == "closed"
