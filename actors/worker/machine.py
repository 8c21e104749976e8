"""What a worker holds: batches of tasks, one of them running, any of them recallable. Pure.

    open -> waiting -> running task by task -> closed
               |            |
               +- recall ---+--> finished results leave early, tasks not started are withdrawn

A recall may overtake the batch that it names (they are separate calls); such a batch is remembered as withdrawn, and
ends empty.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

from actors.worker.protocol import NOT_BEGUN, TIMED_OUT, Entry, Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.worker.protocol import Result, WireEntry, WireResult

BatchKey = tuple[str, int]
"""The client's id and its number of the batch."""

_WITHDRAWN_KEPT = 1024


class _Batch:
    __slots__ = ("blocked", "opened_at", "pending", "refs", "results", "running", "started_at", "waiting", "yielding")

    def __init__(self, entries: Sequence[WireEntry], opened_at: float | None) -> None:
        self.pending = deque(entries)
        self.opened_at = opened_at
        self.results: list[WireResult] = []
        self.refs: list[Any] = []
        self.running: int | None = None
        self.started_at = 0.0
        self.blocked = False
        self.waiting = True
        self.yielding = False

    def is_late(self, entry: Entry, now: float) -> bool:
        """Whether the deadline passed while the task waited here: its caller has been told, and it must not begin."""
        remaining_s = entry.context[3]
        return remaining_s is not None and self.opened_at is not None and now - self.opened_at >= remaining_s


class WorkerMachine:
    """The batches of one worker process."""

    def __init__(self) -> None:
        self._batches: dict[BatchKey, _Batch] = {}
        self._withdrawn_unseen: OrderedDict[BatchKey, None] = OrderedDict()
        self.tasks_run = 0

    def open(self, key: BatchKey, entries: Sequence[WireEntry], now: float | None = None) -> bool:
        """A batch arrived; its tasks' deadlines count from `now`. False when its recall came first: nothing may run."""
        if key in self._withdrawn_unseen:
            del self._withdrawn_unseen[key]
            return False
        self._batches[key] = _Batch(entries, now)
        return True

    def next(self, key: BatchKey, now: float) -> Entry | None:
        """The task to run now, or None when the batch has no more."""
        batch = self._batches[key]
        batch.waiting = False
        while batch.pending:
            entry = Entry(*batch.pending.popleft())
            if batch.is_late(entry, now):
                batch.results.append((entry.number, TIMED_OUT, NOT_BEGUN, 0, None))
                continue
            batch.running = entry.number
            batch.started_at = now
            batch.yielding = False
            return entry
        batch.running = None
        return None

    def finish(self, key: BatchKey, result: Result, refs: Sequence[Any] = ()) -> None:
        """The running task ended."""
        batch = self._batches[key]
        if refs:
            result = result._replace(refs=(len(batch.refs), len(refs)))
            batch.refs.extend(refs)
        batch.results.append((result.number, result.code, result.payload, result.run_us, result.refs))
        batch.running = None
        self.tasks_run += 1

    def set_blocked(self, key: BatchKey, *, blocked: bool) -> None:
        """The running task waits for another one, or goes on."""
        self._batches[key].blocked = blocked

    def set_yielding(self, key: BatchKey) -> None:
        """The running task is a coroutine."""
        self._batches[key].yielding = True

    def close(self, key: BatchKey) -> tuple[list[WireResult], list[Any]]:
        """The batch is over: the results that no recall has carried away, and their ObjectRefs."""
        batch = self._batches.pop(key)
        return batch.results, batch.refs

    def recall(self, key: BatchKey, now: float) -> Progress:
        """Hand out what ended, withdraw what has not started, and tell what runs."""
        batch = self._batches.get(key)
        if batch is None:
            return self._recall_unseen(key)
        results, refs = batch.results, batch.refs
        batch.results, batch.refs = [], []
        withdrawn = tuple(entry[0] for entry in batch.pending)
        batch.pending.clear()
        running_s = now - batch.started_at if batch.running is not None else 0.0
        return Progress(
            results, refs, withdrawn, batch.running, running_s, batch.blocked, batch.waiting, batch.yielding
        )

    def _recall_unseen(self, key: BatchKey) -> Progress:
        """Either it ended (its reply is under way) or it has not arrived; the latter must then not run."""
        self._withdrawn_unseen[key] = None
        while len(self._withdrawn_unseen) > _WITHDRAWN_KEPT:
            self._withdrawn_unseen.popitem(last=False)
        return Progress([], [], (), None, 0.0, blocked=False, waiting=False)
