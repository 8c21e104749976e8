"""Where chance comes from: any `random.Random` will do, and a seeded one for simulations. Pure."""

from __future__ import annotations

from hashlib import blake2b
from typing import Protocol

_BITS = 53


class Chance(Protocol):
    """What a breaker needs of a source of chance."""

    def random(self) -> float:
        """The next number, from 0 to below 1, all as likely."""
        ...


class SeededChance:
    """The same numbers for the same seed, on every machine and version: a hash of (seed, how many were drawn)."""

    def __init__(self, seed: int | str) -> None:
        self._seed = str(seed).encode()
        self._drawn = 0

    def random(self) -> float:
        """The next number, from 0 to below 1."""
        self._drawn += 1
        digest = blake2b(b"%s/%d" % (self._seed, self._drawn), digest_size=8).digest()
        return (int.from_bytes(digest, "big") >> 64 - _BITS) / (1 << _BITS)
