"""Ctrl-C and SIGTERM of a command that runs experiments: the run ends and is told of, and then the command ends.

A signal that strikes inside Ray's start or end would leave half a cluster behind, and Ray's own answer to SIGTERM is to
leave at once. So SIGTERM is noted all along, and means what Ctrl-C means while a run may go on.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from experiments.report.run import TERMINATED

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import FrameType, TracebackType


class Ending:
    """Holds this process's handler of SIGTERM in its `with` block; nothing on another thread than the main one.

    What Ray's handler raises in the block leaves it as what Ctrl-C raises.
    """

    def __init__(self) -> None:
        self._is_asked = self._is_awaited = False
        self._former: Any = signal.SIG_DFL

    @contextmanager
    def awaited(self) -> Generator[None]:
        """In this block SIGTERM raises KeyboardInterrupt; one that came before does so at its beginning.

        Raises:
            KeyboardInterrupt: The command is told to end.
        """
        self.hold()
        self._is_awaited = True
        try:
            if self._is_asked:
                raise KeyboardInterrupt(TERMINATED)
            yield
        finally:
            self._is_awaited = False

    def hold(self) -> Any:
        """Take SIGTERM back: Ray's start has a handler of its own set, which leaves at once."""
        if threading.current_thread() is threading.main_thread():
            return signal.signal(signal.SIGTERM, self._note)
        return signal.SIG_DFL

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._is_asked = True
        if self._is_awaited:
            raise KeyboardInterrupt(TERMINATED)

    def __enter__(self) -> Self:
        self._former = self.hold()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._former)
        if isinstance(error, SystemExit) and error.code == signal.SIGTERM:  # struck while Ray's own handler was set
            raise KeyboardInterrupt(TERMINATED) from None
