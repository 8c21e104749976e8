"""Carries out the commands of a run that are about one fault: by the hand of its node, by Ray, or inside the target.

Decides nothing: which of them it is follows from the fault and its target.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from experiments.errors import FaultRefusedError, NodeUnreachableError
from experiments.faults.proof import Sight
from experiments.hands.orders import HandOrder, Spot
from experiments.model.lasting import LASTING_KINDS
from experiments.running.points import Points, is_at_a_point
from experiments.running.survey import ROOT, survey
from supervisor.election import actor_by_name

if TYPE_CHECKING:
    from actors.runtime.process import ProcessIdentity
    from experiments.hands.hands import Hands
    from experiments.ledger.messages import FaultOrder
    from experiments.running.load import RunningLoad
    from experiments.running.survey import Survey
    from supervisor import Supervisor

SPREAD_EVERY_S = 0.5
NOBODY_HIT = "no life of it runs: nobody was hit"
_LIFE_EVERY_S = 0.05
_CALLERS = ("worker", "child")


class Striker:
    """The faults of one run.

    Args:
        sup: The supervisor.
        hands: The hands of its nodes.
        run: The run.
        load: Its load.
        dependencies: Hosts that its faults name.
    """

    def __init__(
        self, sup: Supervisor, hands: Hands, *, run: str, load: RunningLoad, dependencies: tuple[str, ...]
    ) -> None:
        self._sup = sup
        self._hands = hands
        self._run = run
        self._load = load
        self._dependencies = dependencies
        self._points = Points(run)
        self._lock = threading.Lock()
        self._orders: dict[str, HandOrder] = {}
        self._armed_at: dict[str, float] = {}
        self._hit: dict[str, ProcessIdentity] = {}
        self._struck: dict[str, list[tuple[float, int]]] = {}
        self._spread_at = 0.0
        log = Path(sup.config.log.path)
        self._folder = str(log.parent)

    # -- the commands -------------------------------------------------------------------------------------------------

    def prepare(self, order: FaultOrder) -> dict[str, Any]:
        """What belongs to the entry `arming`: the undo, and where it is one.

        Raises:
            ChaosError, OSError: It cannot be done.
        """
        with self._lock:
            known = self._orders.get(order.fault_id)
        hand_order = known or self._order(order)
        data = self._hands.on(hand_order.spot.node_id).prepare(hand_order)
        with self._lock:
            self._orders[order.fault_id] = hand_order
        return data

    def node_of(self, fault_id: str) -> str:
        """The node whose ledger the fault belongs to; nothing: this one's."""
        order = self._orders.get(fault_id)
        return "" if order is None else order.spot.node_id

    def arm(self, order: FaultOrder) -> None:
        """Give its undo to a watchdog on the target's node.

        Raises:
            ChaosError: None came up.
        """
        hand_order = self._orders[order.fault_id]
        self._hands.on(hand_order.spot.node_id).arm(self._run, order.fault_id)
        self._armed_at[order.fault_id] = SYSTEM_CLOCK.now()

    def inject(self, order: FaultOrder, time: int) -> str:
        """Inject it; what was done, in words.

        Raises:
            ChaosError, OSError, RayError: It was not, or nobody knows.
        """
        hand_order = self._orders[order.fault_id]
        hand = self._hands.on(hand_order.spot.node_id)
        how = order.how.get("how", "")
        if order.hit.kind == "rpc":
            return "Ray does so since it started, and goes on until it ends"
        if is_at_a_point(order):
            hand.insist(self._run, order.fault_id)
            left_s = order.lease_s - (SYSTEM_CLOCK.now() - self._armed_at[order.fault_id])
            return self._points.put(order, self._meeting(order), max(0.0, left_s))
        if order.fault != "crash":
            return hand.inject(self._run, order.fault_id)
        victim = self._present(order, time)
        if victim is None:
            return NOBODY_HIT
        self._struck.setdefault(order.fault_id, []).append((SYSTEM_CLOCK.now(), victim.incarnation))
        if how in ("ray_kill", "exit"):
            hand.insist(self._run, order.fault_id)
            return _end_by_ray(order, victim.actor, how)
        return hand.inject(self._run, order.fault_id, victim.process)

    def struck(self, fault_id: str) -> tuple[tuple[float, int], ...]:
        """When a crash has hit somebody, monotonic seconds, and which life."""
        return tuple(self._struck.get(fault_id, ()))

    def undo(self, order: FaultOrder) -> str:
        """Undo it; what was done, in words.

        Raises:
            ChaosError, OSError: It is on still.
        """
        told = self._points.take(order.fault_id) if is_at_a_point(order) else ""
        hand_order = self._orders.get(order.fault_id)
        if hand_order is None:
            return told or "nothing was done"
        node_id = hand_order.spot.node_id
        try:
            did = self._hands.on(node_id).undo(self._run, order.fault_id)
        except NodeUnreachableError:
            if any(node["NodeID"] == node_id and node["Alive"] for node in ray.nodes()):
                raise
            did = "its node has left the cluster; its watchdog is there still"
        return told or did

    def sight_before(self, order: FaultOrder) -> Sight:
        """What is seen without the fault; where it was on before, what would be."""
        if order.hit.kind not in LASTING_KINDS:
            return self.sight(order)
        return Sight(calls=0, calls_failed=0, typical_s=self._load.work_s, effects_without_reply=0)

    def sight(self, order: FaultOrder, victim: Spot | None = None) -> Sight:
        """What others than the injector see of the target now."""
        spot = victim or self._orders[order.fault_id].spot
        if spot.kind == "node" and order.fault == "crash":
            return Sight(listed=any(node["NodeID"] == spot.node_id and node["Alive"] for node in ray.nodes()))
        if spot.kind == "rpc":
            return self._load_now()
        if is_at_a_point(order):
            return self._calls_of(order)
        folder = self._folder if order.how.get("resource") == "disk" else ""
        using = (self._run, order.fault_id) if order.how.get("resource") in ("cpu", "memory") else None
        return self._hands.on(spot.node_id).look(spot.process, folder, using)

    def spot_of(self, fault_id: str) -> Spot:
        """Where the target was when its undo was made."""
        return self._orders[fault_id].spot

    def close(self) -> None:
        """Undo what is held."""
        self._hands.close()

    # -- whom ---------------------------------------------------------------------------------------------------------

    def survey(self) -> Survey:
        """Everybody now."""
        return survey(self._sup, dependencies=self._dependencies)

    def _order(self, order: FaultOrder) -> HandOrder:
        spot = self._place(order)
        return HandOrder(
            run=self._run,
            fault_id=order.fault_id,
            fault=order.fault,
            how=dict(order.how),
            spot=spot,
            lease_s=order.lease_s,
            folder=self._folder,
        )

    def _place(self, order: FaultOrder) -> Spot:
        seen = self.survey()
        spot = seen.spots.get(order.hit.name)
        if spot is None:
            raise FaultRefusedError(order.fault, target=order.hit.name, reason="it is not there any more")
        if spot.kind == "node" and order.fault in ("crash", "hang"):
            raylet = self._hands.on(spot.node_id).raylet()
            if raylet is None:
                raise FaultRefusedError(order.fault, target=spot.name, reason="its raylet was not found")
            return replace(spot, process=raylet)
        if spot.kind in LASTING_KINDS:
            return replace(spot, process=self._hands.own.raylet())
        if spot.kind == "gcs":
            gcs = self._hands.on(spot.node_id).gcs()
            if gcs is None:
                raise FaultRefusedError(order.fault, target=spot.name, reason="its process was not found")
            return replace(spot, process=gcs)
        return spot

    def _present(self, order: FaultOrder, time: int) -> Spot | None:
        """The life that is to die now: the one that was armed for; the next times the one that comes after the last.

        That is waited for as long as the lease lasts, unless nobody is going to start it.
        """
        spot = self._orders[order.fault_id].spot
        if time > 1:
            last, ends_at = self._hit.get(order.fault_id), self._armed_at[order.fault_id] + order.lease_s
            while (spot := self.survey().life_of(order.hit.name)) is None or spot.process == last:
                if SYSTEM_CLOCK.now() >= ends_at or not self._comes_back(order.hit.name):
                    return None
                sleep(_LIFE_EVERY_S)
        if spot.process is not None:
            self._hit[order.fault_id] = spot.process
        return spot

    def _comes_back(self, name: str) -> bool:
        found = next((child.status for child in self._sup.status().tree if child.key == name), "stopped")
        return name == ROOT or found not in ("stopped", "ignored", "given_up")

    def _meeting(self, order: FaultOrder) -> list[Spot]:
        """In whose processes calls may meet the fault."""
        if order.hit.kind == "dependency":
            return [spot for spot in self.survey().spots.values() if spot.kind in _CALLERS]
        if order.hit.kind == "clock":
            return [spot for spot in self.survey().spots.values() if spot.actor]
        return [self._orders[order.fault_id].spot]

    def _load_now(self) -> Sight:
        """What callers meet: Ray's own calls pass no point that could count. Who was not answered tries again."""
        again = self._load.tried_again
        return Sight(
            calls=self._load.ended,
            calls_failed=self._load.failed + again,
            typical_s=self._load.typical_s(),
            effects_without_reply=max(self._load.witness.asked_again, again),
        )

    def _calls_of(self, order: FaultOrder) -> Sight:
        now = SYSTEM_CLOCK.now()
        if order.hit.kind == "dependency" and now - self._spread_at >= SPREAD_EVERY_S:
            self._spread_at = now
            self._points.spread(order.fault_id, self._meeting(order))
        return Sight(met=self._points.met(order.fault_id))


def _end_by_ray(order: FaultOrder, actor: str, how: str) -> str:
    handle = actor_by_name(actor)
    if handle is None:
        raise FaultRefusedError(order.fault, target=order.hit.name, reason="Ray does not know its actor any more")
    if how == "exit":
        handle.fault_exit.remote()
        return f"{actor} was told to exit"
    try:
        ray.kill(handle, no_restart=True)
    except RayError as error:
        raise OSError(f"ray.kill of {actor}: {error}") from error
    return f"ray.kill of {actor}"
