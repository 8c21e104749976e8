"""`supervisor breaker ...`: circuit breakers, looked at, controlled, and tried out in a simulation."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from actors.breaker.insight import percentiles, success_rate
from actors.breaker.plot import svg_plot, text_plot
from actors.breaker.scenario import Scenario
from actors.breaker.settings import BreakerSettings
from actors.breaker.simulate import SimulationReport
from actors.breaker.simulate import simulate as run_simulation
from actors.runtime.errors import ConfigError
from supervisor.cli.cells import cell
from supervisor.cli.looking import terminal
from supervisor.cli.options import ADDRESS, NAME, Decorator, attached
from supervisor.yamlfile import parse_mapping, read_mapping

PATTERN: Decorator = click.argument("pattern")
BREAKER: Decorator = click.argument("breaker_name", metavar="BREAKER")
REASON: Decorator = click.option("--reason", required=True, help="Why; it is on record, beside who asked.")
WHO: Decorator = click.option("--who", help="Who asks; left out, this user, host and process.")
JSON: Decorator = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
STYLES = {"closed": "green", "open": "bold red", "forced_open": "bold red", "half_open": "yellow", "ramping": "yellow"}


@click.group()
def breaker() -> None:
    """Circuit breakers: list, explain, control (a name, or a glob like "pay*"), simulate."""


@breaker.command("ls")
@click.argument("pattern", required=False)
@NAME
@ADDRESS
@JSON
def list_breakers(pattern: str | None, name: str, address: str | None, as_json: bool) -> None:  # noqa: FBT001 - click hands flags over by name
    """List breakers with their states."""
    with attached(name, address) as sup:
        found = sup.breakers()
        names = found.names if pattern is None else found.matching(pattern)
        rows = [_row(found[each]) for each in names]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    elif not rows:
        click.echo("no breakers: one comes into being with its first use")
    else:
        _print_table(rows)


def _row(status: Any) -> dict[str, Any]:
    view = status.view
    return {
        "breaker": status.name,
        "state": status.state,
        "score": status.health_score,
        "calls": None if view is None else view.calls,
        "failing": None if view is None else round(view.failure_rate, 3),
        "opened": None if view is None else view.totals.openings,
        "for_s": None if view is None else round(view.since_s, 1),
        "owner": status.owner,
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in rows[0]:
        table.add_column(column, no_wrap=column in ("breaker", "state"))
    for row in rows:
        style = STYLES.get(str(row["state"]), "")
        name, state, *others = row.values()
        table.add_row(cell(name), cell(state, style=style), *map(cell, others))
    terminal().print(table)


@breaker.command()
@BREAKER
@NAME
@ADDRESS
@JSON
def show(breaker_name: str, name: str, address: str | None, as_json: bool) -> None:  # noqa: FBT001 - as above
    """Show one breaker: its numbers, its settings, and its last transitions."""
    with attached(name, address) as sup:
        found = sup.breakers()
        status = found[found.matching(breaker_name)[0]]
        history = sup.events.query(_HISTORY, [status.name])
    told = _row(status)
    if status.view is not None:
        view = status.view
        told |= {"success_rate": success_rate(view), "permits_out": view.permits_out}
        told |= {"votes": view.votes if not as_json or view.votes is None else asdict(view.votes)}
        told |= {"voters": list(view.voters)}
        told |= {f"p{fraction:.0%}".rstrip("%"): taken for fraction, taken in percentiles(view).items()}
        told |= {"totals": asdict(view.totals), "settings": _changed_settings(view.settings)}
    if as_json:
        click.echo(json.dumps(told | {"history": history}, default=str, indent=2))
        return
    for field, value in told.items():
        click.echo(f"{field:<13} {'-' if value is None else value}")
    for row in reversed(history):
        click.echo(f"  {row['at_time']:%Y-%m-%d %H:%M:%S}  {row['from_state']} -> {row['to_state']}: {row['detail']}")


_HISTORY = (
    "SELECT at_time, from_state, to_state, detail, who FROM circuit_breaker_state_history "
    "WHERE breaker = ? AND event = 'transition' ORDER BY ingest_id DESC LIMIT 10"
)


def _changed_settings(settings: BreakerSettings) -> dict[str, Any]:
    values = {field: getattr(settings, field) for field in BreakerSettings.model_fields}
    return {
        field: getattr(value, "__qualname__", value)
        for field, value in values.items()
        if value != BreakerSettings.model_fields[field].default
    }


@breaker.command()
@BREAKER
@NAME
@ADDRESS
def explain(breaker_name: str, name: str, address: str | None) -> None:
    """Say why a breaker is in its state, which calls opened it, and when it closes."""
    with attached(name, address) as sup:
        found = sup.breakers()
        status = found[found.matching(breaker_name)[0]]
        told = status.explain()
        click.echo(f"{status.name}: {status.state}; its owner does not answer" if told is None else str(told))


def _control(command: str, method: str, text: str) -> None:
    @PATTERN
    @REASON
    @WHO
    @NAME
    @ADDRESS
    def control(pattern: str, reason: str, who: str | None, name: str, address: str | None) -> None:
        with attached(name, address) as sup:
            done: tuple[str, ...] = getattr(sup.breakers(), method)(pattern, reason=reason, who=who)
        for each in done:
            click.echo(f"{each}: {command}")

    breaker.add_command(click.command(command, help=text)(control))


_control("force-open", "force_open", "Let no call of PATTERN (a name or a glob) through, until enable or reset.")
_control("reset", "reset", "Close PATTERN (a name or a glob), whatever it was.")
_control("disable", "disable", "Let all calls of PATTERN (a name or a glob) through and count none.")
_control("shadow", "shadow", "Let all calls of PATTERN (a name or a glob) through and count all.")
_control("enable", "enable", "Take back force-open, disable and shadow of PATTERN (a name or a glob).")


@breaker.command()
@PATTERN
@click.argument("changes", nargs=-1, required=True, metavar="FIELD=VALUE...")
@REASON
@WHO
@NAME
@ADDRESS
def configure(
    pattern: str, changes: tuple[str, ...], reason: str, who: str | None, name: str, address: str | None
) -> None:
    """Change settings of PATTERN (a name or a glob): open_s=10 failure_rate=0.2 ..."""
    fields = _fields(changes)
    with attached(name, address) as sup:
        done = sup.breakers().configure(pattern, reason=reason, who=who, **fields)
    for each in done:
        click.echo(f"{each}: {', '.join(changes)}")


def _fields(texts: tuple[str, ...]) -> dict[str, Any]:
    """`open_s=10` and the like as values, read as YAML."""
    found: dict[str, Any] = {}
    for text in texts:
        field, equals, value = text.partition("=")
        if not equals or not field:
            raise click.UsageError(f"{text!r} is not FIELD=VALUE, as in open_s=10")
        found |= parse_mapping(f"{field}: {value}", source=text)
    return {field: tuple(value) if isinstance(value, list) else value for field, value in found.items()}


# -- simulation -------------------------------------------------------------------------------------------------------


@breaker.command()
@click.argument("scenario_file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--set", "fields", multiple=True, metavar="FIELD=VALUE", help="A setting of the breaker; more than once.")
@click.option("--outage", default=30.0, show_default=True, help="Without a file: how long all calls fail, seconds.")
@click.option("--calls-per-s", default=50.0, show_default=True, help="Without a file: calls of all processes together.")
@click.option("--failure-rate", default=1.0, show_default=True, help="Without a file: the part that fails meanwhile.")
@click.option("--processes", type=int, help="Processes that make the calls; instead of the file's.")
@click.option(
    "--nodes", type=int, help="Nodes that they run on; instead of the file's. For settings with quorum_of=nodes."
)
@click.option("--seed", type=int, help="Another run; instead of the file's.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Write a picture there as well.")
@JSON
def simulate(  # noqa: PLR0913, PLR0917 - one argument for each option, which click hands over by name
    scenario_file: Path | None,
    fields: tuple[str, ...],
    outage: float,
    calls_per_s: float,
    failure_rate: float,
    processes: int | None,
    nodes: int | None,
    seed: int | None,
    svg: Path | None,
    as_json: bool,  # noqa: FBT001 - click hands flags over by name
) -> None:
    """Does a breaker with these settings ever open, and how much gets through before?

    SCENARIO_FILE is YAML with `settings` (as for BreakerSettings) and `scenario` (`phases`, `processes`, `seed`); left
    out, an outage between two quiet whiles is simulated. No cluster is needed.
    """
    given = {} if scenario_file is None else read_mapping(scenario_file)
    source = "simulate" if scenario_file is None else str(scenario_file)
    unknown = given.keys() - {"settings", "scenario"}
    if unknown:
        raise ConfigError(source, problems=(f"unknown: {', '.join(map(str, unknown))}; it has settings and scenario",))
    settings = BreakerSettings.parse((given.get("settings") or {}) | _fields(fields), source=source)
    planned = given.get("scenario") or _outage(outage, calls_per_s, failure_rate)
    options = {"processes": processes, "nodes": nodes, "seed": seed}
    changes = {field: value for field, value in options.items() if value is not None}
    scenario = Scenario.parse(planned | changes, source=source)
    report = run_simulation(settings, scenario)
    if svg is not None:
        svg.write_text(svg_plot(report, scenario, title=_verdict(report)), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(asdict(report) | {"opened": report.opened}, indent=2))
        return
    click.echo(text_plot(report, scenario, width=min(100, terminal().width)))
    for line in (_verdict(report), *_load(report)):
        click.echo(line)


def _outage(outage_s: float, calls_per_s: float, failure_rate: float) -> dict[str, Any]:
    quiet = {"duration_s": 10.0, "calls_per_s": calls_per_s}
    return {
        "phases": [quiet, {**quiet, "duration_s": outage_s, "failure_rate": failure_rate}, {**quiet, "duration_s": 30}]
    }


def _verdict(report: SimulationReport) -> str:
    if not report.opened:
        return f"never opens: {report.before.failed} of {report.before.passed} calls failed"
    first = report.opened_at[0]
    return (
        f"opens {len(report.opened_at)} times, first after {first:.2f} s: "
        f"{report.before.failed} calls had failed, {report.before.passed} had passed; ends {report.state}"
    )


def _load(report: SimulationReport) -> list[str]:
    load = report.load
    shares = [f"{state} {share:.0%}" for state in STYLES if (share := report.share_of(state)) > 0]  # pyright: ignore[reportArgumentType] - states
    return [
        f"calls: {load.wanted} wanted, {load.passed} passed ({load.failed} of them failed), {load.refused} refused",
        f"probes: {report.probes}, at most {report.probes_at_once} at a time; processes that opened themselves: "
        f"{len(report.self_opened_at)}",
        f"time: {', '.join(shares)}",
    ]
