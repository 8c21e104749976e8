"""One task per key: a second submit of a key gets the first one's future."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from supervisor.tasks.future import TaskFuture

KEYS_KEPT = 100_000
_LOOKS = 4


class KeyedTasks:
    """Futures by key: while a task runs, and after it has succeeded. A failed or cancelled one may be submitted again.

    The oldest ended keys leave first once there are more than `limit`.
    """

    def __init__(self, limit: int = KEYS_KEPT) -> None:
        self._limit = limit
        self._futures: OrderedDict[str, TaskFuture[Any]] = OrderedDict()
        self._lock = threading.RLock()  # what settles within a submit may call back and submit another key

    def once(self, key: str, submit: Callable[[], TaskFuture[Any]]) -> TaskFuture[Any]:
        """The future of this key's task; `submit` makes it when there is none."""
        with self._lock:
            known = self._futures.get(key)
            if known is not None and not _may_run_again(known):
                return known
            future = self._futures[key] = submit()
            self._futures.move_to_end(key)
            self._forget_oldest()
            return future

    def _forget_oldest(self) -> None:
        """Those that still run go to the end meanwhile; a few looks per submit keep up with any growth."""
        for _ in range(_LOOKS):
            if len(self._futures) <= self._limit:
                return
            key, future = next(iter(self._futures.items()))
            if future.done():
                del self._futures[key]
            else:
                self._futures.move_to_end(key)


def _may_run_again(future: TaskFuture[Any]) -> bool:
    return future.cancelled() or (future.done() and future.exception() is not None)
