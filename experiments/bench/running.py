"""Runs the rows: both sides in turn, as many rounds as asked."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from math import log, nan
from typing import Any

from actors.healer.settings import HealerSettings
from experiments.bench import chaos_rows, rows
from experiments.bench.chaos import attempts_checked, fault_point_s, minutes_a_minute
from experiments.bench.row import Measured, Row
from experiments.bench.rows import against
from experiments.bench.side import Side
from experiments.bench.simulation import cost_per_event_s

TASKS = 40_000
CALLS = 6_000
SINGLES = 1_000
HANG_TIMEOUT_S = 1.0
IMPORT_LIMIT_S = 0.25
CHILDREN = 200
FEW, MANY = 1_000, 10_000
SIMULATED = 50_000
CPU_SECONDS = 20.0
CPU_LIMIT = 0.001
EVENT_LIMIT_S = 50e-6
SHARED = "shared breakers"
REFUSAL_LIMIT_S = 1.5e-6
TRIP_LIMIT_S = 0.005
OWNERS_LIMIT = 0.2
MONITOR_LIMIT = 0.3
JITTER_LIMIT_S = 0.1
DEAD_LIMIT_S = 1.1
"""Three checks each 0.2 s, with a time-out of 0.5 s."""
FEATURE_LIMIT_S = 150e-9
CHANGE_LIMIT_S = 0.010
FIRST_STEP_LIMIT_S = 0.02
FIRST_MEMORY_TASKS = 50_000
ALL_MEMORY_TASKS = 200_000
ATTEMPTS = 1_000_000
CHECKER_LIMIT_S = 10.0
CHECKER_LIMIT_MB = 500.0
FAULT_POINT_LIMIT_S = 50e-9
SIMULATED_LEAST = 1_000.0
EFFECT_LIMIT_S = 0.050
CAMPAIGN_LIMIT_S = 300.0

_TIME_IMPORT = (
    "import time, ray; begun = time.perf_counter(); from supervisor import Supervisor; "
    "print(time.perf_counter() - begun)"
)


def run(chosen: Sequence[Row], rounds: int) -> Iterator[Measured]:
    """Measure the chosen rows one after the other."""
    with Side("ours") as ours, Side("bare") as bare:
        for row in chosen:
            yield _MEASURES[row.name](ours, bare, rounds)


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    return {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "ray": version("ray"),
        "duckdb": version("duckdb"),
    }


def _alternate(row: Row, rounds: int, ours: Callable[[], float], theirs: Callable[[], float]) -> Measured:
    """Both sides in turn, after one round of each that warms up and does not count."""
    ours()
    theirs()
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return Measured(row=row, ours=tuple(pair[0] for pair in pairs), theirs=tuple(pair[1] for pair in pairs))


def _throughput(ours: Side, bare: Side, rounds: int) -> Measured:
    return _alternate(
        rows.THROUGHPUT,
        rounds,
        lambda: ours.measure("throughput", tasks=TASKS),
        lambda: bare.measure("throughput", calls=CALLS),
    )


def _latency(ours: Side, bare: Side, rounds: int) -> Measured:
    return _alternate(
        rows.LATENCY,
        rounds,
        lambda: ours.measure("latency", calls=SINGLES),
        lambda: bare.measure("latency", calls=SINGLES),
    )


def _kill(ours: Side, bare: Side, rounds: int) -> Measured:
    return _alternate(rows.KILL, rounds, lambda: ours.measure("kill"), lambda: bare.measure("kill"))


def _child(ours: Side, bare: Side, rounds: int) -> Measured:
    return _alternate(rows.CHILD, rounds, lambda: ours.measure("failover", standbys=1), lambda: bare.measure("kill"))


def _alone(ours: Side, bare: Side, rounds: int) -> Measured:
    return _alternate(rows.ALONE, rounds, lambda: ours.measure("failover", standbys=0), lambda: bare.measure("kill"))


def _takeover(ours: Side, bare: Side, rounds: int) -> Measured:
    return _alternate(rows.TAKEOVER, rounds, lambda: ours.measure("takeover"), lambda: bare.measure("kill"))


def _cpu(_: Side, __: Side, ___: int) -> Measured:
    """In a supervisor of its own: what other rows left behind is not to be paid for here."""
    with Side("ours") as fresh:
        used: float = fresh.measure("cpu", children=CHILDREN, seconds=CPU_SECONDS)
    return Measured(row=rows.CPU, ours=(used,), theirs=(CPU_LIMIT,))


def _event(_: Side, __: Side, rounds: int) -> Measured:
    values = tuple(cost_per_event_s(MANY, SIMULATED, seed=seed) for seed in range(rounds))
    return Measured(row=rows.EVENT, ours=values, theirs=(EVENT_LIMIT_S,) * rounds)


def _growth(_: Side, __: Side, rounds: int) -> Measured:
    """Both sizes in turn: at most as the logarithm grows."""
    pairs = [
        (cost_per_event_s(MANY, SIMULATED, seed=seed), cost_per_event_s(FEW, SIMULATED, seed=seed))
        for seed in range(rounds)
    ]
    growth = tuple(many / few for many, few in pairs)
    return Measured(row=rows.GROWTH, ours=growth, theirs=(log(MANY) / log(FEW),) * rounds)


def _hang(ours: Side, _: Side, rounds: int) -> Measured:
    values = tuple(ours.measure("hang") for _ in range(rounds))
    return Measured(row=rows.HANG, ours=values, theirs=(HANG_TIMEOUT_S,) * rounds)


def _import(_: Side, __: Side, rounds: int) -> Measured:
    values = tuple(_time_import() for _ in range(rounds + 1))[1:]
    return Measured(row=rows.IMPORT, ours=values, theirs=(IMPORT_LIMIT_S,) * rounds)


def _time_import() -> float:
    """Compiled modules are cached, as on any machine that ran a program twice."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-P", "-c", _TIME_IMPORT]
    return float(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)


