"""Of a component that says itself that it lives: nothing is run, its silence is judged."""

from __future__ import annotations

from pydantic import Field

from actors.health.probes.place import ReadyProbe, Said


class HeartbeatProbe(ReadyProbe):
    """Bad when the silence since the last `sup.health.beat(name)` is too suspicious; see `actors.health.phi`."""

    phi: float = Field(default=8.0, gt=0, le=100, description="The suspicion that is too much (8: one in 10^8).")

    def __call__(self) -> Said:
        raise LookupError("heartbeats are heard by the monitor, not asked for; register it")
