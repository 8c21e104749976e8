"""What there is to hit at one moment, and what else runs. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from experiments.model.selector import TargetKind
    from experiments.planning.ground import Ground
    from supervisor.chaos_settings import BlastRadius, BusinessHours, Day


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Something that can be hit.

    Attributes:
        name: Its name in the cluster, with its kind unique: `worker/w0`, `child/cart`, `breaker/payments`.
        kind: What it is.
        node: The node it runs on, or nothing.
        node_name: What that node is called: `head`, its name in Ray, or how its id begins.
        group: The pool or group that it belongs to; of a node `head`, `log` where it has that, else `others`.
        labels: What its owner says of it.
        incarnation: Which life of it runs.
        running: It runs and serves; what does not is not drawn.
        process: Its process, told from all others of the cluster; nothing: it has none, or that is not known.
    """

    name: str
    kind: TargetKind
    node: str = ""
    node_name: str = ""
    group: str = ""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    incarnation: int = 0
    running: bool = True
    process: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """An experiment that runs already."""

    run: str
    ground: Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A time of a week, somewhere."""

    day: Day
    clock: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The cluster before an experiment.

    Attributes:
        targets: Everything that could be hit.
        embedded: The cluster was started by the process that runs the experiment, and ends with it.
        ephemeral: Its owner said that it is thrown away afterwards.
        safe_mode: Overrides the default, which is on unless the cluster is embedded; None: the default.
        protected: Names, or patterns, that nobody may hit here.
        opt_in: The label without which its owner lets nobody be hit in safe mode; nothing: the experiment's is enough.
        health: The system's score, 0 to 100; None where there is no monitor.
        nodes: How many nodes it has.
        active: What runs already.
        limit: How many experiments may run at a time.
        blast_radius: How much its owner lets be hit at a time; None: as much as an experiment says.
        hours: When its owner lets experiments run; empty: always.
        least_health: The score below which its owner lets none start.
        moments: What time it is in each zone that the experiment or the owner names.
        halted: Who halted chaos and why, as `who: why`; nothing if nobody did.
    """

    targets: tuple[Target, ...]
    embedded: bool = False
    ephemeral: bool = False
    safe_mode: bool | None = None
    protected: tuple[str, ...] = ()
    opt_in: str = ""
    health: float | None = None
    nodes: int = 1
    active: tuple[Active, ...] = ()
    limit: int = 1
    blast_radius: BlastRadius | None = None
    hours: tuple[BusinessHours, ...] = ()
    least_health: float = 0.0
    moments: Mapping[str, Moment] = field(default_factory=dict[str, Moment])
    halted: str = ""

    @property
    def is_safe(self) -> bool:
        """Whether safe mode is on."""
        return not self.embedded if self.safe_mode is None else self.safe_mode

    def running(self, kind: str) -> tuple[Target, ...]:
        """The targets of a kind that run."""
        return tuple(target for target in self.targets if target.kind == kind and target.running)
