"""`supervisor status`, `events` and `trace`: looking without changing anything."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from supervisor.cli.cells import cell
from supervisor.cli.options import ADDRESS, NAME, attached
from supervisor.cli.spans import trace_tree
from supervisor.messages import ChildView

LOG = click.option("--log", type=click.Path(), help="Read this DuckDB file, of a supervisor that has ended.")

_UNFOLDED = 4000
_WIDE = 100
_NODE_DIGITS = 12
STYLES = {"running": "green", "given_up": "bold red", "restarting": "yellow", "starting": "yellow"}


@click.command()
@NAME
@ADDRESS
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(name: str, address: str | None, as_json: bool) -> None:  # noqa: FBT001 - click hands flags over by name
    """Show who leads, which children run, and what was given up."""
    with attached(name, address) as sup:
        seen = sup.status()
    if as_json:
        click.echo(json.dumps(seen.as_dict(), default=str, indent=2))
        return
    console = terminal()
    console.print(f"supervisor [bold]{name}[/]  leader {seen.leader}")
    console.print(f"standby {seen.standby or 'none yet'}")
    if seen.failure:
        console.print(f"[bold red]given up:[/] {escape(seen.failure)}")
    for pool, view in seen.pools.items():
        active = sum(worker.role == "active" for worker in view.workers)
        standby = len(view.workers) - active
        failed = f"  [bold red]given up: {escape(view.failure)}[/]" if view.failure else ""
        console.print(f"pool {pool}: {active} of {view.size} active, {standby} standing by{failed}")
    console.print(cell(f"log {seen.log.path}: {seen.log.writer or f'no writer ({seen.log.error})'}"))
    if seen.breakers:
        states = Counter(seen.breakers.values())
        console.print(f"breakers: {', '.join(f'{count} {state}' for state, count in states.most_common())}")
    if seen.health is not None:
        states = Counter(seen.health.components.values())
        score = "unknown" if seen.health.score is None else f"{seen.health.score:.1f} of 100"
        blind = f", blind: {seen.health.blind}" if seen.health.blind else ""
        told = ", ".join(f"{count} {state}" for state, count in states.most_common())
        console.print(f"health: {score}, {told}{blind}")
    if seen.level is not None:
        console.print(cell(f"level {seen.level}"))
    show_children(seen.tree, console)


@click.command()
@click.argument("sql", required=False)
@NAME
@ADDRESS
@LOG
@click.option("--follow", is_flag=True, help="Print what is recorded, as it happens.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per row.")
def events(
    sql: str | None,
    name: str,
    address: str | None,
    log: str | None,
    follow: bool,  # noqa: FBT001 - click hands flags over by name
    as_json: bool,  # noqa: FBT001 - the same
) -> None:
    """Query the event log: one SELECT, for example "from tasks where state <> 'done'"."""
    if follow and (sql or log):
        raise click.UsageError("--follow prints all that a running supervisor records: it takes neither SQL nor --log")
    if log is not None and address is not None:
        raise click.UsageError("--log reads a file and --address asks a cluster: give one of them")
    if log is not None:
        _print_rows(read_file(log, sql or "from children order by at_time"), as_json=as_json)
        return
    with attached(name, address) as sup:
        if follow:
            for row in sup.events.tail():
                click.echo(json.dumps(row, default=str))
        else:
            _print_rows(sup.events.query(sql or "from children order by at_time"), as_json=as_json)


@click.command()
@click.argument("trace_id")
@NAME
@ADDRESS
@LOG
def trace(trace_id: str, name: str, address: str | None, log: str | None) -> None:
    """Show one trace as a tree: a task, its attempts, and what it submitted."""
    if log is not None:
        rows = read_file(log, SPANS_OF_TRACE, [trace_id])
    else:
        with attached(name, address) as sup:
            rows = sup.events.query(SPANS_OF_TRACE, [trace_id])
    if not rows:
        click.echo(
            f"error: the log has no span of trace {trace_id}. It has those of: "
            'supervisor events "from spans order by started_at desc limit 10"',
            err=True,
        )
        sys.exit(1)
    terminal().print(trace_tree(rows))


SPANS_OF_TRACE = "select * from spans where trace_id = ? order by started_at"


def terminal() -> Console:
    """A terminal's width, or none at all where the output goes on to `grep`."""
    return Console() if sys.stdout.isatty() else Console(width=_UNFOLDED)


def read_file(path: str, sql: str, parameters: list[Any] | None = None) -> list[dict[str, Any]]:
    """Query a log whose supervisor has ended."""
    from actors.event_log.offline import query_file  # noqa: PLC0415 - DuckDB costs 0.1 s to import

    return query_file(path, sql, parameters)


def show_children(children: Iterable[ChildView], console: Console) -> None:
    """Print a line a child, as wide as 80 columns where it must; below, why those ended that did."""
    table = Table(box=None, pad_edge=False)
    for column in ("actor", "status", "role", "restarts", "pid", "node"):
        table.add_column(column, overflow="ellipsis", no_wrap=True, min_width=None if column == "node" else len(column))
    children = list(children)
    for child in children:
        where = child.location
        style = STYLES.get(child.status, "")
        table.add_row(
            child.name,
            f"[{style}]{child.status}[/]" if style else child.status,
            child.role,
            str(child.restarts),
            str(where.process.pid) if where else "",
            where.node_id[: _NODE_DIGITS if console.width >= _WIDE else _NODE_DIGITS // 2] if where else "",
        )
    console.print(table)
    for child in children:
        if child.last_error:
            console.print(f"{child.key}: {child.last_error}", markup=False, highlight=False)


def _print_rows(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, default=str))
        return
    if not rows:
        click.echo("no rows")
        return
    show_rows(rows, terminal())


def show_rows(rows: list[dict[str, Any]], console: Console) -> None:
    """Print rows as a table where they fit; else a line for each value that is there."""
    table = Table(box=None, pad_edge=False)
    for column in rows[0]:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell(value, missing="") for value in row.values()))
    if console.measure(table, options=console.options.update_width(_UNFOLDED)).maximum <= console.width:
        console.print(table)
        return
    for row in rows:
        console.rule()
        record = Table(box=None, pad_edge=False, show_header=False)
        record.add_column(no_wrap=True, style="dim")
        record.add_column(overflow="fold")
        for column, value in row.items():
            if value is not None:
                record.add_row(column, cell(value, missing=""))
        console.print(record)
