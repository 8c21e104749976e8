"""The tree's values: child specs, groups, and a child's state at one moment. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from actors.runtime.process import ProcessEvidence, ProcessIdentity

Status = Literal["waiting", "starting", "running", "restarting", "stopped", "given_up"]
Role = Literal["active", "standby", "service"]
ExitClass = Literal["normal", "shutdown", "crash", "killed", "out_of_memory", "node_lost", "hung", "task_limit"]
Strategy = Literal["one_for_one"]

ROOT = "root"

_LOOKS_PER_TIMEOUT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """What a child is.

    Attributes:
        key: `<concern>/<child>`, unique in the supervisor.
        group: The group that counts its restarts.
        heartbeat_s: Time between two questions whether it lives, seconds.
        hang_timeout_s: Silence that makes it suspect, seconds.
        shutdown_s: How long it may take to stop when asked, seconds.
        start_timeout_s: How long a start may take until the child answers, seconds.
        pool: The pool it is a member of, or None.
        node_id: The node it must run on, or None.
    """

    key: str
    group: str = ROOT
    heartbeat_s: float = 1.0
    hang_timeout_s: float = 3.0
    shutdown_s: float = 5.0
    start_timeout_s: float = 60.0
    pool: str | None = None
    node_id: str | None = None

    @property
    def look_s(self) -> float:
        """How long after a look at the silent child the next one follows, seconds."""
        return self.hang_timeout_s / _LOOKS_PER_TIMEOUT

    @property
    def concern(self) -> str:
        return self.key.partition("/")[0]

    @property
    def child(self) -> str:
        return self.key.partition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSpec:
    """A group's restart allowance. `one_for_one`: a child's end concerns no other child."""

    name: str
    intensity: int = 1
    period_s: float = 5.0
    strategy: Strategy = "one_for_one"
    backoff_min_s: float = 0.1
    backoff_max_s: float = 5.0
    backoff_jitter: float = 0.2
    reset_after_s: float = 5.0


@dataclass(slots=True)
class Group:
    """A group at one moment."""

    spec: GroupSpec
    restarted_at: tuple[float, ...] = ()
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where an incarnation runs."""

    process: ProcessIdentity
    node_id: str
    host: str


@dataclass(slots=True)
class Child:
    """A child at one moment."""

    spec: ChildSpec
    incarnation: int = 0
    status: Status = "waiting"
    role: Role = "service"
    location: Location | None = None
    answered_at: float = 0.0
    asked: bool = False
    look_at: float = 0.0
    evidence: ProcessEvidence | None = None
    ready_at: float = 0.0
    restarts: int = 0
    restarts_in_a_row: int = 0
    expected_exit: ExitClass | None = None
    last_error: str = ""


@dataclass(slots=True)
class Pool:
    """Which children serve a pool: `size` of the running ones are active, the others stand by."""

    name: str
    size: int
    members: list[str] = field(default_factory=list)
    active: int = 0
    standbys: dict[str, None] = field(default_factory=dict)


def learn_of_members(pools: Iterable[Pool], children: dict[str, Child], keys: Iterable[str]) -> None:
    """A predecessor may have had more members in a pool than the configuration says: they are kept."""
    known = {pool.name: pool for pool in pools if pool.members}
    for key in keys:
        concern, _, child = key.partition("/")
        pool = known.get(child.rpartition("-")[0])
        if concern == "worker" and pool is not None and key not in children:
            children[key] = Child(replace(children[pool.members[0]].spec, key=key))
            pool.members.append(key)


def take_place(pool: Pool, child: Child) -> None:
    """A member runs: it serves if the pool has a free place, else it stands by."""
    if pool.active < pool.size:
        pool.active += 1
        child.role = "active"
    else:
        pool.standbys[child.spec.key] = None
        child.role = "standby"


def leave_place(pool: Pool, child: Child) -> str | None:
    """A running member ended; returns the standby that takes its place, the longest-running one, if it served.

    Whoever is active stays so while it runs.
    """
    role, child.role = child.role, "service"
    pool.standbys.pop(child.spec.key, None)
    if role != "active":
        return None
    heir = next(iter(pool.standbys), None)
    if heir is None:
        pool.active -= 1
    else:
        del pool.standbys[heir]
    return heir
