"""Carries the kill plan out while the tasks run, and watches each victim's work and place being taken."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError

from actors.runtime import process
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import SupervisorError
from experiments.demo.killing import candidates
from experiments.demo.lease import HangLease
from experiments.demo.recovery import Kill, look
from supervisor.election import find_leader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from actors.runtime.process import ProcessIdentity
    from experiments.demo.killing import PlannedKill
    from supervisor import Supervisor
    from supervisor.status import SupervisorStatus

LOOK_EVERY_S = 0.01
HANG_LEASE_S = 20.0
ASK_TIMEOUT_S = 2.0


class Chaos:
    """A thread that kills by plan. It signals only processes that the supervisor itself says are its children.

    Args:
        supervisor: The run's supervisor.
        plan: The kills, earliest first.
        rng: Picks the victims.
        progress: Says how many of how many tasks have ended.
        on_kill: Told of each kill, on this thread.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        plan: Sequence[PlannedKill],
        *,
        rng: Random,
        progress: Callable[[], tuple[int, int]],
        on_kill: Callable[[Kill], None],
    ) -> None:
        self._supervisor = supervisor
        self._plan = list(plan)
        self._rng = rng
        self._progress = progress
        self._on_kill = on_kill
        self._kills: list[Kill] = []
        self._leases: list[HangLease] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-chaos", daemon=True)

    @property
    def kills(self) -> tuple[Kill, ...]:
        """What was done so far, in order."""
        return tuple(self._kills)

    @property
    def is_over(self) -> bool:
        """Whether the plan is done and every victim has its successor."""
        return not self._plan and all(kill.is_over for kill in self._kills)

    def problems(self) -> tuple[str, ...]:
        """What of the plan was not done, and which victim nobody replaced."""
        orphaned = [kill for kill in self._kills if not kill.is_over]
        return (
            *(f"the kill of a {planned.kind}, planned at {planned.at:.0%}, was not done" for planned in self._plan),
            *(f"{kill.actor} ({kill.kind}) was killed and has no successor" for kill in orphaned),
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Kill nobody any more, and end what is still stopped."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()
        for lease in self._leases:
            lease.end()

    # -- the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_EVERY_S) and not self.is_over:
            with suppress(SupervisorError, RayError, RuntimeError):  # nobody leads for a moment: look again
                self._look()

    def _look(self) -> None:
        status = self._supervisor.status()
        now = SYSTEM_CLOCK.now()
        self._kills = [look(kill, status, now) for kill in self._kills]
        ended, total = self._progress()
        if self._plan and ended >= self._plan[0].at * total:
            self._strike(status, ended)

    def _strike(self, status: SupervisorStatus, ended: int) -> None:
        """Do the next kill, if there is a victim now; otherwise it stays the next one."""
        kind = self._plan[0].kind
        found = self._leader() if kind == "supervisor" else self._child(status)
        if found is None:
            return
        actor, target = found
        if kind == "hung worker":
            self._leases.append(HangLease(target, HANG_LEASE_S))
        number = signal.SIGSTOP if kind == "hung worker" else signal.SIGKILL
        at = SYSTEM_CLOCK.now()
        if process.send(target, number):
            self._plan.pop(0)
            kill = Kill(kind=kind, actor=actor, pid=target.pid, at=at, ended=ended)
            self._kills.append(kill)
            self._on_kill(kill)

    def _child(self, status: SupervisorStatus) -> tuple[str, ProcessIdentity] | None:
        struck = {kill.actor for kill in self._kills}
        found = candidates(self._plan[0].kind, status.tree, struck)
        if not found:
            return None
        chosen = self._rng.choice(found)
        assert chosen.location is not None, "candidates() returns none without"
        return chosen.name, chosen.location.process

    def _leader(self) -> tuple[str, ProcessIdentity] | None:
        found = find_leader(self._supervisor.name)
        if found is None:
            return None
        where: Any = ray.get(found[1].describe.remote(), timeout=ASK_TIMEOUT_S)
        return where.name, where.process
