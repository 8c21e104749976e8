"""Ready-made probes, to be registered: `sup.health.register("db", probes.tcp("db.internal", 5432), ...)`.

Each is a value that is called without arguments; call it to see what it says. Any other callable, sync or async, is a
probe, too: None and True are well, False is not, a number from 0 to 100 is a score, and (one of these, words) says why.

Raises: each `ConfigError`, which names all that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from actors.health.answers import UnreachableError
from actors.health.probes.cluster import ActorProbe, BreakersProbe, ChildProbe, NodeProbe, QueueDepthProbe
from actors.health.probes.database import SqlProbe
from actors.health.probes.heartbeats import HeartbeatProbe
from actors.health.probes.loops import LoopLagProbe, watch_loop
from actors.health.probes.machine_room import DiskProbe, ResourcesProbe
from actors.health.probes.network import DnsProbe, TcpProbe
from actors.health.probes.process import CpuProbe, MemoryProbe, OpenFilesProbe
from actors.health.probes.web import HttpProbe

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


def actor(actor: Any, *, namespace: str | None = None, method: str = "__ray_ready__") -> ActorProbe:
    """A Ray actor, by name or handle, answers a call of `method`, behind its calls before."""
    return ActorProbe(actor=actor, namespace=namespace, method=method)


def child(child: str) -> ChildProbe:
    """A supervised child answers, also while its own calls run; one whose node does not answer either is unknown.

    Args:
        child: Its name, or its key as "worker/default-0".
    """
    return ChildProbe(child=child)


def heartbeat(phi: float = 8.0) -> HeartbeatProbe:
    """The component says itself that it lives, by `sup.health.beat(name)`, about every `interval_s`.

    Args:
        phi: The suspicion that makes a check bad: 8 is wrong once in 10^8 beats.
    """
    return HeartbeatProbe(phi=phi)


def node(node: str) -> NodeProbe:
    """A node is in the cluster, as Ray sees it: by its id, the beginning of that, its address or its name."""
    return NodeProbe(node=node)


def resources(*, free_memory_share: float = 0.05, load_per_cpu: float | None = None) -> ResourcesProbe:
    """The node that it runs on has memory left, and not too much to do. Meant for `on="every_node"`."""
    return ResourcesProbe(free_memory_share=free_memory_share, load_per_cpu=load_per_cpu)


def memory(*, at_most_mb: float, pid: int | None = None) -> MemoryProbe:
    """The process that it runs in (`on="child:<name>"`), or another of that host, holds no more memory."""
    return MemoryProbe(at_most_mb=at_most_mb, pid=pid)


def cpu(*, at_most: float, pid: int | None = None) -> CpuProbe:
    """That process used no more than this share of a core since the check before."""
    return CpuProbe(at_most=at_most, pid=pid)


def open_files(*, at_most: int | None = None, at_most_share: float = 0.8, pid: int | None = None) -> OpenFilesProbe:
    """That process has no more files open than this; without a number, than this share of what the system lets it."""
    return OpenFilesProbe(at_most=at_most, at_most_share=at_most_share, pid=pid)


def disk(path: str, *, free_share: float = 0.1, free_mb: float = 0.0) -> DiskProbe:
    """The disk of `path` has this share of it free, and so many megabytes."""
    return DiskProbe(path=path, free_share=free_share, free_mb=free_mb)


def loop_lag(*, at_most_s: float = 0.5) -> LoopLagProbe:
    """The event loops of the process that it runs in come to a call in time.

    Those of children with coroutine methods are known; others are after `watch_loop()`.
    """
    return LoopLagProbe(at_most_s=at_most_s)


def http(  # noqa: PLR0913 - one argument for each thing that is wanted of an answer
    url: str,
    *,
    status: int | tuple[int, ...] = (),
    body: str | None = None,
    tls_days: float | None = None,
    method: Literal["GET", "HEAD"] = "GET",
    headers: Mapping[str, str] | None = None,
    ca_file: str | None = None,
) -> HttpProbe:
    """A URL answers with one of these statuses (else 200 to 399), with `body` in it, and a certificate that lasts.

    Args:
        url: `http://` or `https://`.
        status: The statuses that are well.
        body: What the first 64 KiB of the body must hold.
        tls_days: For so many days the certificate must still be good.
        method: How to ask.
        headers: What to send besides. They are shown nowhere.
        ca_file: Whose signatures are trusted; None: the system's.
    """
    return HttpProbe.parse(
        {
            "url": url,
            "status": status,
            "body": body,
            "tls_days": tls_days,
            "method": method,
            "headers": dict(headers or {}),
            "ca_file": ca_file,
        },
        source="probes.http",
    )


def tcp(host: str, port: int) -> TcpProbe:
    """Somebody takes connections there."""
    return TcpProbe(host=host, port=port)


def dns(name: str, *, address: str | None = None) -> DnsProbe:
    """The name resolves; to this address, if one is given."""
    return DnsProbe(name=name, address=address)


def sql(connect: Callable[[], Any] | str, statement: str = "SELECT 1", *, value: Any = None) -> SqlProbe:
    """A database answers a statement.

    Args:
        connect: Gives a DB-API connection, as `partial(sqlite3.connect, path)`; or a URL for SQLAlchemy.
        statement: What to ask.
        value: What its first row must begin with; None: anything.
    """
    return SqlProbe(connect=connect, statement=statement, value=value)


def breakers(pattern: str = "*", *, open_max: int = 0) -> BreakersProbe:
    """No more of these circuit breakers (a name, or a glob) are open."""
    return BreakersProbe(pattern=pattern, open_max=open_max)


def queue_depth(queue: Any, *, at_most: int) -> QueueDepthProbe:
    """No more wait in a queue: what has qsize() or a length (as ray.util.queue.Queue), or a function that tells it."""
    return QueueDepthProbe(queue=queue, at_most=at_most)
