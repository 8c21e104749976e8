"""`supervisor ps` and `supervisor reap`: every actor of ours on the cluster, and the end of what nobody owns."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import SupervisorNotFoundError
from supervisor.census import end, look_around
from supervisor.cli.looking import STYLES, terminal
from supervisor.cli.options import ADDRESS, NAME, on_cluster
from supervisor.election import supervisors
from supervisor.reaping import REAPED, Resident, to_reap

GRACE_S = 5.0
"""A supervisor whose leader died has a new one after a fraction of this, seconds."""

_WIDE = 100
_NODE_DIGITS = 12
_ACTOR_MIN = 20
_STYLES = STYLES | {
    "fenced": "bold red",
    "orphan": "bold red",
    "unknown": "bold red",
    "coming": "yellow",
}
_COLUMNS = ("actor", "status", "role", "restarts", "age", "pid", "node")


@click.command()
@NAME
@ADDRESS
@click.option("--all", "everything", is_flag=True, help="Of all supervisors on the cluster, the lost ones too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per actor.")
def ps(name: str, address: str | None, everything: bool, as_json: bool) -> None:  # noqa: FBT001 - click hands flags over by name
    """List every actor of the supervisor: incarnation, status, restarts, age, pid, node."""
    with on_cluster(address):
        residents = look_around(supervisor=None if everything else name)
        if not residents and not everything:
            running = ", ".join(supervisors()) or "none"
            raise SupervisorNotFoundError(
                name, reason=f"not on this cluster (running there: {running})", remedy="Start it with `supervisor up`"
            )
    if as_json:
        for resident in residents:
            click.echo(json.dumps(_as_dict(resident)))
    elif residents:
        show_residents(residents, terminal(), now_us=SYSTEM_CLOCK.wall_us())
    else:
        click.echo("no actor of any supervisor is on this cluster")


@click.command()
@ADDRESS
@click.option("--name", help="Only what was this supervisor's.")
@click.option("--dry-run", is_flag=True, help="Only show what would be ended.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@click.option(
    "--grace-s",
    type=click.FloatRange(min=0),
    default=GRACE_S,
    show_default=True,
    help="Look twice, so far apart: a supervisor may be about to get its next leader.",
)
def reap(address: str | None, name: str | None, dry_run: bool, yes: bool, grace_s: float) -> None:  # noqa: FBT001 - as above
    """End what no living supervisor owns: everything of those without a leader, and fenced incarnations.

    Exits with 1 if something could not be ended.
    """
    with on_cluster(address):
        found = to_reap(first := look_around(supervisor=name), first)
        if found:
            sleep(grace_s)
            found = to_reap(first, look_around(supervisor=name))
        if not found:
            click.echo("nothing to reap: every actor is owned by a living supervisor")
            return
        show_residents(found, terminal(), now_us=SYSTEM_CLOCK.wall_us())
        if dry_run:
            click.echo(f"dry run: {_actors(len(found))} would be ended")
            return
        if not yes:
            click.confirm(f"End {'it' if len(found) == 1 else f'these {len(found)}'}?", abort=True)
        left = end(found)
    for actor in left:
        click.echo(f"error: {actor} is still there; end its process on its node", err=True)
    click.echo(f"{_actors(len(found) - len(left))} ended")
    if left:
        sys.exit(1)


def show_residents(residents: Sequence[Resident], console: Console, *, now_us: int) -> None:
    """Print a line an actor, as wide as 80 columns where it must; below, what is to be said of some.

    Args:
        residents: Whom to show, in order.
        console: Where to.
        now_us: The present, microseconds since the Unix epoch.
    """
    digits = _NODE_DIGITS if console.width >= _WIDE else _NODE_DIGITS // 2
    rows = [
        (
            resident.status,
            resident.said.role,
            str(resident.said.restarts),
            age_text(now_us - resident.started_at_us) if resident.started_at_us else "",
            str(resident.pid or ""),
            resident.node_id[:digits],
        )
        for resident in residents
    ]
    others = zip(_COLUMNS[1:], *rows, strict=True)
    room = console.width - sum(1 + max(map(len, column)) for column in others)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for column in _COLUMNS:
        table.add_column(column, no_wrap=True)
    for resident, (status, *rest) in zip(residents, rows, strict=True):
        actor = shortened(str(resident.name), max(_ACTOR_MIN, room))
        table.add_row(Text(actor), Text(status, style=_STYLES.get(status, "")), *map(Text, rest))
    console.print(table)
    for line in _remarks(residents):
        console.print(line, markup=False, highlight=False)


def shortened(name: str, room: int) -> str:
    """An actor's name in so many characters: its beginning, and its incarnation in any case."""
    if len(name) <= room:
        return name
    _, _, incarnation = name.rpartition("#")
    return f"{name[: room - len(incarnation) - 2]}…#{incarnation}"


def age_text(us: int) -> str:
    """A duration in its largest unit: 42s, 13m, 5h, 12d."""
    seconds = max(0, us) // 1_000_000
    for unit, size, most in (("s", 1, 100), ("m", 60, 100), ("h", 3600, 48)):
        if seconds < size * most:
            return f"{seconds // size}{unit}"
    return f"{seconds // 86_400}d"


def _remarks(residents: Iterable[Resident]) -> list[str]:
    residents = list(residents)
    lines = [f"{each.name.key}: {each.said.last_error}" for each in residents if each.said.last_error]
    silent = sorted({each.name.supervisor for each in residents if each.standing == "unknown"})
    lines += [f"{name}: its leader does not answer, so nothing is known of what it owns" for name in silent]
    counts = Counter(each.standing for each in residents if each.standing in REAPED)
    if counts:
        told = " and ".join(f"{count} {standing}" for standing, count in sorted(counts.items()))
        lines.append(f"{told}: owned by nobody, to be ended by `supervisor reap`")
    return lines


def _actors(count: int) -> str:
    return f"{count} actor{'s' if count != 1 else ''}"


def _as_dict(resident: Resident) -> dict[str, object]:
    said = resident.said
    return {
        "actor": str(resident.name),
        "supervisor": resident.name.supervisor,
        "key": resident.name.key,
        "incarnation": resident.name.incarnation,
        "standing": resident.standing,
        "status": resident.status,
        "role": said.role,
        "restarts": said.restarts,
        "pid": resident.pid or None,
        "node_id": resident.node_id or None,
        "started_at_us": resident.started_at_us or None,
        "last_error": said.last_error or None,
    }
