"""Work that is answered when it is durable: one call after the other, each noted when it was acknowledged.

What was not acknowledged may be kept or not: nothing is promised of it. What was must be known in the end, whatever was
done to the log, and to who keeps it, meanwhile.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ray.exceptions import RayError

from actors.runtime.errors import SupervisorError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_REFUSALS = (SupervisorError, RayError, TimeoutError, OSError)


class DurableLoad:
    """The durable work of one run.

    Args:
        per_s: So many calls a second at most.
        call: Makes one, of a key; its response has `result(timeout=)`.
        known: The keys that are known now.
        prefix: What keys begin with: no two runs share one.
        timeout_s: Of each call, seconds.
    """

    def __init__(
        self,
        per_s: float,
        call: Callable[[str], Any],
        known: Callable[[], Collection[str]],
        *,
        prefix: str,
        timeout_s: float,
    ) -> None:
        self._every_s = 1 / per_s
        self._call = call
        self._known = known
        self._prefix = prefix
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._acknowledged: list[str] = []
        self._refused: dict[str, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chaos-durable", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Call no more, and wait for the call that is under way."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    @property
    def acknowledged(self) -> int:
        """Calls that were answered."""
        with self._lock:
            return len(self._acknowledged)

    @property
    def refused(self) -> dict[str, int]:
        """Calls that failed, by the type of their error."""
        with self._lock:
            return dict(self._refused)

    def forgotten(self) -> tuple[str, ...]:
        """What was acknowledged and is not known.

        Raises:
            SupervisorError, RayError, TimeoutError, OSError: Who knows it does not answer.
        """
        with self._lock:
            answered = list(self._acknowledged)  # before it is asked: what is answered meanwhile is not judged
        if not answered:
            return ()
        known = set(self._known())
        return tuple(key for key in answered if key not in known)

    def _run(self) -> None:
        number = 0
        while not self._ended.wait(self._every_s):
            key, number = f"{self._prefix}-durable-{number}", number + 1
            try:
                self._call(key).result(timeout=self._timeout_s)
            except _REFUSALS as error:
                with self._lock:
                    self._refused[type(error).__name__] = self._refused.get(type(error).__name__, 0) + 1
            else:
                with self._lock:
                    self._acknowledged.append(key)
