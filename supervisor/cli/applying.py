"""`supervisor apply`: make the running tree what a file says."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from supervisor.cli.looking import terminal
from supervisor.cli.options import ADDRESS, NAME, attached
from supervisor.planning import Plan
from supervisor.treefile import load_tree

_STYLES = {"+": "green", "-": "red", "~": "yellow", ">": "cyan"}


@click.command()
@click.argument("tree", type=click.Path())
@NAME
@ADDRESS
@click.option("--dry-run", is_flag=True, help="Only print what would change.")
@click.option("--restart-changed", is_flag=True, help="Restart what runs with other settings than the file's.")
def apply(tree: str, name: str, address: str | None, dry_run: bool, restart_changed: bool) -> None:  # noqa: FBT001 - click hands flags over by name
    """Make the running tree what the YAML file TREE says.

    New children, pools and groups are added, those that the file no longer has are ended, and changed ones take effect
    at their next start, or at once where nothing has to be built anew. Nothing else restarts, and what code has made is
    left alone. Classes are imported from here: the current directory, PYTHONPATH, what is installed.
    """
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # a console script has its own folder there
    wanted = load_tree(tree)
    with attached(name, address) as sup:
        plan = sup.apply(wanted, dry_run=dry_run, restart_changed=restart_changed)
    show_plan(plan, terminal())
    if dry_run and not plan.is_empty:
        click.echo("dry run: nothing was changed")
    elif any(change.effect == "at its next start" for change in plan.changed):
        click.echo("what waits for its next start runs on as it was; --restart-changed restarts it")


def show_plan(plan: Plan, console: Console) -> None:
    """Print a plan as it reads, additions green and ends red."""
    for line in str(plan).splitlines():
        console.print(line, style=_STYLES.get(line[0], ""), markup=False, highlight=False, soft_wrap=True)
