"""`supervisor chaos`: the group of its commands."""

from __future__ import annotations

import click

from experiments.cli import controlling, reporting, running, scheduling


@click.group(name="chaos")
def command() -> None:
    """Chaos experiments that tell the truth.

    Exits 0 when an experiment held, 10 when it deviated, 11 when nothing can be concluded, 12 when it was aborted, 13
    when it was not started.
    """


for each in (
    running.run,
    running.plan,
    running.campaign,
    running.list_experiments,
    running.show,
    running.schema,
    controlling.stop,
    controlling.halt,
    controlling.clear,
    reporting.report,
    reporting.compare,
    reporting.apply,
    scheduling.schedule,
    scheduling.history,
):
    command.add_command(each)
