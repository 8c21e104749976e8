"""`supervisor chaos report | compare | apply`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from actors.runtime.errors import ConfigError
from experiments.cli.embedding import REPORTS, RUNNING, is_embedded, named, on_supervisor
from experiments.report.compare import compare_runs
from experiments.report.html import page
from experiments.report.journal import journal
from experiments.report.junit import junit
from experiments.report.terminal import comparison_text, summary
from experiments.running.applying import apply_change
from experiments.running.archive import Archive, as_text
from supervisor.cli.looking import terminal
from supervisor.cli.options import ADDRESS

_SHAPES = ("text", "html", "json", "junit")


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--format", "shape", type=click.Choice(_SHAPES), default="text", show_default=True, help="Its shape.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it there.")
@REPORTS
def report(run: str, shape: str, output: Path | None, reports: Path) -> None:
    """Print the report of RUN (its name, or how that begins)."""
    found = Archive(reports).load(run)
    if shape == "text" and output is None:
        terminal().print(summary(found))
        return
    match shape:
        case "html":
            text = page(found)
        case "junit":
            text = junit(found)
        case "json":
            text = json.dumps(journal(found), indent=2, default=str)
        case _:
            text = as_text(found)
    if output is None:
        click.echo(text)
    else:
        write_out(output, text)
        click.echo(f"{found.run}: {output}")


@click.command()
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@REPORTS
def compare(first: str, second: str, reports: Path) -> None:
    """Put two runs beside each other: what moved, and which findings are gone. Exits 1 when the second is worse."""
    archive = Archive(reports)
    found = compare_runs(archive.load(first), archive.load(second))
    terminal().print(comparison_text(found))
    raise SystemExit(1 if found.is_worse else 0)


@click.command()
@click.argument("recommendation", metavar="REPORT#NUMBER")
@RUNNING
@ADDRESS
@REPORTS
def apply(recommendation: str, name: str | None, address: str | None, reports: Path) -> None:
    """Carry a recommendation out, so that a second run shows the finding gone.

    On the running supervisor; without one, for the scenes and loads of the next runs with these reports.
    """
    run, number = named(recommendation)
    archive = Archive(reports)
    if is_embedded(name, address):
        click.echo(apply_change(None, archive, run, number))
        return
    with on_supervisor(name, address) as sup:
        click.echo(apply_change(sup, archive, run, number))


def write_out(path: Path, text: str) -> None:
    """Write what a command was asked for into a file.

    Raises:
        ConfigError: It cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(str(path), problems=(f"cannot be written: {error.strerror}",)) from None
