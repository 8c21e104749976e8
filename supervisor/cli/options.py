"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import click

from supervisor import launch
from supervisor.handle import Supervisor

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

NAME: Decorator = click.option("--name", default="default", show_default=True, help="The supervisor's name.")
ADDRESS: Decorator = click.option(
    "--address", help="The cluster, host:port of its GCS. Left out: RAY_ADDRESS, else the cluster on this machine."
)
JSON: Decorator = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def attached(name: str, address: str | None) -> Supervisor:
    """A handle of a running supervisor."""
    return Supervisor.connect(name, address=address or "auto")


@contextmanager
def on_cluster(address: str | None) -> Generator[None]:
    """Be connected to a cluster, whether a supervisor leads there or not."""
    cluster = launch.join(address or "auto", embed=False)
    try:
        yield
    finally:
        cluster.leave()
