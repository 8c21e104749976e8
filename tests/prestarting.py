"""An actor that creates others, as the supervisor does, and keeps warm processes for them."""

from __future__ import annotations

import os
from typing import Any
from uuid import uuid4

import ray

from actors.runtime import process
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.ids import NAMESPACE
from actors.runtime.prestart import WarmWorkers
from actors.runtime.warm import WarmSettings, was_warm


class Child:
    def age_s(self) -> float | None:
        return process.age_s(process.this_process())

    def environment(self, name: str) -> str | None:
        return os.environ.get(name)


class Leader:
    """As the supervisor: a detached actor that creates others."""

    def __init__(self) -> None:
        self._told: list[str] = []
        settings = WarmSettings(per_node=1, keep_alive_s=20, renew_before_s=2, refill_after_s=0.1, settle_s=5)
        self._warm = WarmWorkers(settings, tell=self._told.append)
        self._warm.start()

    def create(self, variable: str) -> tuple[bool, str | None]:
        """Whether a new actor started warm, and a variable of its environment."""
        remote: Any = ray.remote(Child)
        asked = SYSTEM_CLOCK.now()
        child = remote.options(num_cpus=0, lifetime="detached", name=uuid4().hex, namespace=NAMESPACE).remote()
        age_s: Any = ray.get(child.age_s.remote())
        warm = was_warm(age_s, waited_s=SYSTEM_CLOCK.now() - asked)
        self._warm.used(ray.get_runtime_context().get_node_id(), warm=warm)
        found: Any = ray.get(child.environment.remote(variable))
        ray.kill(child)
        return warm, found

    def told(self) -> list[str]:
        return self._told
