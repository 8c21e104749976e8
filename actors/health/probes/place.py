"""What a probe may know of the place where it runs."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Event

from actors.runtime.settings import Settings

Said = tuple[bool, str]
"""Whether it is well, and in words what was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """The place of a check.

    Attributes:
        supervisor: The supervisor whose monitor asks; empty outside of one.
        timeout_s: How long the check may take, seconds.
        table_answered: Set once Ray's own table has answered the check.
    """

    supervisor: str = ""
    timeout_s: float = 5.0
    table_answered: Event = field(default_factory=Event, compare=False)


_HERE: ContextVar[Here] = ContextVar("health_place")
_NOWHERE = Here()


def here() -> Here:
    """The place of the running check."""
    return _HERE.get(_NOWHERE)


@contextmanager
def at(place: Here) -> Generator[None]:
    """Run a check there."""
    token = _HERE.set(place)
    try:
        yield
    finally:
        _HERE.reset(token)


class ReadyProbe(Settings):
    """A ready-made probe: a value that is called without arguments, and travels to where it runs."""

    def __call__(self) -> Said:
        """Look once."""
        raise NotImplementedError
