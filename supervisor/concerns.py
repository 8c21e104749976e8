"""The parts of a `Supervisor` handle that hang on services, together."""

from __future__ import annotations

from typing import Any

from supervisor.breakers.handle import BreakersHandle
from supervisor.degradation.handle import DegradationsHandle
from supervisor.extending import ExtendedHandle
from supervisor.healing.handle import HealingHandle
from supervisor.health.handle import HealthHandle


class ConcernsHandle(DegradationsHandle, HealthHandle, HealingHandle, BreakersHandle, ExtendedHandle):
    """See `Supervisor`."""

    def _on_board(self) -> dict[str, Any]:
        """What `status` tells of services, as it lies on this node's board; it asks no owner."""
        return {
            "breakers": self.breaker_states(),
            "level": self.degradation_level(),
            "health": self.health_standing(),
        }
