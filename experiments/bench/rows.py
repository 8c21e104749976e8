"""The rows of the benchmark: what is measured, against what, and what is to be reached. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from experiments.bench.chaos_rows import CHAOS
from experiments.bench.row import Row


def against(whom: str, answers: Sequence[dict[str, Any]]) -> str:
    """The other side in words: which peer did best in how many rounds, and which could not be asked."""
    better = max if whom.endswith("scales best") else min
    best = Counter(better(answer["peers"], key=answer["peers"].get) for answer in answers if answer["peers"])
    named = ", ".join(f"{name} in {times} of {len(answers)} rounds" for name, times in best.most_common())
    missing = sorted({name for answer in answers for name in answer["missing"]})
    told = f"{whom}: {named}" if named else f"{whom}: there is none here"
    return f"{told}; not installed: {', '.join(missing)} (uv sync --group bench)" if missing else told


THROUGHPUT = Row(
    name="throughput",
    title="submit + result, with policy, retries and events",
    against="bare pipelined actor calls",
    unit="/s",
    scale=1.0,
    better="higher",
    target=10.0,
)
LATENCY = Row(
    name="latency",
    title="one submit to its result, p50",
    against="one bare actor call, p50",
    unit="us",
    scale=1e6,
    better="below",
    target=1.3,
)
KILL = Row(
    name="kill",
    title="SIGKILL of a pool member to its task's answer",
    against="actor with max_restarts=-1, max_task_retries=-1",
    unit="ms",
    scale=1e3,
    better="faster",
    target=100.0,
)
HANG = Row(
    name="hang",
    title="SIGSTOP of a pool member to its task's answer",
    against="the heartbeat timeout (Ray never notices)",
    unit="ms",
    scale=1e3,
    better="below",
    target=1.5,
)
IMPORT = Row(
    name="import",
    title="from supervisor import Supervisor, beyond import ray",
    against="0.25 s",
    unit="s",
    scale=1.0,
    better="below",
    target=1.0,
)
MEMORY = Row(
    name="memory",
    title="memory after 200,000 tasks (worst of caller, worker, log)",
    against="after 50,000",
    unit="MiB",
    scale=1.0,
    better="below",
    target=1.1,
)
CHILD = Row(
    name="child",
    title="SIGKILL of a stateful child with a standby to the next answer, state kept",
    against="actor with max_restarts=-1, state lost",
    unit="ms",
    scale=1e3,
    better="faster",
    target=50.0,
)
ALONE = Row(
    name="alone",
    title="the same without a standby, in a process that stood ready, state kept",
    against="actor with max_restarts=-1, state lost",
    unit="ms",
    scale=1e3,
    better="faster",
    target=3.0,
)
TAKEOVER = Row(
    name="takeover",
    title="SIGKILL of the supervisor to its control plane answering, 10,000 calls in flight",
    against="actor with max_restarts=-1",
    unit="ms",
    scale=1e3,
    better="faster",
    target=10.0,
)
CPU = Row(
    name="cpu",
    title="supervisor CPU per child, 200 children, heartbeat 1 s",
    against="0.1 % of a core",
    unit="% of a core",
    scale=100.0,
    better="below",
    target=1.0,
)
EVENT = Row(
    name="event",
    title="the pure machine at 10,000 children, one event",
    against="50 us",
    unit="us",
    scale=1e6,
    better="below",
    target=1.0,
)
GROWTH = Row(
    name="growth",
    title="the same against 1,000 children",
    against="log 10,000 / log 1,000",
    unit="x",
    scale=1.0,
    better="below",
    target=1.0,
)

BREAKER_CLOSED = Row(
    name="breaker-closed",
    title="shared breaker: what it adds to a closed call",
    against="the fastest peer",
    unit="us",
    scale=1e6,
    better="below",
    target=0.5,
)
BREAKER_OPEN = Row(
    name="breaker-open",
    title="shared breaker: a refused call, its error caught",
    against="1.5 us",
    unit="us",
    scale=1e6,
    better="below",
    target=1.0,
)
BREAKER_ASYNC = Row(
    name="breaker-async",
    title="shared breaker: what it adds to an awaited closed call",
    against="the fastest async peer",
    unit="us",
    scale=1e6,
    better="below",
    target=0.5,
)
BREAKER_THREADS = Row(
    name="breaker-threads",
    title="shared breaker: calls of 8 threads against those of one",
    against="the peer that scales best",
    unit="x",
    scale=1.0,
    better="higher",
    target=1.0,
)
BREAKER_ASKED = Row(
    name="breaker-asked",
    title="shared breaker: calls to its owner in 100,000 admissions",
    against="none",
    unit="calls",
    scale=1.0,
    better="below",
    target=0.0,
)
BREAKERS = (BREAKER_CLOSED, BREAKER_OPEN, BREAKER_ASYNC, BREAKER_THREADS, BREAKER_ASKED)
"""Calls of one process through `sup.breaker` of a running supervisor."""

LOCAL_BREAKERS = tuple(
    replace(row, name=row.name.replace("-", "-local-"), title=row.title.replace("shared", "local"))
    for row in (BREAKER_CLOSED, BREAKER_OPEN, BREAKER_ASYNC, BREAKER_THREADS)
)
"""The same through `local_breaker`, without Ray."""

BREAKER_TRIP = Row(
    name="breaker-trip",
    title="breaker: from the failure that trips it to the last of 8 processes refusing, p99",
    against="5 ms",
    unit="ms",
    scale=1e3,
    better="below",
    target=1.0,
)
BREAKER_FORCED = Row(
    name="breaker-forced",
    title="breaker: from force_open to the last of 8 processes refusing, p99",
    against="5 ms",
    unit="ms",
    scale=1e3,
    better="below",
    target=1.0,
)
BREAKER_CPU = Row(
    name="breaker-cpu",
    title="breaker: CPU of the owners of 1,000 breakers, 8 processes, 50,000 calls a second",
    against="20 % of a core",
    unit="% of a core",
    scale=100.0,
    better="below",
    target=1.0,
)
SHARED_BREAKERS = (BREAKER_TRIP, BREAKER_FORCED, BREAKER_CPU)
"""Those of breakers that processes of a cluster share."""

FEATURE_CHECK = Row(
    name="feature-check",
    title="degradation: is a feature on",
    against="OpenFeature",
    unit="us",
    scale=1e6,
    better="below",
    target=0.01,
)
FEATURE_COST = Row(
    name="feature-cost",
    title="degradation: the same",
    against="150 ns",
    unit="ns",
    scale=1e9,
    better="below",
    target=1.0,
)
LEVEL_CHANGE = Row(
    name="level-change",
    title="degradation: from set_level to the last of 8 processes reading it, p99",
    against="10 ms",
    unit="ms",
    scale=1e3,
    better="below",
    target=1.0,
)
DEGRADATION = (FEATURE_CHECK, FEATURE_COST, LEVEL_CHANGE)
"""Those of levels and features."""

HEALTH_CPU = Row(
    name="health-cpu",
    title="health: CPU of a monitor of 1,000 probes, one a second each",
    against="30 % of a core",
    unit="% of a core",
    scale=100.0,
    better="below",
    target=1.0,
)
HEALTH_JITTER = Row(
    name="health-jitter",
    title="health: how late those probes begin, p99",
    against="100 ms",
    unit="ms",
    scale=1e3,
    better="below",
    target=1.0,
)
HEALTH_DEAD = Row(
    name="health-dead",
    title="health: from a component's hanging to its being told, the worst of 20",
    against="threshold x interval + timeout",
    unit="ms",
    scale=1e3,
    better="below",
    target=1.0,
)
HEALTH = (HEALTH_CPU, HEALTH_JITTER, HEALTH_DEAD)
"""Those of the health monitor."""

HEALING_FIRST = Row(
    name="healing-first",
    title="healing: from a call's failure to its first recovery step running on a healer, p50",
    against="20 ms",
    unit="ms",
    scale=1e3,
    better="below",
    target=1.0,
)
HEALING_MANY = Row(
    name="healing-many",
    title="healing: the most steps at a time, of 500 incidents at once that all end",
    against="the limit of 8 in flight",
    unit="steps",
    scale=1.0,
    better="below",
    target=1.0,
)
HEALING = (HEALING_FIRST, HEALING_MANY)
"""Those of the healers."""

_RAY = (THROUGHPUT, LATENCY, KILL, HANG, CHILD, ALONE, TAKEOVER, CPU)

ALL = (
    *_RAY,
    EVENT,
    GROWTH,
    IMPORT,
    MEMORY,
    *BREAKERS,
    *LOCAL_BREAKERS,
    *SHARED_BREAKERS,
    *DEGRADATION,
    *HEALTH,
    *HEALING,
    *CHAOS,
)
