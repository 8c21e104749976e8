"""The tree's values: what children and groups are to be, and what they are at one moment. Pure.

Groups nest. A member of a group is a child, known by its key (`child/shop.cart`), or a group, known by its path
(`shop.eu`); a key has a slash and a path has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from actors.runtime.process import ProcessEvidence, ProcessIdentity

Status = Literal["waiting", "starting", "running", "restarting", "stopping", "stopped", "ignored", "given_up"]
Role = Literal["active", "standby", "service"]
Restart = Literal["permanent", "transient", "temporary"]
Strategy = Literal["one_for_one", "one_for_all", "rest_for_one"]
AutoShutdown = Literal["never", "any_significant", "all_significant"]
ExitClass = Literal[
    "normal", "shutdown", "crash", "killed", "out_of_memory", "node_lost", "hung", "preempted", "task_limit"
]
Patience = float | Literal["brutal_kill", "infinity"]
Origin = Literal["system", "code", "apply"]
Outcome = Literal["stopped", "finished", "given_up", "failed_start"]
"""What the end of a group was: asked for, of its significant children, over the intensity, or of its start."""

TOP = "supervisor"
"""The group that holds everything."""

SYSTEM = "system"
"""The log writer and the node agents: a user's failures do not reach them."""

ROOT = "root"
"""What users put directly under the supervisor."""

POOLS = "pool:"
"""What the path of a pool of task workers begins with."""

LOG = "event_log/writer"

LIVING: tuple[Status, ...] = ("starting", "running", "stopping")

_LOOKS_PER_TIMEOUT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildPlan:
    """What a child is to be.

    Attributes:
        key: `<concern>/<child>`, unique in the supervisor.
        group: The path of its group.
        restart: When an end is followed by another life.
        significant: Its own end may end its group, see `GroupPlan.auto_shutdown`.
        heartbeat_s: Time between two questions whether it lives, seconds.
        hang_timeout_s: Silence that makes it suspect, seconds.
        shutdown_s: How long it may take to stop when asked, seconds; "brutal_kill" does not ask.
        start_timeout_s: How long a start may take until the child answers, seconds.
        standbys: Further lives that are constructed and idle.
        pool: The pool it is a member of, or None.
        node_id: The node it must run on, or None: what is ours.
        share: The process that it shares, by a name that those in it have in common; empty: it has its own.
        wanted_node: The node that its spec names, as the spec names it, or None: the only one that it runs on.
        reserves: It starts only where something is free: without that, it waits.
        origin: Who wants it.
        request: The administration call that brought it, so that the same call can be made twice.
        recipe: What a shell needs to build it. Nobody here looks inside.
        fingerprint: Two plans of which the same life is built have the same one.
        interface: Two plans by which a child is called in the same way have the same one.
    """

    key: str
    group: str = ROOT
    restart: Restart = "permanent"
    significant: bool = False
    heartbeat_s: float = 1.0
    hang_timeout_s: float = 3.0
    shutdown_s: Patience = 5.0
    start_timeout_s: float = 60.0
    standbys: int = 0
    pool: str | None = None
    node_id: str | None = None
    share: str = ""
    wanted_node: str | None = None
    reserves: bool = False
    origin: Origin = "system"
    request: str = ""
    recipe: Any = None
    fingerprint: str = ""
    interface: str = ""

    @property
    def look_s(self) -> float:
        """How long after a look at the silent child the next one follows, seconds."""
        return self.hang_timeout_s / _LOOKS_PER_TIMEOUT

    @property
    def shared(self) -> bool:
        """Whether it is one of several objects in one process: its end does not end the process."""
        return bool(self.share)

    @property
    def is_bound(self) -> bool:
        """Whether it runs on one node only, and so stays there until that goes."""
        return self.node_id is not None or self.wanted_node is not None

    @property
    def concern(self) -> str:
        return self.key.partition("/")[0]

    @property
    def child(self) -> str:
        return self.key.partition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackoffPlan:
    """How long a restart waits: `min(max_s, min_s * 2^n)`, less jitter.

    The first is immediate; n is 0 again after `reset_after_s` of health.
    """

    min_s: float = 0.1
    max_s: float = 5.0
    jitter: float = 0.2
    reset_after_s: float = 5.0


