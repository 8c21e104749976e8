"""`supervisor demo`: tasks that survive, shown on real requests while everything is being killed."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import click

TASKS_MAX = 50_000
"""The books, the log and the report are held in memory; beyond this a demo shows nothing more."""


@click.command()
@click.option("--tasks", type=click.IntRange(1, TASKS_MAX), default=2000, show_default=True, help="Tasks to submit.")
@click.option("--seed", type=int, default=7, show_default=True, help="Decides the upstream's faults and the kills.")
@click.option("--chaos/--no-chaos", default=True, show_default=True, help="Kill workers, the log and the supervisor.")
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The event log's DuckDB file. Left out: a new file in a temporary folder, which stays.",
)
def command(tasks: int, seed: int, chaos: bool, log: Path | None) -> None:  # noqa: FBT001 - click hands flags over by name
    """Submit tasks against a flaky HTTP upstream while workers, the log and the supervisor are killed.

    Exits with 0 only if every accepted task ended, every success has exactly one effect, and every failure is one
    that the upstream really caused; with 1 otherwise, and with 130 after Ctrl-C.
    """
    # Ray and DuckDB cost a second to import: not for `supervisor --help`.
    from rich.console import Console  # noqa: PLC0415 - see above

    from experiments.demo.reporting import narrator_for, print_report  # noqa: PLC0415 - see above
    from experiments.demo.running import Order, run  # noqa: PLC0415 - see above
    from experiments.demo.stopping import StopRequest  # noqa: PLC0415 - see above

    console = Console()
    folder = None if log is not None else Path(tempfile.mkdtemp(prefix="supervisor-demo-"))
    path = log if folder is None else folder / "demo.duckdb"
    assert path is not None, "either it was given or it is in the folder"
    order = Order(tasks=tasks, seed=seed, chaos=chaos, log=str(path.expanduser().absolute()))
    with StopRequest() as stop:
        with narrator_for(console) as narrator:
            narrator.stage(f"event log: {order.log}")
            found = run(order, stop=stop, narrator=narrator)
        if found is None:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
            console.print("stopped; nothing was left behind", highlight=False)
            sys.exit(stop.exit_code)
        print_report(found, console)
    sys.exit(0 if found.ok else 1)
