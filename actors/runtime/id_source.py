"""Ids of clients, traces and spans."""

from __future__ import annotations

from random import Random, SystemRandom


class IdSource:
    """Random ids of one process: cheap, unique in practice, and repeatable under a seeded `rng`."""

    def __init__(self, rng: Random | None = None) -> None:
        self._rng = rng if rng is not None else Random(SystemRandom().getrandbits(128))  # noqa: S311 - ids, not secrets

    def trace_id(self) -> int:
        """A W3C trace id: 128 bits, never zero."""
        return self._rng.getrandbits(128) or 1

    def span_id(self) -> int:
        """A W3C span id: 64 bits, never zero."""
        return self._rng.getrandbits(64) or 1

    def client_id(self) -> str:
        """A process's id: 12 hexadecimal digits."""
        return f"{self._rng.getrandbits(48):012x}"
