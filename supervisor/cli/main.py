"""The `supervisor` command: launch, look, end; `demo`, `bench` and more arrive by entry points."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from typing import Any

import click

from actors.runtime.errors import SupervisorError

EXTENSIONS = "ray_supervisor.extensions"


class ExtensibleGroup(click.Group):
    """A group that finds further commands by entry point, and loads one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *(point.name for point in entry_points(group=EXTENSIONS))})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        known = super().get_command(ctx, cmd_name)
        if known is not None:
            return known
        for point in entry_points(group=EXTENSIONS, name=cmd_name):
            loaded: Any = point.load()
            if isinstance(loaded, click.Command):
                return loaded
        return None

    def invoke(self, ctx: click.Context) -> Any:
        """Errors of ours carry what to do in their message: show that, not a traceback."""
        try:
            return super().invoke(ctx)
        except SupervisorError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(1)


@click.group(cls=ExtensibleGroup)
@click.version_option(package_name="ray-supervisor")
def main() -> None:
    """An OTP for Ray: supervision, tasks that survive, and a log that proves it."""


def _register() -> None:
    from supervisor.cli import configuring, launching, looking  # noqa: PLC0415 - both import `main`'s neighbours, not `main`

    for command in (
        configuring.config,
        launching.up,
        launching.down,
        looking.status,
        looking.ps,
        looking.events,
        looking.trace,
    ):
        main.add_command(command)


_register()