def _memory(ours: Side, _: Side, __: int) -> Measured:
    """In a supervisor of its own, so that the first 50,000 tasks are its first."""
    with Side("ours") as fresh:
        first: dict[str, float] = fresh.measure("memory", tasks=FIRST_MEMORY_TASKS)
        last: dict[str, float] = fresh.measure("memory", tasks=ALL_MEMORY_TASKS - FIRST_MEMORY_TASKS)
    worst = max(first, key=lambda process: last[process] / first[process])
    return Measured(row=rows.MEMORY, ours=(last[worst],), theirs=(first[worst],))


def _beside_peers(row: Row, what: str, side_of: str = "breakers") -> Callable[[Side, Side, int], Measured]:
    """Both sides in one process, each round on its own; the peer that did best in a round is the other side."""

    def measure(_: Side, __: Side, rounds: int) -> Measured:
        with Side(side_of) as side:
            answers: list[dict[str, Any]] = [side.measure(what) for _ in range(rounds + 1)][1:]
        best = max if row.better == "higher" else min
        theirs = tuple(best(answer["peers"].values(), default=nan) for answer in answers)
        named = replace(row, against=against(row.against, answers))
        return Measured(row=named, ours=tuple(answer["ours"] for answer in answers), theirs=theirs)

    return measure


def _alone_in(row: Row, what: str, limit: float, side_of: str = "breakers") -> Callable[[Side, Side, int], Measured]:
    def measure(_: Side, __: Side, rounds: int) -> Measured:
        with Side(side_of) as side:
            values = tuple(side.measure(what)["ours"] for _ in range(rounds + 1))[1:]
        return Measured(row=row, ours=values, theirs=(limit,) * rounds)

    return measure


def _shared(
    row: Row, what: str, limit: float, concern: str = "breakers", **arguments: float
) -> Callable[[Side, Side, int], Measured]:
    """In a supervisor of its own: what other rows left running is not to be in the way."""

    def measure(_: Side, __: Side, rounds: int) -> Measured:
        with Side("ours") as fresh:
            values = tuple(fresh.measure(concern, row=what, **arguments) for _ in range(rounds))
        return Measured(row=row, ours=values, theirs=(limit,) * rounds)

    return measure


def _health(row: Row, what: str, limit: float) -> Callable[[Side, Side, int], Measured]:
    """In a supervisor of its own, like those of breakers."""

    def measure(_: Side, __: Side, rounds: int) -> Measured:
        values: list[float] = []
        for _round in range(rounds):
            with Side("ours") as fresh:
                values.append(fresh.measure("health", row=what))
        return Measured(row=row, ours=tuple(values), theirs=(limit,) * rounds)

    return measure


def _healing(row: Row, what: str, limit: float) -> Callable[[Side, Side, int], Measured]:
    """In a supervisor of its own: what other rows left running is not to be in the way."""

    def measure(_: Side, __: Side, rounds: int) -> Measured:
        with Side("ours") as fresh:
            values = tuple(fresh.measure("healing", row=what) for _ in range(rounds))
        return Measured(row=row, ours=values, theirs=(limit,) * rounds)

    return measure


def _chaos(row: Row, what: str, limit: float) -> Callable[[Side, Side, int], Measured]:
    """In a supervisor of its own; what takes minutes is measured once."""

    def measure(_: Side, __: Side, rounds: int) -> Measured:
        with Side("ours") as fresh:
            values = tuple(fresh.measure("chaos", row=what) for _ in range(1 if what == "campaign" else rounds))
        return Measured(row=row, ours=values, theirs=(limit,) * len(values))

    return measure


