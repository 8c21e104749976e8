"""`supervisor heal ...`: incidents, what is held, and what was learned."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from actors.healer.errors import UnknownIncidentError
from actors.recovery.strategies import title
from supervisor.cli.cells import cell
from supervisor.cli.looking import terminal
from supervisor.cli.options import ADDRESS, JSON, NAME, attached

if TYPE_CHECKING:
    from actors.healer.incident import Incident

_NONE = "no incidents: no healer runs now. It begins with its first use, as sup.healer.start()"
STYLES = {"resolved": "green", "escalated": "bold red", "recovering": "yellow", "verifying": "yellow"}


@click.group()
def heal() -> None:
    """Incidents: list, show, acknowledge; hold and release components; readmit nodes; what was learned."""


@heal.command("ls")
@click.option("--open", "open_only", is_flag=True, help="Only those that are open.")
@NAME
@ADDRESS
@JSON
def list_incidents(open_only: bool, name: str, address: str | None, as_json: bool) -> None:  # noqa: FBT001 - click hands flags over by name
    """List incidents, those that are open last, what is held, and the nodes that work is kept off; begins nothing."""
    with attached(name, address) as sup:
        healer = sup.healer
        runs, kept_off = healer.client.is_running(), healer.kept_off()
        incidents = healer.incidents(open_only=open_only) if runs else ()
        holds = healer.holds() if runs else {}
    rows = [_row(each) for each in incidents]
    if as_json:
        held = {key: {"who": who, "reason": why} for key, (who, why) in holds.items()}
        click.echo(json.dumps({"incidents": rows, "holds": held, "kept_off": kept_off}, indent=2))
        return
    if rows:
        _print_table(rows)
    else:
        click.echo("no incidents" if runs else _NONE)
    for component, (who, reason) in holds.items():
        click.echo(f"held: {component} by {who}: {reason}")
    for node, left_s in kept_off.items():
        click.echo(f"kept off: node {node} for {left_s:.0f} s yet")


@heal.command()
@click.argument("incident_id", metavar="INCIDENT")
@NAME
@ADDRESS
@JSON
def show(incident_id: str, name: str, address: str | None, as_json: bool) -> None:  # noqa: FBT001 - as above
    """Show one incident: what was tried, and how each step ended. Those that are forgotten are told from the log."""
    with attached(name, address) as sup:
        try:
            found = sup.healer.incident(incident_id)
        except UnknownIncidentError:
            lines = sup.events.query(_FROM_LOG, [incident_id])
            if not lines:
                raise
        else:
            lines = _lines(found)
            if not as_json:
                for field, value in _row(found).items():
                    click.echo(f"{field:<10} {'-' if value in (None, '') else value}")
                click.echo(f"{'plan':<10} {', '.join(title(each) for each in found.strategies) or '-'}")
    if as_json:
        click.echo(json.dumps(lines, default=str, indent=2))
        return
    for line in lines:
        click.echo(
            f"  +{line['after_s']:8.3f} s  {line['what']:<24} {line['outcome'] or '':<12} {line['detail'] or ''}"
        )


_FROM_LOG = (
    "SELECT after_ms / 1000 AS after_s, coalesce(phase, strategy || ': ' || action, event) AS what, outcome, detail "
    "FROM recovery_events WHERE incident_id = ? ORDER BY ingest_id"
)


@heal.command()
@click.argument("incident_id", metavar="INCIDENT")
@click.option("--who", help="Who takes it over; left out, this user, host and process.")
@NAME
@ADDRESS
def ack(incident_id: str, who: str | None, name: str, address: str | None) -> None:
    """Take an incident over: nobody else is told, and nothing more is tried."""
    with attached(name, address) as sup:
        sup.healer.acknowledge(incident_id, who=who)
    click.echo(f"{incident_id}: yours")


@heal.command()
@click.argument("component")
@click.option("--reason", required=True, help="Why; it is on record, beside who asked.")
@click.option("--who", help="Who asks; left out, this user, host and process.")
@NAME
@ADDRESS
def hold(component: str, reason: str, who: str | None, name: str, address: str | None) -> None:
    """Let nothing heal COMPONENT ("*": any) until it is released."""
    with attached(name, address) as sup:
        sup.healer.hold(component, reason=reason, who=who)
    click.echo(f"{component}: held")


@heal.command()
@click.argument("component")
@NAME
@ADDRESS
def release(component: str, name: str, address: str | None) -> None:
    """Let COMPONENT be healed again."""
    with attached(name, address) as sup:
        was_held = sup.healer.release(component)
    click.echo(f"{component}: {'released' if was_held else 'nobody held it'}")


@heal.command()
@click.argument("node")
@NAME
@ADDRESS
def readmit(node: str, name: str, address: str | None) -> None:
    """Let work go to NODE (its id, or the beginning of it) again, which an isolation keeps it off."""
    with attached(name, address) as sup:
        was_off = sup.healer.readmit(node)
    click.echo(f"{node}: {'work goes there again' if was_off else 'nothing was kept off it'}")


@heal.command("dry-run")
@click.argument("component")
@click.option("--failure", default="unknown", show_default=True, help="The class of failure.")
@click.option(
    "--severity", default="medium", show_default=True, type=click.Choice(["low", "medium", "high", "critical"])
)
@NAME
@ADDRESS
def dry_run(component: str, failure: str, severity: Any, name: str, address: str | None) -> None:
    """Tell what would be tried for COMPONENT, and why; nothing is done."""
    with attached(name, address) as sup:
        choice = sup.healer.dry_run(component, failure=failure, severity=severity)
    for each in choice.why:
        click.echo(each)
    for number, strategy in enumerate(choice.strategies, start=1):
        click.echo(f"{number}. {title(strategy)}")


@heal.command()
@click.option("--reset", is_flag=True, help="Forget it, of COMPONENT or all.")
@click.option("--export", type=click.Path(dir_okay=False, path_type=Path), help="Write it there as JSON.")
@click.option(
    "--import",
    "source",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Add what --export has written, of this cluster or another.",
)
@click.argument("component", required=False)
@NAME
@ADDRESS
@JSON
def learn(  # noqa: PLR0913, PLR0917 - one for each option
    component: str | None,
    reset: bool,  # noqa: FBT001 - click hands flags over by name
    export: Path | None,
    source: Path | None,
    name: str,
    address: str | None,
    as_json: bool,  # noqa: FBT001 - as above
) -> None:
    """Show what has worked, per component and failure class, with counts and times."""
    lessons = None if source is None else _read_lessons(source)
    with attached(name, address) as sup:
        if lessons is not None:
            click.echo(f"{sup.healer.learn(lessons)} learned from {source}")
            return
        rows = [row for row in sup.healer.lessons() if component in (None, row["component"])]
        if reset:
            click.echo(f"{sup.healer.reset(component)} forgotten")
            return
    if export is not None:
        export.write_text(json.dumps(rows, indent=2), encoding="utf-8")
        click.echo(f"{len(rows)} written to {export}")
    elif as_json:
        click.echo(json.dumps(rows, indent=2))
    elif not rows:
        click.echo("nothing was learned yet")
    else:
        _print_table([_lesson(row) for row in rows])


def _read_lessons(source: Path) -> Any:
    try:
        found = json.loads(source.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise click.ClickException(f"{source} is not what --export writes: {error}") from error
    if not isinstance(found, list):
        raise click.ClickException(f"{source} is not what --export writes: it holds no list of lessons")
    return found


def _row(incident: Incident) -> dict[str, Any]:
    ended = incident.history[-1].after_s if incident.history else 0.0
    return {
        "incident": incident.incident_id,
        "component": incident.component,
        "failure": incident.failure,
        "severity": incident.severity,
        "phase": incident.phase,
        "reports": incident.reports,
        "for_s": round(ended, 3),
        "caused_by": incident.caused_by,
        "owner": incident.owner,
        "detail": incident.detail,
    }


def _lines(incident: Incident) -> list[dict[str, Any]]:
    return [asdict(entry) for entry in incident.history]


def _lesson(row: dict[str, Any]) -> dict[str, Any]:
    rate = row["successes"] / row["tries"] if row["tries"] else 0.0
    mean = f"{row['seconds'] / row['successes']:.2f}" if row["successes"] else "-"
    return {
        "component": row["component"],
        "failure": row["failure"],
        "strategy": row["strategy"],
        "tries": row["tries"],
        "worked": f"{rate:.0%}",
        "mean_s": mean,
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in rows[0]:
        table.add_column(column, no_wrap=column in ("incident", "component"))
    for row in rows:
        style = STYLES.get(str(row.get("phase")), "")
        table.add_row(*map(cell, row.values()), style=style)
    terminal().print(table)
