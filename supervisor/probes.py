"""Ready-made probes for `sup.health.register`: see `actors.health.probes`."""

from __future__ import annotations

from actors.health.probes import (
    UnreachableError,
    actor,
    breakers,
    child,
    cpu,
    disk,
    dns,
    heartbeat,
    http,
    loop_lag,
    memory,
    node,
    open_files,
    queue_depth,
    resources,
    sql,
    tcp,
    watch_loop,
)

__all__ = [
    "UnreachableError",
    "actor",
    "breakers",
    "child",
    "cpu",
    "disk",
    "dns",
    "heartbeat",
    "http",
    "loop_lag",
    "memory",
    "node",
    "open_files",
    "queue_depth",
    "resources",
    "sql",
    "tcp",
    "watch_loop",
]
