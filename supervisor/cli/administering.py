"""`supervisor children | terminate | restart | delete | resize | checkpoint | spec`: the running tree, administered."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from supervisor.cli.looking import STYLES, terminal
from supervisor.cli.options import ADDRESS, NAME, Decorator, attached
from supervisor.group import Counts, Group
from supervisor.handle import Supervisor
from supervisor.messages import ChildView, GroupView

MEMBER: Decorator = click.argument("member")
FIRST: Decorator = click.option("--terminate-first", is_flag=True, help="End it before, if it runs.")

_CHILD = "child/"


@click.command()
@click.argument("group", required=False)
@NAME
@ADDRESS
def children(group: str | None, name: str, address: str | None) -> None:
    """List the members of GROUP ("shop", "shop.eu"), or of the top, in their start order."""
    with attached(name, address) as sup:
        asked = _group(sup, group or "")
        show_members(asked.children(), asked.count(), terminal())


@click.command()
@MEMBER
@NAME
@ADDRESS
def terminate(member: str, name: str, address: str | None) -> None:
    """End MEMBER ("cart", "shop.cart") in order: a child, a pool, or a group with all in it. Its spec stays."""
    _administer(member, name, address, Group.terminate)
    click.echo(f"{member}: ended")


@click.command()
@MEMBER
@NAME
@ADDRESS
@FIRST
def restart(member: str, name: str, address: str | None, terminate_first: bool) -> None:  # noqa: FBT001 - click hands flags over by name
    """Start MEMBER again, which has ended; with --terminate-first one that runs, too, while its callers wait."""
    _administer(member, name, address, partial(Group.restart, terminate_first=terminate_first))
    click.echo(f"{member}: runs again")


@click.command()
@MEMBER
@NAME
@ADDRESS
@FIRST
def delete(member: str, name: str, address: str | None, terminate_first: bool) -> None:  # noqa: FBT001 - as above
    """Forget MEMBER, which has ended, with its spec."""
    if terminate_first:
        _administer(member, name, address, Group.terminate)
    _administer(member, name, address, Group.delete)
    click.echo(f"{member}: deleted")


@click.command()
@MEMBER
@NAME
@ADDRESS
@click.option("--size", type=click.IntRange(min=0), help="How many members a pool has.")
@click.option("--standbys", type=click.IntRange(min=0), help="How many stand by for it.")
def resize(member: str, name: str, address: str | None, size: int | None, standbys: int | None) -> None:
    """Change how many members the pool MEMBER has, or how many stand by for it or for a child. Nothing restarts."""
    if size is None and standbys is None:
        raise click.UsageError("say what is to be how many: --size, --standbys, or both")
    _administer(member, name, address, lambda group, own: group.resize(own, size=size, standbys=standbys))
    told = (f"{count} {what}" for count, what in ((size, "members"), (standbys, "standing by")) if count is not None)
    click.echo(f"{member}: {', '.join(told)}")


@click.command()
@MEMBER
@NAME
@ADDRESS
def checkpoint(member: str, name: str, address: str | None) -> None:
    """Put the state of MEMBER into its store now: a child's, or that of each child in a pool or a group."""

    def keep(group: Group, own: str) -> None:
        click.echo(f"{member}: {group.checkpoint(own)} checkpoints")

    _administer(member, name, address, keep)


@click.command()
@MEMBER
@NAME
@ADDRESS
def spec(member: str, name: str, address: str | None) -> None:
    """Print the settings of MEMBER, one a line."""

    def tell(group: Group, own: str) -> None:
        for setting, value in group.spec(own).items():
            click.echo(f"{setting}: {value}")

    _administer(member, name, address, tell)


def show_members(members: list[ChildView | GroupView], counts: Counts, console: Console) -> None:
    """Print a line a member, and below what went wrong and how many there are."""
    table = Table(box=None, pad_edge=False)
    for column in ("member", "kind", "status", "restarts", "actor"):
        table.add_column(column, no_wrap=True, overflow="ellipsis")
    remarks: list[str] = []
    for member in members:
        match member:
            case ChildView():
                path, kind, actor, error = member.key.removeprefix(_CHILD), "child", member.name, member.last_error
            case GroupView():
                path, kind, actor, error = member.path, member.strategy, "", member.failure
        style = STYLES.get(member.status, "")
        table.add_row(*map(Text, (path, kind)), Text(member.status, style=style), str(member.restarts), Text(actor))
        remarks += [f"{path}: {error}"] if error else []
    console.print(table)
    for remark in remarks:
        console.print(remark, markup=False, highlight=False)
    console.print(
        f"{counts.specs} members: {counts.active} active, {counts.supervisors} groups, {counts.workers} children",
        highlight=False,
    )


def _administer(member: str, name: str, address: str | None, act: Callable[[Group, str], None]) -> None:
    group, _, own = member.removeprefix(_CHILD).rpartition(".")
    with attached(name, address) as sup:
        act(_group(sup, group), own)


def _group(sup: Supervisor, path: str) -> Group:
    return sup.group_of(path) if path else sup.root
