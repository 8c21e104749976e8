"""Transitions as one process sees them, for whoever subscribes, in threads or in coroutines."""

from __future__ import annotations

from actors.breaker.sighting import Transition
from actors.runtime.stream import WAITING_MAX, Stream

__all__ = ["WAITING_MAX", "TransitionStream"]


class TransitionStream(Stream[Transition]):
    """Iterates over transitions; see `Stream`. `WAITING_MAX` of them wait for who iterates."""
