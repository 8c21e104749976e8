"""What `Supervisor.status()` returns."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from actors.health.published import HealthStanding
from actors.runtime.emitter import EmitterStatistics
from supervisor.messages import ChildView, ClusterView, PoolView
from supervisor.tree import Location


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStatus:
    """The event log as this process sees it.

    Attributes:
        path: Its file.
        writer: The actor that has it open, or None while there is none.
        error: Why there is none, as far as it is known.
        unacknowledged_rows: What this process has told it and it has not confirmed yet; kept, and sent again.
        dropped_rows: What this process could not keep: too much was waiting.
    """

    path: str
    writer: str | None
    error: str | None
    unacknowledged_rows: int
    dropped_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorStatus:
    """A supervisor at one moment.

    Attributes:
        leader: The leading actor's name.
        leader_location: Its process and node.
        incarnation: Its number.
        standby: The actor that takes over when the leader dies, or None while there is none.
        standby_location: Its process and node.
        failure: Why the tree's root was given up, or None.
        tree: Every child.
        pools: Who serves each pool, and why one was given up.
        log: Where the log is, and how this process's rows fare.
        breakers: The state of each circuit breaker by name, as it lies on this node's board; it asks no owner.
        health: How the components that are watched stand, as it lies there too; None where none ever was.
        level: The level of service, from the same board; None where nobody has used degradation.
    """

    leader: str
    leader_location: Location | None
    incarnation: int
    failure: str | None
    tree: tuple[ChildView, ...]
    pools: dict[str, PoolView]
    log: LogStatus
    standby: str | None = None
    standby_location: Location | None = None
    breakers: dict[str, str] = field(default_factory=dict[str, str])
    health: HealthStanding | None = None
    level: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return asdict(self)


def status_of(
    view: ClusterView,
    log_path: str,
    emitter: EmitterStatistics,
    breakers: dict[str, str] | None = None,
    health: HealthStanding | None = None,
    level: str | None = None,
) -> SupervisorStatus:
    """Build the status from the leader's view, this process's emitter, and what lies on its node's board."""
    return SupervisorStatus(
        leader=view.leader,
        leader_location=view.leader_location,
        incarnation=view.incarnation,
        standby=view.standby,
        standby_location=view.standby_location,
        failure=view.root_failure,
        tree=view.children,
        pools=view.pools,
        breakers=breakers or {},
        health=health,
        level=level,
        log=LogStatus(
            path=log_path,
            writer=view.event_log,
            error=view.log_error,
            unacknowledged_rows=emitter.unacknowledged_rows,
            dropped_rows=emitter.dropped_rows,
        ),
    )
