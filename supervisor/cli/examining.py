"""`supervisor health`: what is watched, and how it stands."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from supervisor.cli.cells import cell
from supervisor.cli.looking import terminal
from supervisor.cli.options import ADDRESS, NAME, attached

if TYPE_CHECKING:
    from actors.health.report import Check, ComponentHealth, SystemHealth

STYLES = {"healthy": "green", "unready": "yellow", "unhealthy": "bold red", "starting": "yellow"}
_NONE = "nothing is watched: sup.health.register(...) begins it"


@click.command()
@click.argument("pattern", required=False)
@NAME
@ADDRESS
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--checks", type=click.FloatRange(min=0), metavar="SECONDS", help="Show the checks of the last SECONDS.")
def health(pattern: str | None, name: str, address: str | None, as_json: bool, checks: float | None) -> None:  # noqa: FBT001 - click hands flags over by name
    """List the watched components (PATTERN: a name or a glob), with the system's score and trend."""
    with attached(name, address) as sup:
        report = sup.health.report() if sup.health.is_running() else None
        known = [] if report is None else list(report.components)
        names = [each for each in known if pattern is None or _fits(each, pattern)]
        recent = {} if checks is None else {each: sup.health.history(each, since_s=checks) for each in names}
    rows = [] if report is None else [_row(report.components[each]) for each in names]
    if as_json:
        told = {"system": None if report is None else _whole(report), "components": rows}
        if recent:
            told["checks"] = {each: [_check(check) for check in found] for each, found in recent.items()}
        click.echo(json.dumps(told, indent=2))
    elif report is None or not known:
        click.echo(_NONE)
    elif not rows:
        raise click.UsageError(f"no component is called {pattern!r}; there are: {', '.join(sorted(known))}")
    else:
        _print(report, rows, recent)


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)


def _whole(report: SystemHealth) -> dict[str, Any]:
    return {
        "score": _rounded(report.score),
        "trend": report.trend.direction,
        "confidence": round(report.trend.confidence, 3),
        "blind": report.blind or None,
    }


def _row(health: ComponentHealth) -> dict[str, Any]:
    shares = [share for share in health.availability.values() if share is not None]
    return {
        "component": health.name,
        "state": f"{health.state}, flapping" if health.flapping else health.state,
        "score": _rounded(health.score),
        "trend": health.trend.direction if health.trend.points else None,
        "up": round(shares[0], 4) if shares else None,
        "for_s": round(health.since_s, 1),
        "caused_by": ", ".join(health.caused_by) or None,
        "last": None if health.last is None else f"{health.last.outcome} {health.last.detail}".strip(),
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "ago_s": round(check.ago_s, 1),
        "kind": check.kind,
        "place": check.place or None,
        "outcome": check.outcome,
        "duration_ms": None if check.duration_s is None else round(check.duration_s * 1000, 1),
        "detail": check.detail or None,
        "counted": check.counted,
    }


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 1)


def _print(report: SystemHealth, rows: list[dict[str, Any]], recent: dict[str, tuple[Check, ...]]) -> None:
    console = terminal()
    score = "nothing is known yet" if report.score is None else f"{report.score:.1f} of 100"
    trend = report.trend
    sure = f" ({trend.confidence:.0%} sure)" if trend.points else ""
    console.print(f"score {score}, {trend.direction}{sure}")
    if report.blind:
        console.print(cell("blind:", style="bold red"), cell(report.blind))
    table = Table(box=None, pad_edge=False)
    for column in rows[0]:
        table.add_column(column, no_wrap=column in ("component", "state"))
    for row in rows:
        style = STYLES.get(str(row["state"]).partition(",")[0], "")
        name, state, *others = row.values()
        table.add_row(cell(name), cell(state, style=style), *map(cell, others))
    console.print(table)
    for name, found in recent.items():
        for check in found:
            told = _check(check)
            where = f" at {check.place}" if check.place else ""
            said = f"{name} {told['ago_s']} s ago{where}: {check.kind} {check.outcome} {check.detail}".rstrip()
            console.print(cell(said))
