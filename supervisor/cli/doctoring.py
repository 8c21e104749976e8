"""`supervisor doctor`: which of Ray's knobs a running cluster lacks, and what that costs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

import click

from supervisor import launch
from supervisor.cli.options import ADDRESS
from supervisor.knobs import Examined


@click.command()
@ADDRESS
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(address: str | None, as_json: bool) -> None:  # noqa: FBT001 - click hands flags over by name
    """Name each of Ray's knobs that the cluster lacks, and what it costs. Exits 1 when there is one."""
    from supervisor.doctor import examine_cluster  # noqa: PLC0415 - it is one of many commands

    cluster = launch.join(address or "auto", embed=False)
    try:
        seen = examine_cluster()
    finally:
        cluster.leave()
    click.echo(json.dumps([asdict(one) | {"well": one.well} for one in seen], indent=2) if as_json else report(seen))
    sys.exit(0 if all(one.well for one in seen) else 1)


def report(seen: Sequence[Examined]) -> str:
    """What was found, a line each that is well, three each that is not."""
    lines: list[str] = []
    for one in seen:
        where = "" if one.source == "default" else f" ({one.source})"
        lines.append(f"{'ok     ' if one.well else 'lacking'}  {one.name} = {_short(one.running)}{where}")
        if not one.well:
            lines += [f"         costs: {one.lacking}", f"         {one.remedy}"]
    lacking = sum(not one.well for one in seen)
    lines.append(f"{lacking} of {len(seen)} are not as they should be" if lacking else "all is well")
    return "\n".join(lines)


def _short(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value) or "nothing"
    return str(value)
