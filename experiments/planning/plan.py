"""What an experiment will do to whom: a value that is the same, byte by byte, for the same seed and inventory. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from experiments.planning.ground import Ground

if TYPE_CHECKING:
    from experiments.model.faults import FaultKind
    from experiments.model.selector import TargetKind

Phase = Literal["baseline", "fault"]

Rule = Literal[
    "halted",
    "selection",
    "limit",
    "overlap",
    "protected",
    "opt_in",
    "blast_radius",
    "hours",
    "health",
    "ephemeral",
    "nodes",
    "no_fault",
    "step",
    "lease",
]

SAFE_MODE_RULES: frozenset[Rule] = frozenset(("protected", "opt_in", "blast_radius", "hours", "health", "ephemeral"))
"""Those by which safe mode, or the experiment's own bounds, refuse what could be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A target as it was planned; another life of it is another target."""

    name: str
    kind: TargetKind
    node: str
    incarnation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """One fault.

    Attributes:
        place: Its step in the method.
        fault: What.
        hits: Whom.
        after_s: So long after its turn, seconds.
        lease_s: It is undone so long after it was armed, seconds.
        how: Its other fields.
        reaches: Who is hit with them, because they share their node or their process.
    """

    place: int
    fault: FaultKind
    hits: tuple[Hit, ...]
    after_s: float
    lease_s: float
    how: dict[str, object]
    reaches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why the plan may not be carried out."""

    rule: Rule
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A dry run.

    Attributes:
        experiment: Its name.
        seed: What its lots were drawn with.
        safe_mode: Whether that is on.
        phases: Rounds with the fault and without, in this order.
        faults: What is injected in each round with it.
        refusals: Why it may not be carried out; empty: it may.
        ground: All that it touches: no other run may.
        unchecked: What this dry run could not look at, in words; a run does, before it touches anything.
    """

    experiment: str
    seed: int
    safe_mode: bool
    phases: tuple[Phase, ...]
    faults: tuple[PlannedFault, ...]
    refusals: tuple[Refusal, ...] = ()
    ground: Ground = field(default_factory=Ground)
    unchecked: tuple[str, ...] = ()

    @property
    def targets(self) -> frozenset[str]:
        """Everybody who is hit."""
        return frozenset(hit.name for fault in self.faults for hit in fault.hits)

    def as_bytes(self) -> bytes:
        """The plan as JSON in one way only."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    def digest(self) -> str:
        """The plan in 16 digits, to tell two apart: a run's are those of its dry run."""
        return hashlib.blake2b(replace(self, unchecked=()).as_bytes(), digest_size=8).hexdigest()
