"""What a signal raises in a program does not break into a run: the run is told to end, and is seen through.

Python raises it in the main thread, between any two steps. So a run is carried out on another one, and this one waits:
faults are undone, what was seen is judged and written down, and only then goes on what the signal has raised.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from contextvars import copy_context
from typing import TYPE_CHECKING, Generic, TypeVar

from experiments.report.run import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Callable

HEED_S = 0.1
"""How often this thread wakes to heed a signal, seconds.

The kernel may give it to any thread, where Python only notes it: a main thread that sleeps on would never hear of it.
"""

T = TypeVar("T")


class Seen(Generic[T]):
    """What was done, and what was raised meanwhile.

    Attributes:
        result: What was done.
        leaving: What a signal has raised here; None: nothing.
    """

    def __init__(self, result: T, leaving: BaseException | None) -> None:
        self.result = result
        self.leaving = leaving


def see_through(work: Callable[[], T], stop: Callable[[str], None]) -> Seen[T]:
    """Do it on a thread, and wait for it whatever is raised here.

    Args:
        work: What is done.
        stop: Has it end early, given why; called as often as somebody asks for it.
    Raises: As `work`; what a signal has raised, if both did.
    """
    done: Future[T] = Future()
    begun = threading.Lock()
    context = copy_context()

    def once() -> None:
        if begun.acquire(blocking=False):
            context.run(_do, work, done)

    leaving: BaseException | None = None
    why = ""
    while not done.done():
        try:
            if not begun.locked():  # also where a signal has struck in the middle of a thread's start
                threading.Thread(target=once, name="chaos-run").start()
            if why:
                stop(why)
                why = ""
            wait([done], timeout=HEED_S)
        except BaseException as error:  # noqa: BLE001 - as SystemExit, by which Ray answers SIGTERM
            leaving, why = error, told(error)
    if leaving is not None and done.exception() is not None:
        raise leaving from done.exception()
    return Seen(done.result(), leaving)


def told(error: BaseException) -> str:
    """Why a run ends, as its verdict says it."""
    if isinstance(error, KeyboardInterrupt):
        return str(error) or INTERRUPTED
    return f"its program ends: {type(error).__name__}"


def _do(work: Callable[[], T], done: Future[T]) -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - whoever waits for it is told, whatever it is
        done.set_exception(error)
    else:
        done.set_result(result)
