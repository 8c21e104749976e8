"""What a hand is told and what it tells, as values that travel. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from actors.runtime.process import ProcessIdentity

if TYPE_CHECKING:
    from experiments.model.faults import FaultKind
    from experiments.model.selector import TargetKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a target is to be hit.

    Attributes:
        name: The target's.
        kind: What it is.
        node_id: Its node; nothing: that does not matter.
        actor: The full name of the Ray actor that it lives in; nothing: none.
        process: Its process; None: it has none of its own.
        incarnation: Which life.
    """

    name: str
    kind: TargetKind
    node_id: str = ""
    actor: str = ""
    process: ProcessIdentity | None = None
    incarnation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOrder:
    """One fault on one target, for the hand of its node.

    Attributes:
        run: The run.
        fault_id: Its name within the run.
        fault: What.
        how: Its fields.
        spot: Whom.
        lease_s: From its arming on, seconds.
        folder: The log's folder, for faults of its disk.
    """

    run: str
    fault_id: str
    fault: FaultKind
    how: dict[str, Any]
    spot: Spot
    lease_s: float
    folder: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others."""
        return self.run, self.fault_id


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """A node as its hand knows it.

    Attributes:
        node_id: Ray's id of it.
        host: This boot of its host, see `experiments.faults.succession.this_host`.
        halted: Who halted chaos here and why, as `who: why`; nothing if nobody did.
        runners: Of the processes that were asked about, those that live here.
    """

    node_id: str
    host: str
    halted: str = ""
    runners: tuple[tuple[int, int], ...] = field(default=())
