"""`supervisor config`: every setting with its default, as a YAML file to start from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click
from pydantic import BaseModel

from actors.recovery.strategies import KINDS, title
from supervisor.config import PoolSettings, SupervisorConfig
from supervisor.tasks.settings import DEFAULT_POOL

HEADER = "# Every setting of a supervisor with its default. Keep what you change; an unknown key is an error.\n"

_NOT_IN_FILES = ("on", "fallback")
"""Exception classes and functions: they are given in code, by a Policy."""


@click.command(name="config")
def config() -> None:
    """Print every setting with its default as YAML: `supervisor config > supervisor.yaml`."""
    click.echo(reference(), nl=False)


def reference() -> str:
    """The configuration file that says what the defaults say."""
    return HEADER + "\n".join(_lines(SupervisorConfig, SupervisorConfig(), indent=0)) + "\n"


def _lines(model: type[BaseModel], values: BaseModel, *, indent: int) -> Iterator[str]:
    pad = "  " * indent
    for name, field in model.model_fields.items():
        if name in _NOT_IN_FILES:
            continue
        if field.description:
            yield f"{pad}# {field.description}"
        value: Any = getattr(values, name)
        if name == "pools":
            yield f"{pad}{name}:"
            yield f"{pad}  {DEFAULT_POOL}:"
            yield from _lines(PoolSettings, value[DEFAULT_POOL], indent=indent + 2)
        elif isinstance(value, BaseModel):
            yield f"{pad}{name}:"
            yield from _lines(type(value), value, indent=indent + 1)
        else:
            yield f"{pad}{name}: {json.dumps(value, default=_as_in_file)}"


def _as_in_file(value: Any) -> Any:
    """A plan's strategies stand there by their names."""
    if isinstance(value, KINDS):
        return title(value)
    return {name: getattr(value, name) for name in type(value).model_fields}
