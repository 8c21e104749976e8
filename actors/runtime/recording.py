"""Rows that must be on the disk before something goes on: those that come together are committed together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from actors.runtime.vital_threads import steady_thread

_AGAIN_S = 1.0

Row = tuple[str, tuple[Any, ...]]
"""A table, and its columns in the order of the schema."""


class Rows(Protocol):
    """An emitter."""

    def emit(self, table: str, row: tuple[Any, ...]) -> bool:
        """Take one row."""
        ...

    def flush(self, timeout_s: float) -> bool:
        """Wait until what was taken is settled; False when time was out first."""
        ...


class Recorder:
    """One thread that waits for the log.

    Args:
        emitter: Where rows go.
        name: The thread's.
    """

    def __init__(self, emitter: Rows, *, name: str) -> None:
        self._emitter = emitter
        self._changed = threading.Condition()
        self._rows: list[Row] = []
        self._confirmations: list[Callable[[], None]] = []
        self._ended = False
        self._thread = steady_thread(self._run, name=name)
        self._thread.start()

    def record(self, rows: Iterable[Row], confirmed: Callable[[], None] | None = None) -> None:
        """Write these down; returns at once.

        Args:
            rows: The rows; written after those that were given before.
            confirmed: Called on the recorder's thread once they outlive every process.
        """
        with self._changed:
            self._rows += rows
            if confirmed is not None:
                self._confirmations.append(confirmed)
            self._changed.notify_all()

    def stop(self) -> None:
        """Confirm nothing more; what was given goes to the emitter."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join(_AGAIN_S)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._rows or self._confirmations or self._ended)
                rows, self._rows = self._rows, []
                confirmations, self._confirmations = self._confirmations, []
            for table, row in rows:
                self._emitter.emit(table, row)
            if not confirmations:
                if self._ended:
                    return
                continue
            while not self._emitter.flush(_AGAIN_S):
                if self._ended:
                    return
            for confirmed in confirmations:
                confirmed()
