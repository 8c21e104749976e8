"""The rows about chaos experiments: each has a target, and is one of the benchmark's."""

from __future__ import annotations

from experiments.bench.chaos_rows import CHAOS
from experiments.bench.rows import ALL
from experiments.bench.running import NAMES_MEASURED


def test_each_is_measured() -> None:
    assert {row.name for row in CHAOS} <= NAMES_MEASURED
    assert set(CHAOS) <= set(ALL)
