"""The functions that a caller has submitted: pickled once each, and how their arguments have to travel."""

from __future__ import annotations

import sys
import sysconfig
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from actors.runtime.wire import PickledFunction, dumps, dumps_by_value, function_name, pickle_function
from supervisor.tasks.task import Callee

FUNCTIONS_KEPT = 4096

_INSTALLED = tuple({sysconfig.get_paths()[part] for part in ("stdlib", "platstdlib", "purelib", "platlib")})


@dataclass(slots=True)
class KnownFunction:
    """A function that was submitted before.

    Attributes:
        fn: The function itself; it is held so that its identity stays its own.
        callee: What tasks carry of it.
        by_value: It travels with its whole module, and so must what its arguments need of that.
        unproven: It travels by reference and no worker has imported its module yet.
    """

    fn: Callable[..., Any]
    callee: Callee
    by_value: bool
    unproven: bool

    def pickle_arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[bytes, Sequence[Any]]:
        """The arguments as they travel, and the ObjectRefs in them."""
        if self.by_value:
            return dumps_by_value((args, kwargs), sys.modules[self.fn.__module__])
        return dumps((args, kwargs))


class FunctionBook:
    """Functions by identity; the least recently used leaves first.

    A function is pickled at its first submit, so later changes of what it closes over are not seen (as with Ray's own
    remote functions).
    """

    def __init__(self, limit: int = FUNCTIONS_KEPT) -> None:
        self._limit = limit
        self._by_identity: OrderedDict[int, KnownFunction] = OrderedDict()
        self._last_used: Callable[..., Any] | None = None
        self._lock = threading.Lock()

    def get(self, fn: Callable[..., Any]) -> KnownFunction:
        """The book's entry of a function.

        Raises: whatever cloudpickle raises when the function cannot travel.
        """
        known = self._by_identity.get(id(fn))
        if known is not None and known.fn is fn:
            if fn is not self._last_used:
                self._use(fn)
            return known
        pickled = pickle_function(fn, by_value=False)
        return self._keep(fn, pickled, unproven=_may_be_missing_elsewhere(fn))

    def by_value(self, fn: Callable[..., Any]) -> KnownFunction:
        """From now on the function travels with its whole module."""
        return self._keep(fn, pickle_function(fn, by_value=True), unproven=False)

    def prove(self, fn: Callable[..., Any]) -> None:
        """A worker has run the function: its module is known there, so it may go on travelling by reference."""
        known = self._by_identity.get(id(fn))
        if known is not None:
            known.unproven = False

    def recent(self, most: int) -> dict[bytes, bytes]:
        """The last used functions that a worker has run, pickled, by digest."""
        with self._lock:
            proven = [known.callee for known in reversed(self._by_identity.values()) if not known.unproven]
        return {callee.digest: callee.data for callee in proven[:most]}

    def _use(self, fn: Callable[..., Any]) -> None:
        with self._lock:
            if id(fn) in self._by_identity:
                self._by_identity.move_to_end(id(fn))
                self._last_used = fn

    def _keep(self, fn: Callable[..., Any], pickled: PickledFunction, *, unproven: bool) -> KnownFunction:
        known = KnownFunction(
            fn, Callee(digest=pickled.digest, name=function_name(fn), data=pickled.data), pickled.by_value, unproven
        )
        with self._lock:
            self._by_identity[id(fn)] = known
            self._by_identity.move_to_end(id(fn))
            self._last_used = fn
            while len(self._by_identity) > self._limit:
                self._by_identity.popitem(last=False)
        return known


def _may_be_missing_elsewhere(fn: Callable[..., Any]) -> bool:
    """Whether the function lives in a module that is not installed, and so may not exist where the workers run."""
    name = getattr(fn, "__module__", None)
    if name is None or name == "__main__":
        return False
    path = getattr(sys.modules.get(name), "__file__", None)
    return path is not None and not path.startswith(_INSTALLED)
