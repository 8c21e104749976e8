"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from supervisor.handle import Supervisor

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

NAME: Decorator = click.option("--name", default="default", show_default=True, help="The supervisor's name.")
ADDRESS: Decorator = click.option(
    "--address", help="The cluster, host:port of its GCS. Left out: RAY_ADDRESS, else the cluster on this machine."
)


def attached(name: str, address: str | None) -> Supervisor:
    """A handle of a running supervisor."""
    return Supervisor.connect(name, address=address or "auto")
