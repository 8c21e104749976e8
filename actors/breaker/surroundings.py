"""What a circuit needs of its process."""

from __future__ import annotations

from dataclasses import dataclass

from actors.breaker.chance import Chance
from actors.breaker.keeper import Keeper
from actors.runtime.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a circuit needs of its process.

    Attributes:
        process: The process's text; no other has it.
        clock: Where the time comes from.
        rng: The source of chance.
        keeper: Who looks after what is due.
    """

    process: str
    clock: Clock
    rng: Chance
    keeper: Keeper
