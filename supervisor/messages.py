"""What the supervisor machine is told and what it wants done: events in the past tense, commands in the imperative."""

from __future__ import annotations

from dataclasses import dataclass

from actors.runtime.process import ProcessEvidence, ProcessIdentity
from supervisor.requests import Problem, Request
from supervisor.tree import ChildPlan, ExitClass, Location
from supervisor.views import ChildView as ChildView  # noqa: PLC0414 - told and announced are read together
from supervisor.views import ClusterView as ClusterView  # noqa: PLC0414 - told and announced are read together
from supervisor.views import GroupView as GroupView  # noqa: PLC0414 - told and announced are read together
from supervisor.views import KnownActor as KnownActor  # noqa: PLC0414 - told and announced are read together
from supervisor.views import PoolView as PoolView  # noqa: PLC0414 - told and announced are read together
from supervisor.views import WorkerView as WorkerView  # noqa: PLC0414 - told and announced are read together


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
    """An incarnation answered, twice, and is as fast as it gets.

    Attributes:
        serves: It was started to serve or activated already; a standby was not.
        host: The Ray actor that hosts it, if not one of its own name.
    """

    key: str
    incarnation: int
    location: Location
    serves: bool = True
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildIgnored:
    """The child's constructor said that there is nothing to run."""

    key: str
    incarnation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildStartFailed:
    """An incarnation never came to answer.

    Attributes:
        cause: The pickled exception of the constructor, if there is one.
    """

    key: str
    incarnation: int
    error: str
    cause: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildDied:
    """An incarnation is gone.

    Attributes:
        fell_with: The actor that hosted several, if its end is that of this one and of all in it.
    """

    key: str
    incarnation: int
    exit_class: ExitClass
    detail: str
    fell_with: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessEnded:
    """The kernel of the leader's node says that an incarnation's process is gone; why, Ray may tell in a moment."""

    key: str
    incarnation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildUnhealthy:
    """An incarnation says itself that it cannot go on."""

    key: str
    incarnation: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbysAttended:
    """Of the standbys it was told of, these hold the state of the accepted life, if it keeps any; it needs no more."""

    key: str
    incarnation: int
    standbys: tuple[int, ...]
    told: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAnswered:
    """An incarnation that was asked to stop has finished what it had to; not in order: it raised, or is gone."""

    key: str
    incarnation: int
    in_order: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatAnswered:
    """An incarnation answered a heartbeat; see `AskHeartbeat` for its company."""

    key: str
    incarnation: int
    company: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFound:
    """What the kernel says about a silent incarnation's process."""

    key: str
    incarnation: int
    evidence: ProcessEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomSeen:
    """Whether an incarnation that has not answered yet waits for room.

    Attributes:
        lacks: What it waits for, for people; empty: it has its place, or that cannot be known.
    """

    key: str
    incarnation: int
    lacks: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitAnnounced:
    """Somebody entitled to it is about to end this incarnation; its death is no crash."""

    key: str
    incarnation: int
    exit_class: ExitClass


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesSeen:
    """The cluster's living nodes; those that are about to go are among `draining`."""

    nodes: tuple[str, ...]
    draining: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Administered:
    """Somebody asks for a change of the tree; `request` identifies the asking, however often it is repeated."""

    request: str
    wish: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutdownRequested:
    """Everything is to end, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """A timer is due."""


Event = (  # fmt: skip
    LeaderStarted
    | ChildReady
    | ChildIgnored
    | ChildStartFailed
    | ChildDied
    | ProcessEnded
    | ChildUnhealthy
    | StandbysAttended
    | StopAnswered
    | HeartbeatAnswered
    | EvidenceFound
    | RoomSeen
    | ExitAnnounced
    | NodesSeen
    | Administered
    | ShutdownRequested
    | TimePassed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartChild:
    """Create this incarnation.

    Attributes:
        standby: It is to be constructed and to wait.
        node_id: Where it is wanted; elsewhere is as good where that node has no room. None: where Ray likes.
    """

    key: str
    incarnation: int
    standby: bool = False
    node_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptChild:
    """Get hold of a living incarnation that a predecessor created."""

    key: str
    incarnation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteChild:
    """Let this standby serve: it is the accepted incarnation from now on."""

    key: str
    incarnation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendStandbys:
    """Tell the accepted incarnation which ones stand by for it."""

    key: str
    incarnation: int
    standbys: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskStop:
    """Ask this incarnation to finish; `StopAnswered` follows, or its death."""

    key: str
    incarnation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KillChild:
    """End this incarnation's process at once."""

    key: str
    incarnation: int
    process: ProcessIdentity | None
    node_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FenceMember:
    """End this incarnation in the process that it shares; the others there live on. Its death follows.

    Attributes:
        host: The actor that hosts it, if a predecessor made it.
    """

    key: str
    incarnation: int
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReapSubtree:
    """End what still lives of a group whose own supervisor actor has ended for good."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetChild:
    """This child is in the tree no more: delete what was kept of it; a later one of its name begins anew."""

    plan: ChildPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class AskHeartbeat:
    """Ask this incarnation whether it lives, and for its company: others in its process that are due as well."""

    key: str
    incarnation: int
    company: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtProcess:
    """Find out what the kernel says about a silent incarnation's process."""

    key: str
    incarnation: int
    process: ProcessIdentity
    node_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookForRoom:
    """Find out whether this incarnation, which does not answer, waits for room; `RoomSeen` follows."""

    key: str
    incarnation: int


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
    exit_class: ExitClass | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalate:
    """Record that a group was given up and nobody above it takes over; tell people."""

    group: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Answer who asked for a change; `problem` says why it was not made, None that it was.

    Attributes:
        cause: The pickled exception behind the problem, if there is one.
    """

    request: str
    problem: Problem | None = None
    detail: str = ""
    cause: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Everything has ended: so may the supervisor."""


Command = (
    StartChild
    | AdoptChild
    | PromoteChild
    | AttendStandbys
    | AskStop
    | KillChild
    | FenceMember
    | ReapSubtree
    | ForgetChild
    | AskHeartbeat
    | LookAtProcess
    | LookForRoom
    | Publish
    | RecordChild
    | RecordRestart
    | Escalate
    | Answer
    | Finish
)
