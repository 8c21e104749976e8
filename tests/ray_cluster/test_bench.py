"""`supervisor bench` as a user runs it: two Rays beside each other, their ratio printed and written."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.command import supervisor_command


@pytest.mark.timeout(170)
@pytest.mark.parametrize(
    "chosen", ["import", pytest.param("latency", marks=pytest.mark.soak)]
)  # that one starts two Rays
def test_a_chosen_row_is_measured_on_both_sides_printed_and_written(tmp_path: Path, chosen: str):
    command = [*supervisor_command(), "bench", "--only", chosen, "--rounds", "2"]
    done = subprocess.run(
        [*command, "--json", "rounds.json"], cwd=tmp_path, capture_output=True, text=True, timeout=160, check=False
    )
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "rounds.json").read_text(encoding="utf-8"))
    assert {"cpus", "python", "ray", "duckdb"} <= set(written["machine"])
    (row,) = written["rows"]
    assert row["name"] == chosen
    ratios = sorted(ours / theirs for ours, theirs in zip(row["ours"], row["theirs"], strict=True))
    assert len(ratios) == 2
    assert row["ratio"] == pytest.approx(sum(ratios) / 2)
    assert row["reached"] == (row["ratio"] <= row["target"])
    assert f"{row['name']}: {row['ratio']:.3g} x" in done.stdout


def test_a_row_that_does_not_exist_is_refused_before_anything_starts(tmp_path: Path):
    done = subprocess.run(
        [*supervisor_command(), "bench", "--only", "speed"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "'speed' is not one of 'throughput', 'latency'" in done.stderr
