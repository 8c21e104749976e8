"""What a leader announces of its tree, as values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from supervisor.tree import Location, Role, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownActor:
    """An actor of this supervisor in Ray's actor table, or a child that lives in one.

    Attributes:
        location: Where it runs, if that is known.
        host: The actor that hosts it, if not one of its own name.
        silent: It hosts several, and has not told whom.
    """

    key: str
    incarnation: int
    alive: bool
    location: Location | None = None
    host: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    """A pool member as callers see it."""

    name: str
    role: str
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolView:
    """A pool of task workers as callers see it; `failure` says why it was given up."""

    workers: tuple[WorkerView, ...]
    failure: str | None
    restarts: int = 0
    period_s: float = 0.0
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildView:
    """A child as `status`, `ps` and its callers see it.

    Attributes:
        name: The full name of the accepted incarnation, or of the last one.
        status: See `supervisor.tree.Status`.
        role: "active" or "standby" in a pool, else "service".
        host: The Ray actor that hosts it.
        standbys: The names of those that stand by, are ready, and have the state if it is replicated.
        group: The path of its group.
        adopted: A predecessor of the leader began it, and it has not answered this one yet: it serves as it did.
        interface: The digest of how it is called; see `ChildInterface`.
        outdated: Its accepted incarnation was built of another spec than its present one.
    """

    key: str
    name: str
    status: Status
    role: Role
    restarts: int
    location: Location | None
    last_error: str
    incarnation: int = 0
    host: str = ""
    standbys: tuple[str, ...] = ()
    group: str = ""
    adopted: bool = False
    interface: str = ""
    outdated: bool = False

    @property
    def actor(self) -> str:
        """The Ray actor that it is in, of its own or shared."""
        return self.host or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """A group as `status` and administration see it."""

    path: str
    parent: str | None
    strategy: str
    status: Status
    members: tuple[str, ...]
    restarts: int
    intensity: int
    period_s: float
    failure: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterView:
    """What the supervisor announces: who leads, who stands by for it, who serves, where the log is.

    Attributes:
        draining: The nodes that are about to go, or that work is kept off.
    """

    leader: str
    incarnation: int
    leader_location: Location | None = None
    standby: str | None = None
    standby_location: Location | None = None
    pools: dict[str, PoolView] = field(default_factory=dict)
    event_log: str | None = None
    root_failure: str | None = None
    log_error: str | None = None
    agents: dict[str, str] = field(default_factory=dict)
    children: tuple[ChildView, ...] = ()
    groups: Mapping[str, GroupView] = field(default_factory=dict)
    stopping: bool = False
    draining: tuple[str, ...] = ()
