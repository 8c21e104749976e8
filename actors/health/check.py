"""One check on its way: what is run, where, and how its end is told, once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from actors.health.answers import Answer

if TYPE_CHECKING:
    from actors.health.probes.place import Here

Tell = Callable[[int, Answer, float], None]
"""Is told the number of a check, how it ended and how long it took, seconds; from any thread, and returns at once."""

Clean = Callable[[str], str]
"""Takes secrets out of a text."""


class RunningCheck:
    """One check.

    Attributes:
        number: As it is told with.
        name: Whose it is, for people.
        probe: What to call.
        here: Where it runs.
        began: When it was handed in, monotonic seconds.
    """

    __slots__ = ("_ended", "_lock", "_tell", "began", "here", "name", "number", "probe")

    def __init__(
        self, number: int, name: str, probe: Callable[[], Any], *, here: Here, began: float, tell: Tell
    ) -> None:
        self.number = number
        self.name = name
        self.probe = probe
        self.here = here
        self.began = began
        self._tell = tell
        self._ended = False
        self._lock = threading.Lock()

    @property
    def ends_at(self) -> float:
        """When its time is over, monotonic seconds."""
        return self.began + self.here.timeout_s

    def end(self, answer: Answer, now: float) -> bool:
        """It ended; only the first end is told. Returns whether this was it."""
        with self._lock:
            is_first, self._ended = not self._ended, True
        if is_first:
            if not answer.table and self.here.table_answered.is_set():
                answer = replace(answer, table="answers")
            self._tell(self.number, answer, max(0.0, now - self.began))
        return is_first
