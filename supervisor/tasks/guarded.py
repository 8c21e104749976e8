"""Tasks behind a circuit breaker: the function that a worker runs asks it first, in the worker's own process.

A refusal is an error of the attempt like any other: retries and the fallback follow their rules. What a worker cannot
say itself, that its task's time was over, the caller's process tells the breaker.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from actors.runtime.errors import SupervisorError
from supervisor.breakers.guarding import breaker_of

if TYPE_CHECKING:
    from supervisor.tasks.task import Task

FUNCTIONS_KEPT = 4096


class GuardedFunction:
    """A user's function behind a breaker; it finds that where it is called.

    Args:
        supervisor: Whose breaker it is.
        breaker: Its name.
        fn: The function.
    """

    def __init__(self, supervisor: str, breaker: str, fn: Callable[..., Any]) -> None:
        functools.update_wrapper(self, fn)
        self._supervisor = supervisor
        self._breaker = breaker
        self._fn = fn

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        breaker = breaker_of(self._supervisor, self._breaker)
        if isinstance(self._fn, type):  # making an object is a task, too; classes are not decorated
            return breaker.call(self._fn, *args, **kwargs)
        return breaker(self._fn)(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return GuardedFunction, (self._supervisor, self._breaker, self._fn)


class Guards:
    """One caller's guarded functions; one that is submitted again is the same, and is pickled once.

    Args:
        supervisor: Whose breakers these are.
    """

    def __init__(self, supervisor: str) -> None:
        self._supervisor = supervisor
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[int, str], tuple[Callable[..., Any], GuardedFunction]] = OrderedDict()

    def guarded(self, fn: Callable[..., Any], breaker: str) -> Callable[..., Any]:
        """The function behind the breaker."""
        if not callable(fn):
            return fn
        with self._lock:
            known = self._known.get((id(fn), breaker))
            if known is None or known[0] is not fn:
                known = self._known[id(fn), breaker] = (fn, GuardedFunction(self._supervisor, breaker, fn))
                while len(self._known) > FUNCTIONS_KEPT:
                    self._known.popitem(last=False)
            return known[1]

    def ticket(self, task: Task) -> int | None:
        """What the attempt that is sent now is to be told with if its time is over; None if no breaker is asked."""
        if task.policy.breaker is None or task.runs_fallback:
            return None
        try:
            return breaker_of(self._supervisor, task.policy.breaker).ticket
        except SupervisorError:
            return None  # the supervisor has ended

    def timed_out(self, breaker: str, ticket: int) -> None:
        """An attempt behind it was ended because its time was over: a failure that its worker could not tell."""
        try:
            breaker_of(self._supervisor, breaker).note_failure("a task's time was over", ticket=ticket)
        except SupervisorError:
            return  # the supervisor has ended
