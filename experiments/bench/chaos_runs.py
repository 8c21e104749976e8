"""What experiments on a cluster take: from an injection to its effect, and a campaign of many seeds."""

from __future__ import annotations

import time
from statistics import quantiles
from typing import TYPE_CHECKING

from actors.runtime.process import is_alive
from experiments.faults.proof import prove
from experiments.hands.hands import Hands
from experiments.hands.orders import HandOrder, Spot
from experiments.running.survey import survey

if TYPE_CHECKING:
    from supervisor import Supervisor

INJECTIONS = 100
SEEDS = 20
_LEASE_S = 30.0
_PATIENCE_S = 60.0

LOOK_EVERY_S = 0.002
"""As a run looks: who does nothing but look takes the processor that the dying need to end."""

CALM_S = 0.2
"""A pause before each injection: what follows from the one before is not in its way."""


class ChaosRuns:
    """Measurements on one embedded supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._sup = supervisor

    def effect(self) -> float:
        """From the order to inject to the kernel's telling that it acted, p99 of kills and stops in turn, seconds."""
        hands = Hands(self._sup.name)
        try:
            taken = [self._strike(hands, number) for number in range(INJECTIONS)]
        finally:
            hands.close()
        return quantiles(taken, n=100)[98]

    def campaign(self) -> float:
        """A campaign of 20 seeds of kill-worker, seconds; all of them held."""
        begun = time.perf_counter()
        found = self._sup.chaos.campaign("kill-worker", seeds=SEEDS)
        took_s = time.perf_counter() - begun
        if found.counts != {"held": SEEDS}:
            message = f"not all seeds held: {found.counts}; the worst says {found.worst.reasons}"
            raise RuntimeError(message)
        return took_s

    def _strike(self, hands: Hands, number: int) -> float:
        spot = self._victim()
        fault = "crash" if number % 2 else "hang"
        order = HandOrder(run="bench", fault_id=str(number), fault=fault, how={}, spot=spot, lease_s=_LEASE_S)
        hand = hands.own
        hand.prepare(order)
        hand.arm(*order.key)
        before = hand.look(spot.process)
        begun = time.perf_counter()
        hand.inject(*order.key)
        while not prove(fault, {}, before=before, now=hand.look(spot.process)):
            time.sleep(LOOK_EVERY_S)
        took_s = time.perf_counter() - begun
        hand.undo(*order.key)
        return took_s

    def _victim(self) -> Spot:
        """A worker of a pool that is whole: the start of a successor is not to be paid for here."""
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            workers = [child for child in self._sup.status().tree if child.key.startswith("worker/")]
            spots = survey(self._sup).spots
            living = [spots[each.key] for each in workers if each.status == "running" and each.key in spots]
            if len(living) == len(workers) and all(map(_lives, living)):
                time.sleep(CALM_S)
                return living[0]
            time.sleep(0.02)
        message = f"the pool is not whole within {_PATIENCE_S:g} s; see `supervisor status`"
        raise TimeoutError(message)


def _lives(spot: Spot) -> bool:
    return spot.process is not None and is_alive(spot.process)
