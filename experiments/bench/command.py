"""`supervisor bench`: both sides in one run, alternately, as ratios."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from experiments.bench.row import Measured
from experiments.bench.rows import ALL
from experiments.bench.running import machine, run

NAMES = [row.name for row in ALL]


@click.command(name="bench")
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="Only this row; may be given several times.")
@click.option(
    "--rounds", default=5, show_default=True, type=click.IntRange(min=1), help="Interleaved rounds of each row."
)
@click.option("--json", "json_path", type=click.Path(dir_okay=False), help="Also write every round to this file.")
def command(only: tuple[str, ...], rounds: int, json_path: str | None) -> None:
    """Measure supervised tasks beside bare Ray, in turn, and print the ratios."""
    console = Console()
    chosen = [row for row in ALL if not only or row.name in only]
    on = machine()
    console.print(f"{on['cpus']} CPUs, {on['system']}, Python {on['python']}, Ray {on['ray']}, DuckDB {on['duckdb']}")
    measured: list[Measured] = []
    for result in run(chosen, rounds):
        measured.append(result)
        console.print(f"{result.row.name}: {result.shown_ratio()}, to reach {result.shown_target()}")
    console.print(_table(measured))
    if json_path is not None:
        Path(json_path).write_text(json.dumps(_as_json(on, measured), indent=2), encoding="utf-8")


def _table(measured: list[Measured]) -> Table:
    table = Table(title="medians (and range) of interleaved rounds", box=None, pad_edge=False)
    for column in ("what", "ours", "against", "theirs", "ratio", "to reach", "reached"):
        table.add_column(column, overflow="fold")
    for result in measured:
        table.add_row(
            result.row.title,
            result.shown(result.ours),
            result.row.against,
            result.shown(result.theirs),
            result.shown_ratio(),
            result.shown_target(),
            "yes" if result.reached else "no",
        )
    return table


def _as_json(on: dict[str, object], measured: list[Measured]) -> dict[str, object]:
    return {
        "machine": on,
        "rows": [
            {
                "name": result.row.name,
                "ours": result.ours,
                "theirs": result.theirs,
                "ratio": result.ratio,
                "target": result.row.target,
                "reached": result.reached,
            }
            for result in measured
        ],
    }
