"""What an embedded cluster runs for an experiment: the runner builds it, the library's plans are tested on it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from experiments.model.selector import TargetKind

OURS = "chaos-"
"""What names of scenes begin with: what a user has is never built on, reset, hit or taken away in its stead."""

BREAKER, GROUP, UPSTREAM, TILL = f"{OURS}payments", f"{OURS}shop", f"{OURS}upstream", f"{OURS}till"

SceneName = Literal["pool", "kept", "household", "dependency", "observed", "two_nodes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A small cluster.

    Attributes:
        shows: What there is, in words.
        targets: What can be hit, by name.
        nodes: How many nodes it has.
        groups: Of which pool or group a target is, by its name.
        places: On which node a target is, by its name; left out: on the head.
    """

    shows: str
    targets: Mapping[str, TargetKind]
    nodes: int = 1
    groups: Mapping[str, str] = field(default_factory=dict[str, str])
    places: Mapping[str, str] = field(default_factory=dict[str, str])


_WORKERS: dict[str, TargetKind] = {f"worker/w{number}": "worker" for number in range(4)}
_SYSTEM: dict[str, TargetKind] = {
    "supervisor/root": "supervisor",
    "event_log/writer": "event_log",
    "injector/self": "injector",
    "clock/cluster": "clock",
    "gcs/head": "gcs",
    "node/head": "node",
}
_CHILDREN: dict[str, TargetKind] = {f"child/{GROUP}.{name}": "child" for name in ("cart", "stock", "audit")}

SCENES: Mapping[SceneName, Scene] = {
    "pool": Scene(shows="a pool of four workers, and one standing by", targets={**_WORKERS, **_SYSTEM}),
    "kept": Scene(
        shows=f"the pool, and the child {TILL}, whose state the event log has before a call of it is answered",
        targets={**_WORKERS, f"child/{TILL}": "child", **_SYSTEM},
    ),
    "household": Scene(
        shows=f"the pool, and the group {GROUP}: cart with a standby and checkpoints, stock, audit; "
        "three restarts in 30 s",
        targets={**_WORKERS, **_CHILDREN, **_SYSTEM},
        groups=dict.fromkeys(_CHILDREN, GROUP),
    ),
    "dependency": Scene(
        shows=f"the pool, whose tasks call the service {UPSTREAM} through the breaker {BREAKER}, with retry and "
        "fallback",
        targets={**_WORKERS, f"dependency/{UPSTREAM}": "dependency", f"breaker/{BREAKER}": "breaker", **_SYSTEM},
    ),
    "observed": Scene(
        shows=f"the pool with its health monitor and its healer, and the breaker {BREAKER}",
        targets={
            **_WORKERS,
            "monitor/root": "monitor",
            "healer/root": "healer",
            f"breaker/{BREAKER}": "breaker",
            **_SYSTEM,
        },
    ),
    "two_nodes": Scene(
        shows="the pool over two nodes, with the system on the first",
        targets={**_WORKERS, **_SYSTEM, "node/second": "node"},
        nodes=2,
        groups={"node/head": "head", "node/second": "others"},
        places={"node/second": "second", "worker/w2": "second", "worker/w3": "second"},
    ),
}
