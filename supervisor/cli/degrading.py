"""`supervisor degradation ...`: the level of service and the features, looked at and set by hand."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from supervisor.cli.cells import cell
from supervisor.cli.looking import terminal
from supervisor.cli.options import ADDRESS, NAME, Decorator, attached

if TYPE_CHECKING:
    from actors.degradation.actor import DegradationView

WHO: Decorator = click.option("--who", help="Who asks; left out, this user, host and process.")
JSON: Decorator = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

_HISTORY = (
    "SELECT at_time, before_level, level, cause, detail FROM degradation_state "
    "WHERE level <> before_level ORDER BY ingest_id DESC LIMIT 10"
)


@click.group()
def degradation() -> None:
    """The level of service and its features: show, set by hand, let the rules decide again."""


@degradation.command()
@NAME
@ADDRESS
@JSON
def show(name: str, address: str | None, as_json: bool) -> None:  # noqa: FBT001 - click hands flags over by name
    """Show the level and why it holds, every feature, and the last changes."""
    with attached(name, address) as sup:
        view = sup.degradation.view()
        history = sup.events.query(_HISTORY)
    told = _told(view)
    if as_json:
        click.echo(json.dumps(told | {"history": history}, default=str, indent=2))
        return
    click.echo(f"level {told['level']} of {', '.join(view.levels)}: {told['reason']}")
    if told["override"] is not None:
        until_s = told["override"]["until_s"]
        click.echo(f"set by hand by {told['override']['who']}, {_lasting(until_s)}")
    for title, rows in (("features", told["features"]), ("limits", told["limits"]), ("signals", told["signals"])):
        if rows:
            click.echo(f"\n{title}")
            terminal().print(_table(rows))
    for row in reversed(history):
        click.echo(f"  {row['at_time']:%Y-%m-%d %H:%M:%S}  {row['before_level']} -> {row['level']}: {row['detail']}")


def _told(view: DegradationView) -> dict[str, Any]:
    kept = view.kept
    return {
        "level": kept.level,
        "reason": kept.reason,
        "override": None if kept.override is None else kept.override.model_dump(),
        "features": [
            {
                "feature": feature.name,
                "on": feature.name not in view.why_off,
                "because": _because(view.why_off.get(feature.name)),
                "lowest": feature.lowest,
                "needs": ", ".join(feature.needs),
                "rollout": f"{feature.rollout:g} %",
                "tenants": len(feature.tenants),
            }
            for feature in kept.features
        ],
        "limits": [{"capability": name, "at most": most} for name, most in sorted(view.limits.items())],
        "signals": [
            {"signal": kind, "of": of, "value": round(value, 3)} for (kind, of), value in sorted(view.signals.items())
        ],
        "statistics": None if kept.statistics is None else asdict(kept.statistics),
    }


def _because(why: str | None) -> str:
    if why is None:
        return ""
    return "the level" if why == "level" else f"{why} is off"


def _lasting(until_s: float | None) -> str:
    return "until `supervisor degradation auto`" if until_s is None else f"for {until_s:.0f} s more"


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in rows[0]:
        table.add_column(column)
    for row in rows:
        style = "bold red" if row.get("on") is False else ""
        table.add_row(*map(cell, row.values()), style=style)
    return table


@degradation.command("set-level")
@click.argument("level")
@click.option("--reason", required=True, help="Why; it is on record, beside who asked.")
@click.option("--until-s", type=float, help="For how long from now, seconds; left out, until `auto`.")
@WHO
@NAME
@ADDRESS
def set_level(level: str, reason: str, until_s: float | None, who: str | None, name: str, address: str | None) -> None:
    """Set LEVEL by hand: the rules do not decide until its time is over, or until `auto`."""
    with attached(name, address) as sup:
        sup.degradation.set_level(level, reason=reason, until_s=until_s, who=who)
    click.echo(f"level {level}, {_lasting(until_s)}")


@degradation.command()
@click.option("--reason", default="", help="Why; it is on record, beside who asked.")
@WHO
@NAME
@ADDRESS
def auto(reason: str, who: str | None, name: str, address: str | None) -> None:
    """Let the rules decide again."""
    with attached(name, address) as sup:
        sup.degradation.auto(reason=reason, who=who)
        click.echo(f"level {sup.degradation.level}: the rules decide")


@degradation.command()
@click.argument("feature")
@click.argument("tenant")
@click.argument("state", type=click.Choice(["on", "off", "auto"]))
@NAME
@ADDRESS
def tenant(feature: str, tenant: str, state: str, name: str, address: str | None) -> None:
    """Say whether TENANT gets FEATURE, whatever its rollout says; `auto` takes that back."""
    with attached(name, address) as sup:
        sup.degradation.set_tenant(feature, tenant, {"on": True, "off": False, "auto": None}[state])
    click.echo(f"{feature} for {tenant}: {state}")
