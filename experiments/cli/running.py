"""`supervisor chaos run | plan | campaign | list | show | schema`."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table
from rich.text import Text

from actors.runtime.clock import SYSTEM_CLOCK
from experiments.cli.embedding import REPORTS, RUNNING, is_embedded, on_supervisor, told
from experiments.cli.ending import Ending
from experiments.cli.reporting import write_out
from experiments.errors import ReportUnsavedError
from experiments.hands.hands import Hands
from experiments.hands.sights import machine_here
from experiments.judging.verdict import EXIT_CODES
from experiments.model.experiment import SEED_END
from experiments.model.loading import library_names, load_experiment
from experiments.model.placing import Placed
from experiments.model.scenes import SCENES
from experiments.model.writing import dump_experiment, json_schema
from experiments.planning.foreseeing import without_cluster
from experiments.planning.inventory import Inventory, Target
from experiments.planning.plan import Refusal
from experiments.planning.planning import make_plan
from experiments.planning.preflight import preflight
from experiments.report.journal import journal
from experiments.report.numbers import number_text
from experiments.report.terminal import STYLES, campaign_text, plan_text, summary
from experiments.running.archive import PAGE, Archive
from experiments.running.books import standing
from experiments.running.chaos import ChaosHandle
from experiments.scheduling.cron import moment
from supervisor.cli.looking import terminal
from supervisor.cli.options import ADDRESS, JSON

if TYPE_CHECKING:
    from experiments.model.experiment import Experiment
    from experiments.model.placing import Places
    from experiments.planning.plan import Plan
    from experiments.report.run import RunReport
    from supervisor import Supervisor

EXPERIMENT = click.argument("experiment")
SEED = click.option(
    "--seed", type=click.IntRange(min=0, max=SEED_END, max_open=True), help="Instead of the experiment's own."
)
SCENE = click.option(
    "--scene/--no-scene", default=None, help="Build what the experiment's scene lacks; left out, on embedded clusters."
)


@click.command()
@EXPERIMENT
@SEED
@RUNNING
@ADDRESS
@REPORTS
@SCENE
@click.option("--dry-run", is_flag=True, help="Only plan it.")
@JSON
def run(  # noqa: PLR0913, PLR0917 - one argument for each option, and click hands them over by name
    experiment: str,
    seed: int | None,
    name: str | None,
    address: str | None,
    reports: Path,
    scene: bool | None,  # noqa: FBT001 - as above
    dry_run: bool,  # noqa: FBT001 - click hands flags over by name
    as_json: bool,  # noqa: FBT001 - as above
) -> None:
    """Run EXPERIMENT: a name of the library, or a file's path."""
    if dry_run:
        placed = Placed.load(experiment)
        planned = _planned(placed.experiment, seed, name, address, scene=scene)
        _show_plan(planned, placed.places, as_json=as_json)
    with told(reports, experiment):
        placed = Placed.load(experiment)
        with Ending() as ending, on_supervisor(name, address, placed.experiment, reports=reports, ending=ending) as sup:
            build = is_embedded(name, address) if scene is None else scene
            with ending.awaited():
                found, unsaved = _ran(ChaosHandle(sup, reports=reports), placed, seed, scene=build)
            # Before the cluster ends: whoever sent SIGTERM may not wait for that.
            _show(found, reports, unsaved, as_json=as_json)
    raise SystemExit(found.verdict.exit_code)


@click.command()
@EXPERIMENT
@SEED
@RUNNING
@ADDRESS
@SCENE
@JSON
def plan(
    experiment: str,
    seed: int | None,
    name: str | None,
    address: str | None,
    scene: bool | None,  # noqa: FBT001 - as above
    as_json: bool,  # noqa: FBT001 - as above
) -> None:
    """Show what EXPERIMENT would do to whom, why it may not, and what was not checked; nothing is touched.

    Without --name and --address it is planned on the scene that an embedded cluster would run for it, on this machine.
    With --scene a running supervisor's plan is made as if that scene stood there.
    """
    placed = Placed.load(experiment)
    _show_plan(_planned(placed.experiment, seed, name, address, scene=scene), placed.places, as_json=as_json)


@click.command()
@EXPERIMENT
@click.option("--seeds", type=click.IntRange(min=1, max=10_000), default=20, show_default=True, help="How many.")
@RUNNING
@ADDRESS
@REPORTS
@SCENE
@JSON
def campaign(  # noqa: PLR0913, PLR0917 - as above
    experiment: str,
    seeds: int,
    name: str | None,
    address: str | None,
    reports: Path,
    scene: bool | None,  # noqa: FBT001 - as above
    as_json: bool,  # noqa: FBT001 - as above
) -> None:
    """Run EXPERIMENT under many seeds, and show the worst first. Exits as the worst would."""
    console = terminal()

    def tell(report: RunReport) -> None:
        if not as_json:
            kind = report.verdict.kind
            console.print(Text.assemble(f"seed {report.plan.seed}: ", (kind.replace("_", " "), STYLES[kind])))

    with told(reports, experiment):
        placed = Placed.load(experiment)
        with Ending() as ending, on_supervisor(name, address, placed.experiment, reports=reports, ending=ending) as sup:
            build = is_embedded(name, address) if scene is None else scene
            handle = ChaosHandle(sup, reports=reports)
            with ending.awaited():
                found = handle.campaign_placed(placed, seeds=seeds, scene=build, on_run=tell)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
    else:
        console.print(campaign_text(found))
    raise SystemExit(found.exit_code)


