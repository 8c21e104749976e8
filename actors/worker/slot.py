"""The running task's hold on its worker, so that whatever it waits on can give the slot back meanwhile."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Protocol


class HeldSlot(Protocol):
    """The right to run that a worker gave to the current task."""

    def given_back(self) -> AbstractContextManager[None]:
        """Let others run while the body waits; comes back with the slot."""
        ...


HELD: ContextVar[HeldSlot | None] = ContextVar("supervisor_worker_slot", default=None)


@contextmanager
def waiting_for_others() -> Generator[None]:
    """Wrap a blocking wait: inside a task it gives the worker's slot back, elsewhere it does nothing."""
    slot = HELD.get()
    if slot is None:
        yield
        return
    with slot.given_back():
        yield
