"""Group commit: one thread commits all batches that wait, and each sender returns once its own is on the disk."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field

from actors.event_log.failures import LogBrokenError
from actors.event_log.store import BatchOutcome, BatchState, EventStore
from actors.runtime.batches import Batch
from actors.runtime.errors import EventLogClosedError, EventLogError, SupervisorError
from actors.runtime.vital_threads import vital_thread

GROUP_ROWS = 20_000


@dataclass(slots=True)
class _Waiting:
    batch: Batch
    settled: threading.Event = field(default_factory=threading.Event)
    error: SupervisorError | None = None


class GroupCommitter:
    """Commits batches for many senders at once.

    Args:
        store: The open log; only this object appends to it.
        on_committed: Told of the batches that are new in the log, on the writer's thread; it must return at once.
        on_broken: Called when the database itself gave up, after the senders were told.
    """

    def __init__(
        self,
        store: EventStore,
        *,
        on_committed: Callable[[Sequence[Batch]], None] = lambda _: None,
        on_broken: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._on_committed = on_committed
        self._on_broken = on_broken
        self._queue: deque[_Waiting] = deque()
        self._condition = threading.Condition()
        self._closed = False
        self.committed_rows = 0
        self.commits = 0
        self.refused_batches = 0
        self.failures = 0
        self.last_error = ""
        self._thread = vital_thread(self._run, name="event-log-writer")
        self._thread.start()

    def append(self, batch: Batch) -> None:
        """Return once `batch` is committed (now or earlier).

        Raises:
            BatchRefusedError: It does not fit the tables.
            EventLogError: The commit failed or the log is closed; send it again.
        """
        waiting = _Waiting(batch)
        with self._condition:
            if self._closed:
                raise EventLogClosedError(self._store.path)
            self._queue.append(waiting)
            self._condition.notify_all()
        waiting.settled.wait()
        if waiting.error is not None:
            raise waiting.error

    def wait_beyond(self, ingest_id: int, timeout_s: float) -> bool:
        """Block until more than `ingest_id` is committed; False when `timeout_s` ran out or the log closed first."""
        with self._condition:
            self._condition.wait_for(lambda: self._store.last_id > ingest_id or self._closed, timeout_s)
            return self._store.last_id > ingest_id

    def close(self) -> None:
        """Take no more, commit what waits, and end the thread. The store stays open."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while group := self._next_group():
            error: Exception | None = None
            try:
                outcomes = self._store.append([waiting.batch for waiting in group])
            except Exception as failure:  # noqa: BLE001 - a sender left waiting for ever is worse than any failure
                error = failure
                self._fail(group, failure)
            else:
                self._settle(group, outcomes)
            with self._condition:
                self._condition.notify_all()
            if isinstance(error, LogBrokenError):
                self._on_broken()

    def _next_group(self) -> list[_Waiting]:
        """All that waits, up to `GROUP_ROWS` rows, in the order of emission; empty once closed and done."""
        with self._condition:
            self._condition.wait_for(lambda: self._queue or self._closed)
            group: list[_Waiting] = []
            rows = 0
            while self._queue and rows < GROUP_ROWS:
                group.append(self._queue.popleft())
                rows += group[-1].batch.rows
        group.sort(key=lambda waiting: (waiting.batch.epoch, waiting.batch.seq))
        return group

    def _settle(self, group: list[_Waiting], outcomes: Sequence[BatchOutcome]) -> None:
        new: list[Batch] = []
        for waiting, outcome in zip(group, outcomes, strict=True):
            waiting.error = outcome.error
            if outcome.state is BatchState.COMMITTED:
                new.append(waiting.batch)
        self.commits += 1
        self.committed_rows += sum(batch.rows for batch in new)
        self.refused_batches += sum(outcome.state is BatchState.REFUSED for outcome in outcomes)
        for waiting in group:
            waiting.settled.set()
        if new:
            self._on_committed(new)

    def _fail(self, group: list[_Waiting], failure: Exception) -> None:
        self.failures += 1
        self.last_error = str(failure)
        for waiting in group:
            # Each sender raises its own copy: one exception raised in several threads mixes up their tracebacks.
            waiting.error = copy(failure) if isinstance(failure, EventLogError) else self._unexpected(failure)
            waiting.settled.set()

    def _unexpected(self, failure: Exception) -> EventLogError:
        return EventLogError(
            self._store.path,
            reason=f"{type(failure).__name__}: {failure}",
            remedy="Please report this; the batch is kept",
        )
