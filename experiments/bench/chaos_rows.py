"""The rows about chaos experiments. Pure."""

from __future__ import annotations

from experiments.bench.row import Row

CHECKER = Row(
    name="checker",
    title="chaos: the history checker, 1,000,000 attempts",
    against="10 s",
    unit="s",
    scale=1.0,
    better="below",
    target=1.0,
)
CHECKER_MEMORY = Row(
    name="checker-memory",
    title="chaos: the memory of the process that checks them",
    against="500 MiB",
    unit="MiB",
    scale=1.0,
    better="below",
    target=1.0,
)
FAULT_POINT = Row(
    name="fault-point",
    title="chaos: a fault point that is off",
    against="50 ns",
    unit="ns",
    scale=1e9,
    better="below",
    target=1.0,
)
CHAOS_SIMULATED = Row(
    name="chaos-simulated",
    title="chaos: cluster-minutes of its pure machines in a minute",
    against="1,000",
    unit="min",
    scale=1.0,
    better="higher",
    target=1.0,
)
CHAOS_EFFECT = Row(
    name="chaos-effect",
    title="chaos: from the order to inject to the sight of its effect, p99 of 100 kills and stops",
    against="50 ms",
    unit="ms",
    scale=1e3,
    better="below",
    target=1.0,
)
CHAOS_CAMPAIGN = Row(
    name="chaos-campaign",
    title="chaos: a campaign of 20 seeds of kill-worker",
    against="5 min",
    unit="s",
    scale=1.0,
    better="below",
    target=1.0,
)
CHAOS = (CHECKER, CHECKER_MEMORY, FAULT_POINT, CHAOS_SIMULATED, CHAOS_EFFECT, CHAOS_CAMPAIGN)
"""Those of chaos experiments."""
