"""Which module may know which: rooms look down only, machines know no outside world."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FORBIDDEN_TO_PURE = frozenset(
    "ray duckdb opentelemetry asyncio threading multiprocessing subprocess socket time random datetime logging".split()
)


def test_import_linter_keeps_every_contract(root: Path):
    lint = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(cache_dir=None))"
    done = subprocess.run(
        [sys.executable, "-c", lint], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_pure_modules_reach_nothing_impure(house):
    """Not even through another module of ours: the chain is followed and shown."""
    chains = [chain for file in house.sources if file.is_pure for chain in _impure_chains(house, file)]
    assert not chains, "\n".join(chains)


def test_the_rule_finds_what_is_pure(house):
    """Guards the guard: a rule that matches nothing would pass."""
    pure = {file.module for file in house.sources if file.is_pure}
    assert {"actors.worker.machine", "actors.recovery.backoff", "experiments.demo.verdict"} <= pure


def test_only_the_clock_reads_time(house):
    """Benchmarks measure with their own instrument; everything else takes `now` or a Clock."""
    readers = [
        file.module
        for file in house.sources
        if "time" in file.imports(house.by_module) and not file.module.startswith("experiments.bench")
    ]
    assert readers == ["actors.runtime.clock"]


def _impure_chains(house, start) -> list[str]:
    chains, seen, ways = [], set(), [(start, start.module)]
    while ways:
        file, chain = ways.pop()
        for name in sorted(file.imports(house.by_module)):
            if name in FORBIDDEN_TO_PURE:
                chains.append(f"{chain} -> {name}")
            elif name in house.by_module and name not in seen:
                seen.add(name)
                ways.append((house.by_module[name], f"{chain} -> {name}"))
    return chains