@click.command("list")
@RUNNING
@ADDRESS
@REPORTS
@JSON
def list_experiments(name: str | None, address: str | None, reports: Path, as_json: bool) -> None:  # noqa: FBT001 - as above
    """List the library; of a running supervisor the runs, those that go on first; and the reports of the folder."""
    found: dict[str, Any] = {"library": list(library_names()), "reports": list(Archive(reports).names())}
    if not is_embedded(name, address):
        with on_supervisor(name, address) as sup:
            handle = ChaosHandle(sup, reports=reports)
            found |= {"active": handle.active(), "gone": _gone(sup), "runs": handle.list()}
    if as_json:
        click.echo(json.dumps(found, indent=2, default=str))
        return
    console = terminal()
    table = Table(box=None, pad_edge=False)
    table.add_column("experiment", no_wrap=True)
    table.add_column("what it shows", overflow="fold")
    for each in found["library"]:
        table.add_row(each, Text(load_experiment(each).title))
    console.print(table)
    for each, faults in found.get("active", {}).items():
        told = "its runner is gone, `supervisor chaos clear` ends it" if each in found["gone"] else "goes on"
        click.echo(f"{told}: {each} ({', '.join(faults) or 'nothing is on now'})")
    for row in found.get("runs", ()):
        click.echo(f"{row['run']}  {row['verdict'] or row['state']}  score {number_text(row['score'])}")
    for each in found["reports"]:
        click.echo(f"report: {each}")


@click.command()
@EXPERIMENT
def show(experiment: str) -> None:
    """Print EXPERIMENT as a file, with what it must show."""
    loaded = load_experiment(experiment)
    click.echo(f"# expected: {loaded.chaos.expected}; {loaded.chaos.shows}")
    click.echo(dump_experiment(loaded), nl=False)


@click.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it there.")
def schema(output: Path | None) -> None:
    """Print the JSON schema of experiments, by which editors help to write them."""
    text = json.dumps(json_schema(), indent=2)
    if output is None:
        click.echo(text)
    else:
        write_out(output, f"{text}\n")
        click.echo(f"{output}: # yaml-language-server: $schema={output}")


def _gone(sup: Supervisor) -> tuple[str, ...]:
    """Runs that go on, or have left something on, and whose runner does not live."""
    hands = Hands(sup.name)
    try:
        return standing(hands)[0].gone
    finally:
        hands.close()


def _planned(
    experiment: Experiment, seed: int | None, name: str | None, address: str | None, *, scene: bool | None
) -> Plan:
    if is_embedded(name, address):
        called = experiment.chaos.scene
        click.echo(f"no cluster is meant: planned on the scene {called!r}, whose names are made up", err=True)
        found = make_plan(experiment, scene_inventory(experiment), seed=seed)
        here = machine_here("head", log_folder=tempfile.gettempdir(), rpc_faults=True)
        cannot = [Refusal(rule="selection", words=words) for words in preflight(found, {here.name: here})]
        unchecked = without_cluster(experiment, SCENES[called])
        return replace(found, refusals=(*found.refusals, *cannot), unchecked=unchecked)
    with on_supervisor(name, address) as sup:
        return ChaosHandle(sup).plan(experiment, seed=seed, scene=scene)


def scene_inventory(experiment: Experiment) -> Inventory:
    """What an embedded cluster would have for it."""
    scene = SCENES[experiment.chaos.scene]
    targets = tuple(
        Target(name=name, kind=kind, node=scene.places.get(name, "head"), group=scene.groups.get(name, ""))
        for name, kind in scene.targets.items()
    )
    now_us = SYSTEM_CLOCK.wall_us()
    moments = {hours.zone: moment(hours.zone, now_us) for hours in experiment.chaos.safety.hours}
    return Inventory(targets=targets, embedded=True, ephemeral=True, nodes=scene.nodes, moments=moments)


def _show_plan(found: Plan, places: Places, *, as_json: bool) -> None:
    if as_json:
        click.echo(found.as_bytes())
    else:
        placed = tuple(replace(each, words=places.place(each.words)) for each in found.refusals)
        terminal().print(plan_text(found, placed))
    raise SystemExit(EXIT_CODES["not_started"] if found.refusals else 0)


def _ran(
    handle: ChaosHandle, placed: Placed, seed: int | None, *, scene: bool
) -> tuple[RunReport, ReportUnsavedError | None]:
    """What a run came to; and why that is not in the folder of reports."""
    try:
        return handle.run_placed(placed, seed=seed, scene=scene), None
    except ReportUnsavedError as error:
        if error.report is None:
            raise
        return error.report, error


def _show(report: RunReport, reports: Path, unsaved: ReportUnsavedError | None, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(journal(report), indent=2, default=str))
    else:
        terminal().print(summary(report))
    if unsaved is not None:
        click.echo(f"error: {unsaved}", err=True)
    elif not as_json:
        click.echo(f"report: {reports / report.run / PAGE}")
