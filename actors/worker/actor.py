"""The worker's shell: takes batches, runs them one at a time, answers recalls while it does."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import ray

from actors.health.checked import CHECK_GROUP, Checked
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.fault_passing import pass_point
from actors.runtime.fault_points import ARRIVES, CHILD_CALL, ON, REPLIES
from actors.runtime.shell import ActorShell, as_actor
from actors.runtime.wire import dumps, pickle_function
from actors.worker.execute import Executor, FunctionCache
from actors.worker.machine import BatchKey, WorkerMachine
from actors.worker.protocol import Entry, Progress
from actors.worker.slot import HELD


class WorkerActor(Checked, ActorShell):
    """Runs users' functions. One batch runs at a time; a task that waits for another one gives its slot back."""

    def __init__(self, name: str, leader: int) -> None:
        super().__init__(name, leader)
        self._clock = SYSTEM_CLOCK
        self._machine = WorkerMachine()
        self._lock = threading.Lock()
        self._slot = threading.Semaphore(1)
        self._functions = FunctionCache()
        self._executor = Executor(self._functions, self._clock, self.identity.key)

    def run(self, batch: bytes, refs: Sequence[Any] = ()) -> bytes | tuple[bytes, list[Any]]:
        """Run a batch and return the results that no recall has carried away.

        Bytes in and bytes out: Ray passes them through as they are, and takes 0.2 ms longer for anything else.

        Args:
            batch: Pickled `(client, number, entries, functions)`; functions are pickled ones by digest.
            refs: The ObjectRefs that the entries point into.
        Returns: The pickled results, and beside them the ObjectRefs that they point into, if there are any.
        """
        if ON:
            pass_point(CHILD_CALL, self.identity.key, ARRIVES)
        client, number, entries, functions = pickle.loads(batch)  # noqa: S301 - our own dispatcher made it
        key: BatchKey = (client, number)
        if functions:
            self._functions.add(functions)
        with self._lock:
            may_run = self._machine.open(key, entries, self._clock.now())
        if not may_run:
            return pickle.dumps([], 5)
        with self._slot:
            held = HELD.set(_Slot(self, key))
            try:
                self._run_batch(key, refs)
            finally:
                HELD.reset(held)
        with self._lock:
            results, result_refs = self._machine.close(key)
        if ON:
            pass_point(CHILD_CALL, self.identity.key, REPLIES)
        data = pickle.dumps(results, 5)
        return (data, result_refs) if result_refs else data

    def _run_batch(self, key: BatchKey, refs: Sequence[Any]) -> None:
        yielding = partial(self._note_yielding, key)
        while (entry := self._next(key)) is not None:
            result, result_refs = self._executor.run(entry, refs, yielding)
            with self._lock:
                self._machine.finish(key, result, result_refs)

    def _note_yielding(self, key: BatchKey) -> None:
        with self._lock:
            self._machine.set_yielding(key)

    def _next(self, key: BatchKey) -> Entry | None:
        with self._lock:
            return self._machine.next(key, self._clock.now())

    @ray.method(concurrency_group="control")
    def recall(self, client: str, number: int) -> Progress:
        """See `WorkerMachine.recall`."""
        with self._lock:
            return self._machine.recall((client, number), self._clock.now())

    @ray.method(concurrency_group="control")
    def learn(self, functions: dict[bytes, bytes]) -> None:
        """Import and unpickle functions ahead of the first task that calls them."""
        self._functions.add(functions)
        self._functions.load(functions)

    def ready(self) -> str:
        """Answer once everything a task needs has run here: a standby that answered is as fast as a worker."""
        function = pickle_function(lambda: None, by_value=False)
        arguments, _ = dumps(((), {}))
        self._functions.add({function.digest: function.data})
        self._executor.run(Entry(0, function.digest, arguments, None, None, ("", None, 0, None, 1, 1)), ())
        return str(self.identity)

    def vital_signs(self) -> dict[str, Any]:
        with self._lock:
            return {**super().vital_signs(), "tasks_run": self._machine.tasks_run}

    def give_slot_back(self, key: BatchKey) -> None:
        """Let another batch run while this one's task waits."""
        with self._lock:
            self._machine.set_blocked(key, blocked=True)
        self._slot.release()

    def take_slot_again(self, key: BatchKey) -> None:
        """The task goes on as soon as no other runs."""
        self._slot.acquire()
        with self._lock:
            self._machine.set_blocked(key, blocked=False)


class _Slot:
    """The slot that the running task holds; what it waits on inside the task gives it back meanwhile.

    A coroutine may wait on many at once: the first gives the slot back, the last takes it again.
    """

    def __init__(self, worker: WorkerActor, key: BatchKey) -> None:
        self._worker = worker
        self._key = key
        self._waits = 0

    @contextmanager
    def given_back(self) -> Generator[None]:
        self._waits += 1
        if self._waits == 1:
            self._worker.give_slot_back(self._key)
        try:
            yield
        finally:
            self._waits -= 1
            if self._waits == 0:
                self._worker.take_slot_again(self._key)


def worker_actor() -> Any:
    """The Ray actor class of `WorkerActor`, with its concurrency groups."""
    return as_actor(WorkerActor, extra_groups=CHECK_GROUP)
