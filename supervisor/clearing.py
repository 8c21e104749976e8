"""Work that is to be done before the next life of a child begins: it must not find what that life makes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING

from supervisor import messages as m

if TYPE_CHECKING:
    from supervisor.hosting import Hosting
    from supervisor.recording import Recorder
    from supervisor.tree import ChildPlan


class Clearing:
    """Does it in threads, and lets whoever begins a life wait for it.

    Args:
        threads: The threads.
        hosting: Knows what was kept of children.
        recorder: Writes down what could not be deleted.
    """

    def __init__(self, threads: ThreadPoolExecutor, hosting: Hosting, recorder: Recorder) -> None:
        self._threads = threads
        self._hosting = hosting
        self._recorder = recorder
        self._under_way: dict[str, list[Future[None]]] = {}

    def begin(self, key: str, work: Callable[[], None]) -> None:
        """Do it, and let the next life of `key` wait."""
        others = [future for future in self._under_way.pop(key, ()) if not future.done()]
        future = self._threads.submit(work)
        self._under_way[key] = [*others, future]
        future.add_done_callback(lambda done: self._under_way.get(key) == [done] and self._under_way.pop(key, None))

    def wait(self, key: str) -> None:
        """Return once what was begun for `key` is done."""
        wait(self._under_way.pop(key, ()))

    def forget(self, plan: ChildPlan) -> None:
        """Delete what was kept of a child that is in the tree no more."""
        self.begin(plan.key, partial(self._delete, self._hosting.kept_in_log(plan)))

    def _delete(self, keys: list[str]) -> None:
        for key in keys:
            if self._hosting.forget(key):
                continue
            self._recorder.child(
                m.RecordChild(
                    key=key,
                    incarnation=0,
                    event="checkpoint_failed",
                    role="service",
                    location=None,
                    detail="the log did not answer: a later child of this name may find its states",
                )
            )
