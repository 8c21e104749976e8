"""The `supervisor` command: launch, look, end; `demo`, `bench` and more arrive by entry points."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from typing import Any

import click

from actors.runtime.errors import ConfigError, SupervisorError
from supervisor.extending import EXTENSIONS, OF_HANDLE


class ExtensibleGroup(click.Group):
    """A group that finds further commands by entry point, and loads one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        found = {point.name for point in entry_points(group=EXTENSIONS) if not point.name.startswith(OF_HANDLE)}
        return sorted({*super().list_commands(ctx), *found})

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
            click.echo(f"error: {_told(error)}", err=True)
            sys.exit(1)


def _told(error: SupervisorError) -> str:
    """What an error says; several problems of a configuration in a line each."""
    if not isinstance(error, ConfigError) or len(error.problems) == 1:
        return str(error)
    return "\n  ".join((f"{error.source}: {len(error.problems)} problems", *error.problems))


@click.group(cls=ExtensibleGroup)
@click.version_option(package_name="ray-supervisor")
def main() -> None:
    """An OTP for Ray: supervision, tasks that survive, and a log that proves it."""


def _register() -> None:
    from supervisor.cli import (  # noqa: PLC0415 - they import `main`'s neighbours, not `main`
        administering,
        applying,
        breaking,
        configuring,
        degrading,
        doctoring,
        examining,
        healing,
        launching,
        looking,
        notifying,
        reaping,
    )

    for command in (
        configuring.config,
        launching.up,
        launching.down,
        applying.apply,
        administering.children,
        administering.terminate,
        administering.restart,
        administering.delete,
        administering.resize,
        administering.checkpoint,
        administering.spec,
        looking.status,
        reaping.ps,
        reaping.reap,
        looking.events,
        looking.trace,
        breaking.breaker,
        examining.health,
        degrading.degradation,
        healing.heal,
        notifying.notify,
        doctoring.doctor,
    ):
        main.add_command(command)


_register()
