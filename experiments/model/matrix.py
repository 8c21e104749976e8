"""Which fault may hit what, and in which way: each cell can be proven and undone; what is no cell is refused. Pure.

Rejected: SIGKILL of Ray's GCS. Its tables are in memory: the cluster is lost, with who was to tell what came of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from experiments.model.selector import TargetKind

if TYPE_CHECKING:
    from collections.abc import Mapping

FaultKind = Literal["latency", "error", "unavailable", "crash", "hang", "exhaustion"]

ACTORS: tuple[TargetKind, ...] = ("child", "worker", "breaker", "monitor", "healer", "event_log", "supervisor")
"""What has calls and a process of ours."""


def _actors_and(*others: TargetKind) -> frozenset[TargetKind]:
    return frozenset[TargetKind]((*ACTORS, *others))


CELLS: Mapping[tuple[FaultKind, str], frozenset[TargetKind]] = {
    ("latency", "delay"): _actors_and("dependency", "rpc"),
    ("error", "raises"): _actors_and("dependency"),
    ("error", "skew"): frozenset[TargetKind](("clock",)),
    ("unavailable", "call"): _actors_and("dependency", "rpc"),
    ("unavailable", "request"): _actors_and("dependency", "rpc"),
    ("unavailable", "reply"): _actors_and("dependency", "rpc"),
    ("crash", "sigkill"): _actors_and("injector", "node"),
    ("crash", "ray_kill"): _actors_and(),
    ("crash", "exit"): _actors_and(),
    ("hang", "sigstop"): _actors_and("dependency", "node", "gcs"),
    ("hang", "block"): _actors_and("dependency"),
    ("exhaustion", "cpu"): _actors_and("node"),
    ("exhaustion", "memory"): _actors_and("node"),
    ("exhaustion", "files"): _actors_and(),
    ("exhaustion", "disk"): frozenset[TargetKind](("event_log",)),
}
"""By fault and way. A dependency that hangs has no process here: its calls do not return, whichever way is given."""

_FIELDS: Mapping[FaultKind, str] = {
    "unavailable": "lost",
    "crash": "how",
    "hang": "how",
    "exhaustion": "resource",
}
"""Which field of a fault says its way."""


def way_of(fault: FaultKind, how: Mapping[str, object]) -> str:
    """In which way.

    Args:
        fault: What.
        how: Its fields.
    """
    match fault:
        case "latency":
            return "delay"
        case "error":
            return "skew" if how.get("skew_s") else "raises"
        case _:
            return str(how.get(_FIELDS[fault]))


def may_hit(fault: FaultKind, how: Mapping[str, object]) -> frozenset[TargetKind]:
    """What a fault may hit in its way.

    Args:
        fault: What.
        how: Its fields.
    """
    return CELLS[fault, way_of(fault, how)]
