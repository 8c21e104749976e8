"""Restore, step by step: an earlier state is loaded aside, verified, cut over to, and rolled back if that fails.

    load (put aside) --> verify --> cut over --failed--> roll back

What is loaded is kept in the store of checkpoints, so that the next step may be taken by another healer. A supervised
child is ended, its checkpoint made the newest one, and started again; what was its newest before is kept for rolling
back. A user's functions are called with what their `load` returned.
"""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from actors.checkpoint.format import Checkpoint
from actors.child.hooks import finish
from actors.healer.functions import FunctionCheckpoints
from actors.healer.ports import CannotHealError, no_checkpoint
from actors.runtime import wire
from actors.runtime.errors import CheckpointStoreError

if TYPE_CHECKING:
    from actors.healer.incident import Incident
    from actors.healer.ports import ChildState, HealingPorts
    from actors.recovery.course import Action
    from actors.recovery.strategies import Restore
    from actors.runtime.clock import Clock
    from actors.runtime.ports import CheckpointStore

_CLASS = "supervisor.Restore"
_LOADED, _FORMER = 1, 2
"""Numbers of what is put aside: the state that is taken up, and what it replaced."""


class Restoring:
    """One incident's restoring.

    Args:
        strategy: What is asked for; its functions are loaded.
        incident: The incident.
        ports: The ways to the child, and to the stores.
        clock: Where the time comes from.
    """

    def __init__(self, strategy: Restore, incident: Incident, ports: HealingPorts, clock: Clock) -> None:
        self._strategy = strategy
        self._incident = incident
        self._ports = ports
        self._clock = clock
        self._key = f"restore/{incident.incident_id}.{incident.position}"

    def take(self, action: Action, *, timeout_s: float) -> bool:
        """Take one step; False when it refused the state. What was put aside goes with the last one.

        Raises: whatever a user's function, the store or the supervisor raises.
        """
        is_going_on = False
        try:
            is_own = self._strategy.apply is not None
            going_well = self._of_functions(action) if is_own else self._of_child(action, timeout_s)
            is_going_on = going_well and action in ("load", "verify")
        except Exception:
            is_going_on = action == "cut_over"  # it is rolled back next
            raise
        finally:
            if not is_going_on:
                self._forget()
        return going_well

    # -- a user's functions -------------------------------------------------------------------------------------------

    def _of_functions(self, action: Action) -> bool:
        strategy, component = self._strategy, self._incident.component
        assert strategy.apply is not None
        if action == "load":
            self._put(_LOADED, self._checkpointed(component) if strategy.load is None else _called(strategy, component))
            return True
        state = wire.loads(self._get(_LOADED), ())
        if action == "verify":
            return strategy.verify is None or finish(strategy.verify(state)) is not False
        if action == "cut_over":
            finish(strategy.apply(state))
        elif strategy.roll_back is not None:
            finish(strategy.roll_back(state))
        return True

    def _checkpointed(self, component: str) -> bytes:
        """What was put away for it last."""
        store = self._ports.checkpoints(self._strategy.path)
        found = FunctionCheckpoints(store, self._clock).newest(component, version=self._strategy.version)
        if found is None:
            raise CannotHealError(
                component,
                action="restore",
                reason="there is no checkpoint of it",
                remedy="Put its state away by sup.healer.checkpoint(component, state), or give Restore a load",
            )
        return found

    # -- a supervised child -------------------------------------------------------------------------------------------

    def _of_child(self, action: Action, timeout_s: float) -> bool:
        child = self._ports.child_state(self._incident.target)
        if action == "load":
            self._put(_LOADED, pickle.dumps(_newest(child)))
            return True
        loaded = self._checkpoint(_LOADED)
        if action == "verify":
            return (loaded.class_name, loaded.state_version) == (child.class_name, child.state_version)
        if action == "cut_over":
            self._ports.restart(child.key, timeout_s=timeout_s, between=lambda: self._replace(child, loaded))
            return True
        former = self._checkpoint(_FORMER)
        self._ports.restart(child.key, timeout_s=timeout_s, between=lambda: self._make_newest(child, former))
        return True

    def _replace(self, child: ChildState, loaded: Checkpoint) -> None:
        """While it is ended: what was its newest is put aside, and what was loaded becomes the newest."""
        self._put(_FORMER, pickle.dumps(_newest(child)))
        self._make_newest(child, loaded)

    def _make_newest(self, child: ChildState, wanted: Checkpoint) -> None:
        newest = _newest(child)
        if newest.state == wanted.state:
            return
        again = replace(wanted, incarnation=newest.incarnation, number=newest.number + 1)
        child.store.put(replace(again, at_us=self._clock.wall_us()))

    # -- aside --------------------------------------------------------------------------------------------------------

    def _put(self, number: int, data: bytes) -> None:
        self._aside.put(
            Checkpoint(
                key=f"{self._key}.{number}",
                incarnation=1,
                number=number,
                class_name=_CLASS,
                state_version=1,
                at_us=self._clock.wall_us(),
                state=data,
            )
        )

    def _get(self, number: int) -> bytes:
        key = f"{self._key}.{number}"
        found = self._aside.latest(key, class_name=_CLASS, state_version=1).checkpoint
        if found is None:
            raise CheckpointStoreError(
                key, store="the healers'", reason="what was loaded is gone", remedy="The next strategy is tried"
            )
        return found.state

    def _checkpoint(self, number: int) -> Checkpoint:
        found: Any = pickle.loads(self._get(number))  # noqa: S301 - a healer of this cluster made it
        assert isinstance(found, Checkpoint)
        return found

    def _forget(self) -> None:
        """What was put aside is needed no more."""
        for number in (_LOADED, _FORMER):
            self._aside.delete(f"{self._key}.{number}")

    @property
    def _aside(self) -> CheckpointStore:
        return self._ports.checkpoints(None)


def _called(strategy: Restore, component: str) -> bytes:
    assert strategy.load is not None
    return wire.dumps(finish(strategy.load(component)))[0]


def _newest(child: ChildState) -> Checkpoint:
    found = child.store.latest(child.key, class_name=child.class_name, state_version=child.state_version).checkpoint
    if found is None:
        raise no_checkpoint(child)
    return found
