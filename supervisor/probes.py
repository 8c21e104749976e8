"""Ready-made probes for `sup.health.register`: see `actors.health.probes`."""

from __future__ import annotations

from actors.health import probes
from actors.health.probes import *  # noqa: F403 - one list of names, where the probes are

__all__: list[str] = []
__all__ += probes.__all__
