"""Ctrl-C and its like as a value that is asked for, so that they never interrupt the middle of something.

An exception out of a signal handler may strike inside Ray's start and leave half a cluster behind. The demo looks at
`StopRequest` between its steps instead, and every step that waits is short.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import FrameType, TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """Whether the user asked to stop; holds the process's signal handlers while its `with` block runs."""

    def __init__(self) -> None:
        # A plain attribute: a lock that the handler shares with the code it interrupts would be held by both.
        self._signal: int | None = None
        self._before: dict[signal.Signals, Any] = {}

    @property
    def is_made(self) -> bool:
        return self._signal is not None

    @property
    def exit_code(self) -> int:
        """What a shell expects of a process that a signal ended: 128 and its number."""
        return 128 + (self._signal or signal.SIGINT)

    def install(self) -> None:
        """Take the signals over; called again after Ray's start, which sets a handler of its own for SIGTERM."""
        for number in SIGNALS:
            found = signal.signal(number, self._note)
            self._before.setdefault(number, found)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._signal = self._signal or number

    def __enter__(self) -> Self:
        self.install()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
