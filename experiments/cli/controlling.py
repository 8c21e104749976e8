"""`supervisor chaos stop | halt | clear`: they need no supervisor that leads, and no log; to tell it, they try."""

from __future__ import annotations

import os

import click

from actors.runtime.actor_table import living_names
from actors.runtime.errors import ConfigError, SupervisorError, SupervisorNotFoundError
from actors.runtime.ids import is_valid_name
from actors.runtime.node import board_path
from actors.runtime.settings import shown
from experiments.hands.hands import Hands
from experiments.running import halting
from experiments.running.afterword import tell_of_gone
from experiments.running.books import clear_gone
from supervisor.cli.options import ADDRESS, NAME, Decorator, attached, on_cluster
from supervisor.election import supervisors

WHY: Decorator = click.option("--reason", default="by hand", show_default=True, help="Why; whoever runs one reads it.")
WHO: Decorator = click.option("--who", help="Who asks; left out, this user, host and process.")


@click.command()
@click.argument("run", metavar="RUN")
@WHY
@WHO
@NAME
@ADDRESS
def stop(run: str, reason: str, who: str | None, name: str, address: str | None) -> None:
    """End RUN, and undo what it has on."""
    with on_cluster(address):
        _insist_on(name)
        left = halting.stop(name, run, why=reason, who=who)
    _tell(left, f"{run}: ended, nothing of it is on")


@click.command()
@click.option("--resume", is_flag=True, help="Allow runs again.")
@WHY
@WHO
@NAME
@ADDRESS
def halt(resume: bool, reason: str, who: str | None, name: str, address: str | None) -> None:  # noqa: FBT001 - click hands flags over by name
    """End every experiment on the cluster, undo what is on, and refuse new ones until `halt --resume`.

    Where the cluster of this machine is meant, its flags are up before Ray is asked for anything.
    """
    _insist_on_valid(name)
    if not resume and address is None and not os.environ.get("RAY_ADDRESS"):
        for flag in halting.halt_here(name, why=reason, who=who):
            click.echo(f"flag up: {flag}", err=True)
    with on_cluster(address):
        _insist_on(name)
        if resume:
            halting.resume(name)
            click.echo("experiments may run again")
            return
        ending = halting.begin_halt(name, why=reason, who=who)
        left = ending.wait()
        if left:
            click.echo(f"not ended so far: {', '.join(left)}", err=True)
            left = ending.wait(halting.ENDED_S)
    _tell(left, "halted: nothing is on, and nothing starts until `supervisor chaos halt --resume`")


@click.command()
@NAME
@ADDRESS
def clear(name: str, address: str | None) -> None:
    """End what runners that were killed have left on, and tell the log of it. Every run does so before it begins."""
    with on_cluster(address):
        _insist_on(name)
        hands = Hands(name)
        try:
            told = clear_gone(hands, name)
            _tell_the_log(hands, name, address)
        finally:
            hands.close()
    click.echo("\n".join(told) or "nothing was left on")


def _insist_on_valid(name: str) -> None:
    """Files are called by it, and looked for.

    Raises:
        ConfigError: It cannot be a supervisor's name.
    """
    if not is_valid_name(name):
        raise ConfigError("--name", problems=(f"{shown(name)} names no supervisor",))


def _insist_on(name: str) -> None:
    """A name that nobody had here is a slip: its flag would end nothing, and look as if it had.

    Raises:
        ConfigError: It cannot be a supervisor's name.
        SupervisorNotFoundError: Neither this node's boards nor Ray's table know it.
    """
    _insist_on_valid(name)
    if not board_path(name).exists() and all(each.supervisor != name for each in living_names()):
        running = ", ".join(supervisors()) or "none"
        reason = f"not on this cluster (running there: {running})"
        raise SupervisorNotFoundError(name, reason=reason, remedy="Give its name with --name")


def _tell_the_log(hands: Hands, name: str, address: str | None) -> None:
    """What was cleared is off, whether anybody leads or not; then the next run writes it down."""
    try:
        with attached(name, address) as sup:
            for run in tell_of_gone(sup.events, hands):
                click.echo(f"{run}: its end is in the event log")
    except SupervisorError as error:
        click.echo(f"the event log was not told, the next run does that: {error}", err=True)


def _tell(left: tuple[str, ...], good: str) -> None:
    if left:
        click.echo(f"still on: {', '.join(left)}; watchdogs go on trying where that is possible", err=True)
        raise SystemExit(1)
    click.echo(good)
