"""The emitter that every process which records events has one of: cheap to call, batched, kept until acknowledged.

`emit` is an append and a comparison. A daemon thread does the rest and sleeps on a condition while there is nothing
to do; how the two meet without a lock on the hot path is told at `_rest`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from actors.runtime.batches import LIMIT_ROWS, Batch, BatchRefusedError, Delivery, EmitterBuffer
from actors.runtime.clock import SYSTEM_CLOCK, Clock
from actors.runtime.id_source import IdSource
from actors.runtime.ports import BatchTransport
from actors.runtime.vital_threads import steady_thread

__all__ = ["Batch", "BatchRefusedError", "Emitter", "EmitterBuffer", "EmitterStatistics"]

_NEVER = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmitterStatistics:
    """What an emitter holds and has done.

    Attributes:
        unacknowledged_rows: Accepted and kept, because the log has not confirmed them yet.
        acknowledged_rows: Confirmed by the log.
        dropped_rows: Lost because the buffer was full, the emitter closed, or the row malformed.
        refused_rows: Set aside because the log refused them for good.
        failures: Sends that failed and were or will be repeated.
        last_error: The latest failure's text, empty when there was none.
    """

    epoch: str
    unacknowledged_rows: int
    acknowledged_rows: int
    dropped_rows: int
    refused_rows: int
    failures: int
    last_error: str


class Emitter:
    """Batches rows and delivers each to the log exactly once, as long as this process lives.

    Args:
        transport: Carries a batch to the writer.
        clock: Time for windows and retries.
        flush_s: How long a lone row waits for company, seconds.
        limit_rows: Rows kept at most; beyond it rows are dropped and counted, and `emit` says so.
        max_in_flight: Batches sent and unanswered at most.
    """

    def __init__(
        self,
        transport: BatchTransport,
        *,
        clock: Clock = SYSTEM_CLOCK,
        flush_s: float = 0.02,
        limit_rows: int = LIMIT_ROWS,
        max_in_flight: int = 4,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._buffer = EmitterBuffer(epoch=f"{IdSource().span_id():016x}", limit_rows=limit_rows)
        self._add = self._buffer.add
        self._delivery = Delivery(self._buffer, max_in_flight=max_in_flight, flush_s=flush_s)
        self._answers: deque[tuple[int, BaseException | None]] = deque()
        self._condition = threading.Condition()
        self._wake_at: float = _NEVER
        self._urged = False
        self._closed = False
        self._ended = False
        self._dropped_after_close = 0
        self._last_error = ""
        self._thread = steady_thread(self._run, name="emitter")
        self._thread.start()

    @property
    def epoch(self) -> str:
        """This emitter's random id, as the log knows it."""
        return self._buffer.epoch

    def emit(self, table: str, row: tuple[Any, ...]) -> bool:
        """Record one row; False when it was dropped (and counted) because too much is waiting or the emitter is closed.

        Args:
            table: One of the log's tables.
            row: Its columns in schema order, without `ingest_id`; times in wall-clock microseconds.
        """
        if self._closed:
            self._dropped_after_close += 1
            return False
        pending = self._add(table, row)
        if pending >= self._wake_at:
            self._wake()
        return pending > 0

    def emit_all(self, table: str, rows: Sequence[tuple[Any, ...]]) -> bool:
        """Record several rows of one table; False when some were dropped (and counted), those at the end."""
        if self._closed:
            self._dropped_after_close += len(rows)
            return False
        accepted = self._buffer.add_all(table, rows)
        if self._buffer.pending_rows >= self._wake_at:
            self._wake()
        return accepted == len(rows)

    def flush(self, timeout_s: float) -> bool:
        """Block until all that was emitted before this call is settled; False when `timeout_s` ran out first."""
        with self._condition:
            target = self._delivery.urge()
            self._urged = True
            self._condition.notify_all()
            return self._condition.wait_for(lambda: self._buffer.settled_rows >= target or self._ended, timeout_s) and (
                self._buffer.settled_rows >= target
            )

    def close(self, timeout_s: float) -> bool:
        """Take no more rows, flush, and end the thread; False when rows were left behind after `timeout_s`."""
        self._closed = True
        flushed = self.flush(timeout_s)
        with self._condition:
            self._ended = True
            self._condition.notify_all()
        self._thread.join(timeout=1.0)
        return flushed

    def statistics(self) -> EmitterStatistics:
        """Counters of this moment."""
        return EmitterStatistics(
            epoch=self.epoch,
            unacknowledged_rows=self._buffer.unacknowledged_rows,
            acknowledged_rows=self._buffer.acknowledged_rows,
            dropped_rows=self._buffer.dropped + self._dropped_after_close,
            refused_rows=self._buffer.refused_rows,
            failures=self._delivery.failures,
            last_error=self._last_error,
        )

    def _run(self) -> None:
        while not self._ended:
            with self._condition:
                self._urged = False
                self._take_answers()
                sends = self._delivery.due(now=self._clock.now())
            for batch in sends:
                self._send(batch)
            self._rest()

    def _send(self, batch: Batch) -> None:
        done = partial(self._answered, batch.seq)
        try:
            self._transport.send(batch, done)
        except Exception as error:  # noqa: BLE001 - whatever a transport raises, the batch is kept and sent again
            done(error)

    def _rest(self) -> None:
        """Sleep until an answer, a flush, a time limit, or enough rows.

        An emitting thread first appends, then reads `_wake_at`; this one first sets `_wake_at`, then counts the rows.
        So at least one of the two sees the other, and no row waits for ever.
        """
        with self._condition:
            if self._answers or self._urged or self._ended:
                return
            now = self._clock.now()
            self._wake_at = self._delivery.wake_at_rows(now=now)
            if self._buffer.pending_rows < self._wake_at:
                self._condition.wait(self._delivery.wait_s(now=now))
            self._wake_at = _NEVER

    def _wake(self) -> None:
        with self._condition:
            self._wake_at = _NEVER
            self._condition.notify_all()

    def _answered(self, seq: int, error: BaseException | None) -> None:
        with self._condition:
            self._answers.append((seq, error))
            self._condition.notify_all()

    def _take_answers(self) -> None:
        while self._answers:
            seq, error = self._answers.popleft()
            if error is None:
                self._delivery.acknowledged(seq)
                continue
            self._last_error = str(error)
            if isinstance(error, BatchRefusedError) or isinstance(getattr(error, "cause", None), BatchRefusedError):
                self._delivery.refused(seq)
            else:
                self._delivery.failed(seq, now=self._clock.now())
        self._condition.notify_all()