OWN_BACKOFFS: Mapping[ExitClass, BackoffPlan] = MappingProxyType(
    {
        "out_of_memory": BackoffPlan(min_s=1.0, max_s=60.0),
        "node_lost": BackoffPlan(min_s=0.5, max_s=10.0),
        "preempted": BackoffPlan(min_s=0.5, max_s=10.0),
    }
)
"""Ends that are not the child's own doing are counted and spaced apart from its crashes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlan:
    """What a group is to be.

    Attributes:
        path: Its name, after the path of the group that it is in; unique in the supervisor.
        parent: The path of the group that it is in; None for the top.
        strategy: Whom the end of a member concerns.
        starts_together: Its members are independent and start together; a failed start is an end like any other.
        ends_together: They also end together, under one time limit. A pool's do both.
        intensity: Restarts within `period_s` that are borne; 0 means none at all, None one for each member of a pool.
        period_s: The sliding window, seconds.
        backoff: How restarts are spaced.
        auto_shutdown: Whether the end of significant children ends the group.
        restart: When the group's own end is followed by another life.
        pool_size: How many of a pool's members serve, the others stand by; None for a group that is no pool.
        pool_standbys: How many members of a pool stand by.
        template: What members that are added to a pool are like.
        origin: Who wants it.
        request: See `ChildPlan`.
        recipe: See `ChildPlan`.
    """

    path: str
    parent: str | None = ROOT
    strategy: Strategy = "one_for_one"
    starts_together: bool = False
    ends_together: bool = False
    intensity: int | None = 1
    period_s: float = 5.0
    backoff: BackoffPlan = BackoffPlan()
    auto_shutdown: AutoShutdown = "never"
    restart: Restart = "permanent"
    pool_size: int | None = None
    pool_standbys: int = 0
    template: ChildPlan | None = None
    origin: Origin = "system"
    request: str = ""
    recipe: Any = None

    @property
    def allowance(self) -> int:
        """Restarts within `period_s` that are borne."""
        if self.intensity is not None:
            return self.intensity
        return max(1, (self.pool_size or 0) + self.pool_standbys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where an incarnation runs."""

    process: ProcessIdentity
    node_id: str
    host: str


@dataclass(slots=True)
class Life:
    """One incarnation of a child.

    Attributes:
        standby: It is constructed and idle; it serves once it is accepted.
        node_id: The node that it was asked to start on, or None.
        expected_exit: What its end will be, if somebody entitled to it has said so.
        passive: It was not started to serve: it must be told when it is to.
        host: The Ray actor that hosts it, if not one of its own name.
        shared: It began as one of several in a process, whatever its child's plan says by now.
        fell_with: The actor that hosted it and whose end was its own: the others there ended with it.
        is_late: It has not answered within its time, and it is found out what it waits for.
        is_placed: It has answered from its node.
        is_adopted: A predecessor began it: it may have served long before it answers here.
        is_doomed: It was ordered to be killed.
        ask_at: When it is asked next, monotonic seconds.
        suspect_at: When its silence is judged next, monotonic seconds; 0: not before it is asked again.
        attended: The standbys that it was told of last; None: a predecessor may have told it of others.
        in_step_of: The accepted life that has given this standby its state, as far as it has one to give; 0: none.
    """

    incarnation: int
    standby: bool = False
    status: Literal["starting", "running", "stopping"] = "starting"
    location: Location | None = None
    node_id: str | None = None
    answered_at: float = 0.0
    asked: bool = False
    look_at: float = 0.0
    evidence: ProcessEvidence | None = None
    ready_at: float = 0.0
    expected_exit: ExitClass | None = None
    passive: bool = False
    host: str = ""
    shared: bool = False
    fell_with: str = ""
    is_placed: bool = False
    is_adopted: bool = False
    is_doomed: bool = False
    is_late: bool = False
    ask_at: float = 0.0
    suspect_at: float = 0.0
    attended: tuple[int, ...] | None = ()
    in_step_of: int = 0


