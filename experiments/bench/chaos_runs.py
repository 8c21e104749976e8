"""What experiments on a cluster take: from an injection to its effect, and a campaign of many seeds."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from actors.runtime.process import is_alive
from experiments.bench.children import STOCK_S
from experiments.bench.row import p99
from experiments.bench.workload import Counter
from experiments.faults.proof import prove
from experiments.hands.hands import Hands
from experiments.hands.orders import HandOrder, Spot
from experiments.running.survey import survey
from supervisor.specs import BackoffSettings

if TYPE_CHECKING:
    from supervisor import Supervisor

INJECTIONS = 100
SEEDS = 20
_LEASE_S = 30.0
_PATIENCE_S = 60.0
_VICTIMS = 3

_AT_ONCE = BackoffSettings(min_s=0.0, max_s=0.0)
"""A pool's worker that is killed a hundred times is waited for, up to 5 s each time."""

LOOK_EVERY_S = 0.002
"""As a run looks: who does nothing but look takes the processor that the dying need to end."""

CALM_S = 0.2
"""A pause before each injection: what follows from the one before is not in its way. After a kill it is longer, till
the stock of warm processes is full again: who starts those has the processors that the next to die needs to end."""


class ChaosRuns:
    """Measurements on one embedded supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._sup = supervisor

    def effect(self) -> float:
        """From the order to inject to the kernel's telling that it acted, p99 of kills and stops in turn, seconds."""
        hands = Hands(self._sup.name)
        group = self._sup.group(f"struck-{uuid.uuid4().hex[:8]}", intensity=INJECTIONS, backoff=_AT_ONCE)
        for number in range(_VICTIMS):
            group.supervise(Counter, name=f"v{number}")
        try:
            taken = [self._strike(hands, group.path, number) for number in range(INJECTIONS)]
        finally:
            hands.close()
            self._sup.root.terminate(group.path)
            self._sup.root.delete(group.path)
        return p99(taken)

    def campaign(self) -> float:
        """A campaign of 20 seeds of kill-worker, seconds; all of them held."""
        begun = time.perf_counter()
        found = self._sup.chaos.campaign("kill-worker", seeds=SEEDS)
        took_s = time.perf_counter() - begun
        if found.counts != {"held": SEEDS}:
            message = f"not all seeds held: {found.counts}; the worst says {found.worst.reasons}"
            raise RuntimeError(message)
        return took_s

    def _strike(self, hands: Hands, group: str, number: int) -> float:
        spot = self._victim(group)
        fault = "crash" if number % 2 else "hang"
        time.sleep(CALM_S if fault == "crash" or not number else STOCK_S)
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

    def _victim(self, group: str) -> Spot:
        """A child of a group that is whole: the start of a successor is not to be paid for here."""
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            children = [child for child in self._sup.status().tree if child.key.startswith(f"child/{group}.")]
            spots = survey(self._sup).spots
            living = [spots[each.key] for each in children if each.status == "running" and each.key in spots]
            if len(living) == _VICTIMS and all(map(_lives, living)):
                return living[0]
            time.sleep(0.02)
        message = f"the group is not whole within {_PATIENCE_S:g} s; see `supervisor status`"
        raise TimeoutError(message)


def _lives(spot: Spot) -> bool:
    return spot.process is not None and is_alive(spot.process)
