"""A healer: takes the steps that the coordinator gives it, on the node that it runs on.

It refuses what an earlier life of the coordinator still sends, and takes no step twice.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import ray

from actors.healer.ports import HealerRecipe
from actors.healer.running import Ended, Job, StepRunner
from actors.runtime.errors import StaleIncarnationError
from actors.service.actor import Left, ServiceActor, service_actor
from actors.service.ports import ServicePorts

STEP_THREADS = 64
GROUPS = {"steps": STEP_THREADS}

HUNG_MAX = 8
"""Steps past their timeout that one healer bears; with more it ends as soon as nothing else runs in it."""

_NAMES_MAX = 10_000


class HealerActor(ServiceActor):
    """See the module.

    Args:
        name: The full actor name, incarnation included.
        leader: The supervisor incarnation that created it.
        ports: The ways to whoever leads; its settings are a `HealerRecipe`.
    """

    def __init__(self, name: str, leader: int, ports: ServicePorts) -> None:
        super().__init__(name, leader, ports)
        recipe: HealerRecipe = ports.settings
        self._runner = StepRunner(recipe.connect(ports.supervisor), clock=self.clock)
        self._guard = threading.Lock()
        self._coordinator = 0
        self._taken: OrderedDict[str, None] = OrderedDict()
        self.begin()

    def take_over(self, left: Left | None) -> None:
        """What an earlier life was doing is known to the coordinator, and looked at before it goes on."""

    @ray.method(concurrency_group="steps")
    def run(self, coordinator: int, name: str, job: Job) -> Ended:
        """Take a step.

        Args:
            coordinator: The life of the coordinator that asks.
            name: The step's, the same whoever asks for it.
            job: The step.

        Raises:
            StaleIncarnationError: A later life of the coordinator has asked already.
        """
        with self._guard:
            if coordinator < self._coordinator:
                raise StaleIncarnationError(str(self.identity), sent_by=coordinator, accepted=self._coordinator)
            self._coordinator = coordinator
            if name in self._taken:
                return Ended(outcome="unknown", detail="it was begun here before")
            self._taken[name] = None
            if len(self._taken) > _NAMES_MAX:
                self._taken.popitem(last=False)
        ended = self._runner.run(name, job)
        self._end_if_hung()
        return ended

    @ray.method(concurrency_group="control")
    def cancel(self, name: str) -> None:
        """Nobody waits for a step any more."""
        self._runner.cancel(name)

    def vital_signs(self) -> dict[str, Any]:
        """Adds what it does."""
        return {**super().vital_signs(), "steps": self._runner.working, "hung": self._runner.hung}

    def _end_if_hung(self) -> None:
        """Threads that hang can only be ended with their process; the supervisor starts another."""
        if self._runner.hung > HUNG_MAX and self._runner.working == 0:
            threading.Timer(1.0, self.exit_process).start()


def healer_actor() -> Any:
    """The Ray actor class of `HealerActor`, with its concurrency groups."""
    return service_actor(HealerActor, extra_groups=GROUPS)
