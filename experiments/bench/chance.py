"""Drawing lots from tables of how likely things are."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import TypeVar

Fate = TypeVar("Fate", bound=str)


def draw(rng: Random, table: Mapping[Fate, float], times: float = 1.0) -> Fate | None:
    """One of the table's, each so many times as likely as it says; None for what is left of 1."""
    lot = rng.random() / times if times else 1.0
    for fate, share in table.items():
        lot -= share
        if lot < 0:
            return fate
    return None