@dataclass(slots=True)
class Child:
    """A child at one moment.

    Attributes:
        incarnation: The accepted life, or the last one that was.
        last: The highest number that any of its lives ever had.
        current_from: Lives with lower numbers were built of an earlier spec: none of them may stand by.
        lives: Those that are not known to have ended, by number.
        restarts: How often it was restarted.
        in_a_row: Restarts since it was last healthy, by the kind of end that has a backoff of its own.
        unexplained: The life whose end was last told by the kernel, which does not say why; 0: none.
        standby_failures: Standbys in a row that ended before they served.
        keep_standbys: Its end is part of a restart: the standbys stay.
        due_at: When it is restarted alone, monotonic seconds.
    """

    plan: ChildPlan
    status: Status = "waiting"
    role: Role = "service"
    incarnation: int = 0
    last: int = 0
    current_from: int = 0
    lives: dict[int, Life] = field(default_factory=dict)
    restarts: int = 0
    in_a_row: dict[ExitClass, int] = field(default_factory=dict)
    unexplained: int = 0
    standby_failures: int = 0
    last_error: str = ""
    keep_standbys: bool = False
    due_at: float = 0.0

    @property
    def accepted(self) -> Life | None:
        """The life that serves, or is to serve as soon as it is ready."""
        life = self.lives.get(self.incarnation)
        return None if life is None or life.standby else life

    @property
    def location(self) -> Location | None:
        return None if (life := self.accepted) is None else life.location

    def standbys(self) -> list[Life]:
        """The lives that stand by, the oldest first."""
        return [life for _, life in sorted(self.lives.items()) if life.standby and life.status != "stopping"]


@dataclass(slots=True)
class Group:
    """A group at one moment.

    Attributes:
        members: Keys and paths, in the order of their start.
        todo: Members that are to be started, in the order of `members`.
        ending: Members that are to be ended first; the later ones before the earlier ones.
        begun: Those of `todo` or `ending` whose start or end has begun.
        resume_at: When the restart that waits may go on, monotonic seconds.
        restarted_at: The restarts inside the window, monotonic seconds.
        in_a_row: As of a child: a group is one to its parent.
        lost: When the loss of a node or of a shared process was last counted; the members that it took are one restart.
        failure: Why it was given up, or could not start.
        outcome: What its end means to its parent.
        is_down: Nothing of it runs, and nothing will before its own start; it may wait for a restart as a whole.
        due_at: As of a child.
    """

    plan: GroupPlan
    status: Status = "waiting"
    members: dict[str, None] = field(default_factory=dict)
    todo: dict[str, None] = field(default_factory=dict)
    ending: dict[str, None] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    resume_at: float = 0.0
    restarted_at: tuple[float, ...] = ()
    restarts: int = 0
    in_a_row: dict[ExitClass, int] = field(default_factory=dict)
    ready_at: float = 0.0
    lost: dict[str, float] = field(default_factory=dict)
    failure: str | None = None
    cause: bytes | None = None
    outcome: Outcome = "stopped"
    is_down: bool = True
    due_at: float = 0.0


@dataclass(slots=True)
class Pool:
    """Which members serve a pool: `size` of the running ones are active, the others stand by."""

    name: str
    size: int
    members: dict[str, None] = field(default_factory=dict)
    active: int = 0
    standbys: dict[str, None] = field(default_factory=dict)


def take_place(pool: Pool, child: Child) -> None:
    """A member runs: it serves if the pool has a free place, else it stands by."""
    if pool.active < pool.size:
        pool.active += 1
        child.role = "active"
    else:
        pool.standbys[child.plan.key] = None
        child.role = "standby"


def leave_place(pool: Pool, child: Child) -> str | None:
    """A running member ended; returns the standby that takes its place, the longest-running one, if it served."""
    role, child.role = child.role, "service"
    pool.standbys.pop(child.plan.key, None)
    if role != "active":
        return None
    heir = next(iter(pool.standbys), None)
    if heir is None or pool.active > pool.size:  # who is active stays so while it runs, also in a smaller pool
        pool.active -= 1
        return None
    del pool.standbys[heir]
    return heir


def is_group(member: str) -> bool:
    """Whether a member of a group is a group itself."""
    return "/" not in member


def child_key(group: str, name: str) -> str:
    """The key of a user's child: its name after the path of its group."""
    return f"child/{name}" if group == ROOT else f"child/{group}.{name}"


def group_path(parent: str, name: str) -> str:
    """The path of a user's group."""
    return name if parent == ROOT else f"{parent}.{name}"


def member_plan(template: ChildPlan, key: str) -> ChildPlan:
    """The plan of another member of a pool."""
    return replace(template, key=key)


HOST = "host/"
"""What the key of an actor that hosts several children begins with; what they share is behind it."""

SUBTREE = "supervisor/"
"""What the key of a group that is a supervisor actor of its own begins with."""


def path_of(member: str) -> str:
    """A member's name behind those of its groups: of a key what is behind its concern, of a path itself."""
    return member.partition("/")[2] if "/" in member else member


def is_within(path: str, group: str, *, strictly: bool = True) -> bool:
    """Whether a path is inside a group's; not strictly: or is that group's."""
    return path.startswith(f"{group}.") or (not strictly and path == group)
