"""`supervisor chaos schedule | history`: runs experiments at their times while it is left running; what came of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from experiments.cli.embedding import REPORTS
from experiments.cli.ending import Ending
from experiments.judging.verdict import EXIT_CODES
from experiments.report.numbers import moment_iso
from experiments.report.run import INTERRUPTED
from experiments.running.archive import Archive
from experiments.running.timetable import Timetable, histories, load_schedules
from supervisor.cli.looking import terminal
from supervisor.cli.options import ADDRESS, JSON, NAME, attached

LOOK_EVERY_S = 1.0
FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command()
@FILE
@click.option("--once", is_flag=True, help="Run what is due now, and end.")
@NAME
@ADDRESS
@REPORTS
def schedule(file: Path, once: bool, name: str, address: str | None, reports: Path) -> None:  # noqa: FBT001 - click hands flags over by name
    """Run the experiments of FILE at their times: a YAML file with `schedules`, each with name, experiment and cron.

    It goes on until Ctrl-C or SIGTERM, and then exits with 0, or with 12 where that aborted a run.
    """
    schedules = load_schedules(file)
    timetable: Timetable | None = None
    try:
        with Ending() as ending, attached(name, address) as sup, ending.awaited():
            timetable = Timetable(sup, schedules, Archive(reports))
            _keep(timetable, once=once)
    except KeyboardInterrupt as error:
        click.echo(f"ended: {str(error) or INTERRUPTED}; started again, it goes on from here", err=True)
        has_aborted = timetable is not None and timetable.was_interrupted
        raise SystemExit(EXIT_CODES["aborted" if has_aborted else "held"]) from None


def _keep(timetable: Timetable, *, once: bool) -> None:
    while True:
        for told in timetable.look(SYSTEM_CLOCK.wall_us()):
            click.echo(told)
        if once:
            return
        sleep(LOOK_EVERY_S)


@click.command()
@FILE
@REPORTS
@JSON
def history(file: Path, reports: Path, as_json: bool) -> None:  # noqa: FBT001 - as above
    """Show the last runs of the schedules of FILE, and how many of them are remembered; no cluster is asked."""
    schedules = load_schedules(file)
    known = histories(Archive(reports))
    if as_json:
        found = {
            each.name: {"limit": each.history, "runs": [asdict(run) for run in known.get(each.name, ())]}
            for each in schedules
        }
        click.echo(json.dumps(found, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for column in ("schedule", "due", "run", "verdict"):
        table.add_column(column, overflow="fold")
    for each in schedules:
        runs = known.get(each.name, ())
        table.add_row(each.name, "", f"{len(runs)} of at most {each.history} are remembered", "")
        for run in reversed(runs):
            table.add_row("", moment_iso(run.due_us), run.run, run.verdict.replace("_", " "))
    terminal().print(table)
