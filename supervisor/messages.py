"""What the supervisor machine is told and what it wants done: events in the past tense, commands in the imperative."""

from __future__ import annotations

from dataclasses import dataclass, field

from actors.runtime.process import ProcessEvidence, ProcessIdentity
from supervisor.tree import ExitClass, Location


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownActor:
    """An actor of this supervisor in Ray's actor table; where it runs, if a predecessor's view said so."""

    key: str
    incarnation: int
    alive: bool
    location: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderStarted:
    """This incarnation leads from now on.

    Attributes:
        actors: What Ray's table holds of its predecessors' children, the dead included.
        nodes: The cluster's living nodes.
        succeeds: It takes over from one that was lost; what is dead died meanwhile, and nobody else tells of it.
    """

    actors: tuple[KnownActor, ...]
    nodes: tuple[str, ...]
    succeeds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildReady:
    """An incarnation answered, twice, and is as fast as it gets."""

    key: str
    incarnation: int
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildStartFailed:
    """An incarnation never came to answer."""

    key: str
    incarnation: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildDied:
    """An incarnation that answered once is gone."""

    key: str
    incarnation: int
    exit_class: ExitClass
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatAnswered:
    """An incarnation answered a heartbeat."""

    key: str
    incarnation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFound:
    """What the kernel says about a silent incarnation's process."""

    key: str
    incarnation: int
    evidence: ProcessEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitAnnounced:
    """Somebody entitled to it is about to end this incarnation; its death is no crash."""

    key: str
    incarnation: int
    exit_class: ExitClass


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesSeen:
    """The cluster's living nodes."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutdownRequested:
    """Everything is to end, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """A timer is due."""


Event = (
    LeaderStarted
    | ChildReady
    | ChildStartFailed
    | ChildDied
    | HeartbeatAnswered
    | EvidenceFound
    | ExitAnnounced
    | NodesSeen
    | ShutdownRequested
    | TimePassed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartChild:
    """Create this incarnation."""

    key: str
    incarnation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptChild:
    """Get hold of a living incarnation that a predecessor created."""

    key: str
    incarnation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopChild:
    """Ask this incarnation to finish, wait `within_s` seconds, then kill it."""

    key: str
    incarnation: int
    within_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitStops:
    """Wait until every stop that was begun is over and the log has heard of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KillChild:
    """End this incarnation's process at once."""

    key: str
    incarnation: int
    process: ProcessIdentity | None
    node_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskHeartbeat:
    """Ask this incarnation whether it lives."""

    key: str
    incarnation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtProcess:
    """Find out what the kernel says about a silent incarnation's process."""

    key: str
    incarnation: int
    process: ProcessIdentity
    node_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Announce the current view to everyone who follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChild:
    """Write what happened to a child into the log."""

    key: str
    incarnation: int
    event: str
    role: str
    location: Location | None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRestart:
    """Write a restart into the log."""

    key: str
    from_incarnation: int
    to_incarnation: int
    exit_class: ExitClass
    reason: str
    group: str
    delay_ms: int


Command = (
    StartChild
    | AdoptChild
    | StopChild
    | AwaitStops
    | KillChild
    | AskHeartbeat
    | LookAtProcess
    | Publish
    | RecordChild
    | RecordRestart
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    """A pool member as callers see it."""

    name: str
    role: str
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolView:
    """A pool as callers see it; `failure` says why it was given up."""

    workers: tuple[WorkerView, ...]
    failure: str | None
    restarts: int = 0
    period_s: float = 0.0
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildView:
    """A child as `status` and `ps` show it."""

    key: str
    name: str
    status: str
    role: str
    restarts: int
    location: Location | None
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterView:
    """What the supervisor announces: who leads, who serves, where the log is."""

    leader: str
    incarnation: int
    leader_location: Location | None = None
    pools: dict[str, PoolView] = field(default_factory=dict)
    event_log: str | None = None
    root_failure: str | None = None
    log_error: str | None = None
    agents: dict[str, str] = field(default_factory=dict)
    children: tuple[ChildView, ...] = ()
    stopping: bool = False
