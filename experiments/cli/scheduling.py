"""`supervisor chaos schedule`: runs experiments at their times, in the foreground, as long as it is left running."""

from __future__ import annotations

from pathlib import Path

import click

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from experiments.cli.embedding import REPORTS
from experiments.running.archive import Archive
from experiments.running.timetable import Timetable, load_schedules
from supervisor.cli.options import ADDRESS, NAME, attached

LOOK_EVERY_S = 1.0


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--once", is_flag=True, help="Run what is due now, and end.")
@NAME
@ADDRESS
@REPORTS
def schedule(file: Path, once: bool, name: str, address: str | None, reports: Path) -> None:  # noqa: FBT001 - click hands flags over by name
    """Run the experiments of FILE at their times: a YAML file with `schedules`, each with name, experiment and cron."""
    schedules = load_schedules(file)
    with attached(name, address) as sup:
        timetable = Timetable(sup, schedules, Archive(reports))
        while True:
            for told in timetable.look(SYSTEM_CLOCK.wall_us()):
                click.echo(told)
            if once:
                return
            sleep(LOOK_EVERY_S)
