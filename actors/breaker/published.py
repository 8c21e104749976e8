"""What every process reads of a breaker: its state in a few numbers, and their encoding for the node's board. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Literal, get_args

State = Literal["closed", "open", "half_open", "ramping", "disabled", "forced_open", "shadow"]

STATES: tuple[State, ...] = get_args(State)
"""In the order of their codes."""

CODES: dict[State, int] = {state: code for code, state in enumerate(STATES)}

COUNTING: tuple[State, ...] = ("closed", "ramping", "shadow")
"""States in which the calls that pass are judged as they come."""

PASSING: tuple[State, ...] = ("closed", "ramping")
"""States in which calls pass by the rules, and a process may open itself."""

OVERRIDING: tuple[State, ...] = ("disabled", "forced_open", "shadow")
"""States that somebody asked for, and that last until somebody asks otherwise."""

GENERATION_BITS = 32
"""Generations of one life of the owner; above them stands its incarnation, so that a later life's are greater."""

_FORM = Struct("<BQddIII")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A breaker's state as its owner says it.

    Attributes:
        state: One of the seven.
        generation: Counts the transitions, over all lives of the owner. A call carries the one that it was admitted in;
            what it says later than that changes nothing.
        share: The fraction of the calls that pass while it ramps, else 1.
        wait_s: How long it stays open from when this was said, seconds; 0 unless it is open.
        openings: Openings in a row.
        step: The step of the ramp, from 0.
        rules: Which settings are in force, counted from 1 by `configure`.
    """

    state: State
    generation: int
    share: float = 1.0
    wait_s: float = 0.0
    openings: int = 0
    step: int = 0
    rules: int = 1

    @property
    def code(self) -> int:
        """The state as a number."""
        return CODES[self.state]

    @property
    def incarnation(self) -> int:
        """The life of the owner that said it."""
        return self.generation >> GENERATION_BITS

    def pack(self) -> bytes:
        """Its octets."""
        return _FORM.pack(self.code, self.generation, self.share, self.wait_s, self.openings, self.step, self.rules)

    @classmethod
    def unpack(cls, octets: bytes) -> Published:
        """What was packed.

        Raises:
            ValueError: These are not octets of a published state, or of a state that this version knows.
        """
        if len(octets) != _FORM.size or octets[0] >= len(STATES):
            raise ValueError(
                f"{len(octets)} octets are no breaker state of this version; run one release on the cluster"
            )
        code, generation, share, wait_s, openings, step, rules = _FORM.unpack(octets)
        return cls(
            state=STATES[code],
            generation=generation,
            share=share,
            wait_s=wait_s,
            openings=openings,
            step=step,
            rules=rules,
        )
