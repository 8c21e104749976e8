"""`supervisor notify ...`: whether the channels to people work."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from supervisor.cli.options import ADDRESS, JSON, NAME, attached


@click.group()
def notify() -> None:
    """Telling people: try the channels of the configuration."""


@notify.command()
@click.argument("channels", nargs=-1, metavar="[CHANNEL]...")
@NAME
@ADDRESS
@JSON
def test(channels: tuple[str, ...], name: str, address: str | None, as_json: bool) -> None:  # noqa: FBT001 - click hands flags over by name
    """Send a test message to CHANNELs, or to all, and tell what became of it; secrets are masked."""
    with attached(name, address) as sup:
        tried = sup.notifier.test(*channels)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in tried], indent=2))
    elif not tried:
        click.echo("there are no channels: the configuration's notifier.channels makes them")
    else:
        for each in tried:
            how = "ok" if each.ok else "failed" if each.ended else "no answer yet"
            click.echo(f"{each.channel:<16} {how:<14} {each.kind} {each.url}: {each.detail or '-'}")
    if not tried or not all(each.ok for each in tried):
        sys.exit(1)
