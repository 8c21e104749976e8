"""`supervisor up` and `supervisor down`."""

from __future__ import annotations

import click

from supervisor.cli.options import ADDRESS, NAME, attached
from supervisor.handle import Supervisor


@click.command()
@NAME
@ADDRESS
@click.option("--config", type=click.Path(), help="A YAML file; `supervisor config` prints one with every setting.")
def up(name: str, address: str | None, config: str | None) -> None:
    """Start a supervisor on a running cluster; it stays there until `supervisor down`."""
    if address == "local":
        raise click.UsageError("a local Ray would end with this command: begin one with `ray start --head`")
    with Supervisor.start(config, name=name, address=address or "auto") as sup:
        status = sup.status()
        workers = sum(len(pool.workers) for pool in status.pools.values())
        click.echo(f"supervisor {name!r} is up: leader {status.leader}, {workers} workers, log {status.log.path}")
        click.echo(f'Attach with Supervisor.connect("{name}"); look with `supervisor status`.')


@click.command()
@NAME
@ADDRESS
def down(name: str, address: str | None) -> None:
    """End a supervisor with all its actors. Unfinished tasks fail."""
    with attached(name, address) as sup:
        sup.shutdown()
    click.echo(f"supervisor {name!r} is down")