def _checker(_: Side, __: Side, rounds: int) -> Measured:
    values = tuple(attempts_checked(ATTEMPTS)[0] for _ in range(rounds))
    return Measured(row=chaos_rows.CHECKER, ours=values, theirs=(CHECKER_LIMIT_S,) * rounds)


def _checker_memory(_: Side, __: Side, rounds: int) -> Measured:
    values = tuple(attempts_checked(ATTEMPTS)[1] for _ in range(rounds))
    return Measured(row=chaos_rows.CHECKER_MEMORY, ours=values, theirs=(CHECKER_LIMIT_MB,) * rounds)


def _fault_point(_: Side, __: Side, rounds: int) -> Measured:
    values = tuple(fault_point_s() for _ in range(rounds))
    return Measured(row=chaos_rows.FAULT_POINT, ours=values, theirs=(FAULT_POINT_LIMIT_S,) * rounds)


def _chaos_simulated(_: Side, __: Side, rounds: int) -> Measured:
    values = tuple(minutes_a_minute(seed) for seed in range(rounds))
    return Measured(row=chaos_rows.CHAOS_SIMULATED, ours=values, theirs=(SIMULATED_LEAST,) * rounds)


_LOCAL = {row.name: row for row in rows.LOCAL_BREAKERS}

_MEASURES: dict[str, Callable[[Side, Side, int], Measured]] = {
    "throughput": _throughput,
    "latency": _latency,
    "kill": _kill,
    "hang": _hang,
    "child": _child,
    "alone": _alone,
    "takeover": _takeover,
    "cpu": _cpu,
    "event": _event,
    "growth": _growth,
    "import": _import,
    "memory": _memory,
    "breaker-closed": _beside_peers(rows.BREAKER_CLOSED, "closed", SHARED),
    "breaker-open": _alone_in(rows.BREAKER_OPEN, "open", REFUSAL_LIMIT_S, SHARED),
    "breaker-async": _beside_peers(rows.BREAKER_ASYNC, "coroutine", SHARED),
    "breaker-threads": _beside_peers(rows.BREAKER_THREADS, "threads", SHARED),
    "health-cpu": _health(rows.HEALTH_CPU, "cpu", MONITOR_LIMIT),
    "health-jitter": _health(rows.HEALTH_JITTER, "jitter", JITTER_LIMIT_S),
    "health-dead": _health(rows.HEALTH_DEAD, "dead", DEAD_LIMIT_S),
    "breaker-asked": _alone_in(rows.BREAKER_ASKED, "asked", 1.0, SHARED),
    "breaker-local-closed": _beside_peers(_LOCAL["breaker-local-closed"], "closed"),
    "breaker-local-open": _alone_in(_LOCAL["breaker-local-open"], "open", REFUSAL_LIMIT_S),
    "breaker-local-async": _beside_peers(_LOCAL["breaker-local-async"], "coroutine"),
    "breaker-local-threads": _beside_peers(_LOCAL["breaker-local-threads"], "threads"),
    "breaker-trip": _shared(rows.BREAKER_TRIP, "trip", TRIP_LIMIT_S),
    "breaker-forced": _shared(rows.BREAKER_FORCED, "forced", TRIP_LIMIT_S),
    "breaker-cpu": _shared(rows.BREAKER_CPU, "cpu", OWNERS_LIMIT, seconds=CPU_SECONDS),
    "feature-check": _beside_peers(rows.FEATURE_CHECK, "check", "features"),
    "feature-cost": _alone_in(rows.FEATURE_COST, "check", FEATURE_LIMIT_S, "features"),
    "level-change": _shared(rows.LEVEL_CHANGE, "change", CHANGE_LIMIT_S, "degradation"),
    "healing-first": _healing(rows.HEALING_FIRST, "first_step", FIRST_STEP_LIMIT_S),
    "healing-many": _healing(rows.HEALING_MANY, "many", HealerSettings().in_flight),
    "checker": _checker,
    "checker-memory": _checker_memory,
    "fault-point": _fault_point,
    "chaos-simulated": _chaos_simulated,
    "chaos-effect": _chaos(chaos_rows.CHAOS_EFFECT, "effect", EFFECT_LIMIT_S),
    "chaos-campaign": _chaos(chaos_rows.CHAOS_CAMPAIGN, "campaign", CAMPAIGN_LIMIT_S),
}

NAMES_MEASURED = frozenset(_MEASURES)
"""The rows that can be measured."""
