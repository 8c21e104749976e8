"""What the degradation's owner says to every process, as octets. Pure.

The state goes with what has changed lately, so that who follows it is told why; a process that skips a state misses
no change that the next one tells.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass

from actors.degradation.published import Published
from actors.degradation.recent import DegradationChange

STATE = "state"
"""The topic of what is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The degradation, and what has changed lately, the latest last."""

    published: Published
    changes: tuple[DegradationChange, ...]


def pack(said: Said) -> bytes:
    """Its octets."""
    return pickle.dumps(said, 5)


def unpack(octets: bytes) -> Said:
    """What was packed."""
    said: Said = pickle.loads(octets)  # noqa: S301 - our own owner made it
    return said
