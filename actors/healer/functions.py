"""Checkpoints of users' functions: in the same stores as those of supervised children, each under a component's name.

Whoever works on something puts its state away from time to time; a `Restore` without a `load` takes up the newest. A
store is the event log, or a folder of any file system that fsspec reaches: what keeps an agent's memory plugs in there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors.checkpoint.format import Checkpoint
from actors.runtime import wire
from actors.runtime.errors import ConfigError

if TYPE_CHECKING:
    from actors.runtime.clock import Clock
    from actors.runtime.ports import CheckpointStore

_CLASS = "supervisor.function"
_LIFE = 1
"""Functions have no incarnations: of two checkpoints the later one is the newest, whoever took it."""


class FunctionCheckpoints:
    """Those in one store.

    Args:
        store: Where they are.
        clock: Where the time comes from.
    """

    def __init__(self, store: CheckpointStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def put(self, component: str, state: Any, *, version: int) -> None:
        """Keep a state: when this returns it outlives every process.

        Raises:
            ConfigError: It does not pickle.
            CheckpointStoreError: It could not be written.
        """
        try:
            data, refs = wire.dumps(state)
        except Exception as error:
            problem = f"state: it does not pickle: {type(error).__name__}: {error}"
            raise ConfigError(f"checkpoint({component!r})", problems=(problem,)) from error
        if refs:
            problem = "state: it holds ObjectRefs, which end with their process; put away what they stand for"
            raise ConfigError(f"checkpoint({component!r})", problems=(problem,))
        at_us = self._clock.wall_us()
        self._store.put(
            Checkpoint(
                key=_key(component),
                incarnation=_LIFE,
                number=at_us,
                class_name=_CLASS,
                state_version=version,
                at_us=at_us,
                state=data,
            )
        )

    def newest(self, component: str, *, version: int) -> bytes | None:
        """The newest good one as it travels; None if there is none.

        Raises:
            CheckpointMismatchError: It is of another version.
            CheckpointStoreError: The store could not be read.
        """
        found = self._store.latest(_key(component), class_name=_CLASS, state_version=version).checkpoint
        return None if found is None else found.state

    def forget(self, component: str) -> None:
        """Forget all of a component."""
        self._store.delete(_key(component))


def _key(component: str) -> str:
    return f"function/{component}"
