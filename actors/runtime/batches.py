"""Numbered batches of log rows: how they form, when they are sent, and when they may be forgotten. Pure.

    accepted --take--> formed --sent--> in flight --acknowledged--> forgotten
                          ^                 |
                          +----- failed ----+   (the same batch, the same number, after a wait)

A batch never changes once it is formed, and the writer remembers (epoch, seq) by a unique key, so sending one twice is
harmless and forgetting one early is not. A high-watermark instead of the key was tried: replays arrive out of order
and it lost acknowledged rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, repeat
from operator import itemgetter
from typing import Any

from actors.runtime.errors import SupervisorError

LIMIT_ROWS = 200_000
BATCH_ROWS = 8_000
FLUSH_ROWS = 1_000
RETRY_MIN_S = 0.05
RETRY_MAX_S = 1.0


class BatchRefusedError(SupervisorError):
    """The log can never take this batch: its rows do not fit the table. Sending it again is of no use."""

    def __init__(self, epoch: str, seq: int, *, reason: str) -> None:
        self.epoch = epoch
        self.seq = seq
        self.reason = reason
        super().__init__(
            f"batch {epoch}/{seq} does not fit the event log's tables: {reason}. Its rows were set aside; emitter and "
            "log writer must run the same version of this package"
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one emitter, by table, as columns.

    Attributes:
        epoch: The emitter's random id; another process, or another emitter, has another.
        seq: The number within the epoch, from 1, in the order the rows were emitted.
        tables: For each table its columns in schema order; columns of one table are equally long.
    """

    epoch: str
    seq: int
    tables: dict[str, list[list[Any]]]

    @property
    def rows(self) -> int:
        """How many rows it holds, over all tables."""
        return sum(len(columns[0]) for columns in self.tables.values() if columns)


@dataclass(slots=True)
class _Formed:
    batch: Batch
    first_row: int
    rows: int


class EmitterBuffer:
    """Accepted rows in order, and the formed batches that nobody has acknowledged yet.

    `add` may be called from any thread (one append); everything else belongs to one thread.

    Args:
        epoch: A random id, unique to this buffer.
        limit_rows: Rows kept at most, formed ones included; beyond it a row is dropped and counted.
    """

    def __init__(self, *, epoch: str, limit_rows: int = LIMIT_ROWS) -> None:
        self.epoch = epoch
        self._room = limit_rows
        self._limit_rows = limit_rows
        self._accepted: deque[tuple[str, tuple[Any, ...]]] = deque()
        self._formed: dict[int, _Formed] = {}
        self._widths: dict[str, int] = {}
        self._seq = 0
        self._taken_rows = 0
        self._dropped = 0
        self._malformed = 0
        self._acknowledged_rows = 0
        self._refused_rows = 0

    def add(self, table: str, row: tuple[Any, ...]) -> int:
        """Accept a row and tell how many are pending with it; 0 when it was dropped and counted: the buffer is full."""
        accepted = self._accepted
        pending = len(accepted)
        if pending >= self._room:
            self._dropped += 1
            return 0
        accepted.append((table, row))
        return pending + 1

    def add_all(self, table: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """Accept rows of one table and tell how many; those at the end that did not fit were dropped and counted."""
        accepted = self._accepted
        fit = min(max(0, self._room - len(accepted)), len(rows))
        accepted.extend(zip(repeat(table), rows[:fit]))
        self._dropped += len(rows) - fit
        return fit

    def take(self, max_rows: int = BATCH_ROWS) -> Batch | None:
        """Form the next batch of at most `max_rows` of the oldest accepted rows; None when there are none."""
        first_row = self._taken_rows
        by_table = self._pop_rows(max_rows)
        if not by_table:
            return None
        self._seq += 1
        tables = {name: [list(column) for column in zip(*rows, strict=True)] for name, rows in by_table.items()}
        batch = Batch(self.epoch, self._seq, tables)
        self._formed[batch.seq] = _Formed(batch, first_row, sum(map(len, by_table.values())))
        self._measure_room()
        return batch

    def acknowledge(self, seq: int) -> None:
        """Forget a batch that the log has; an unknown number (a second acknowledgement) changes nothing."""
        formed = self._formed.pop(seq, None)
        if formed is not None:
            self._acknowledged_rows += formed.rows
            self._measure_room()

    def refuse(self, seq: int) -> None:
        """Forget a batch that the log will never take, and count its rows."""
        formed = self._formed.pop(seq, None)
        if formed is not None:
            self._refused_rows += formed.rows
            self._measure_room()

    def resend(self) -> tuple[Batch, ...]:
        """The batches that are formed and not acknowledged, in order."""
        return tuple(formed.batch for formed in self._formed.values())

    @property
    def pending_rows(self) -> int:
        """Rows accepted and not yet in a batch."""
        return len(self._accepted)

    @property
    def unacknowledged_rows(self) -> int:
        """Rows accepted that the log has neither confirmed nor refused, in a batch or not yet."""
        settled = self._acknowledged_rows + self._refused_rows + self._malformed
        return self._taken_rows - settled + len(self._accepted)

    @property
    def unacknowledged(self) -> int:
        """Batches formed and not acknowledged."""
        return len(self._formed)

    @property
    def dropped(self) -> int:
        """Rows that were lost: the buffer was full, or the row's width differed from its table's first row."""
        return self._dropped + self._malformed

    @property
    def acknowledged_rows(self) -> int:
        """Rows that the log has confirmed."""
        return self._acknowledged_rows

    @property
    def refused_rows(self) -> int:
        """Rows in batches that the log refused for good."""
        return self._refused_rows

    @property
    def taken_rows(self) -> int:
        """Rows that ever left for a batch, malformed ones included."""
        return self._taken_rows

    @property
    def settled_rows(self) -> int:
        """How many rows, counted from the very first, are settled without a gap."""
        oldest = next(iter(self._formed.values()), None)
        return self._taken_rows if oldest is None else oldest.first_row

    def _pop_rows(self, max_rows: int) -> dict[str, list[tuple[Any, ...]]]:
        by_table: dict[str, list[tuple[Any, ...]]] = {}
        pop = self._accepted.popleft
        popped = [pop() for _ in range(min(max_rows, len(self._accepted)))]
        self._taken_rows += len(popped)
        for table, run in groupby(popped, itemgetter(0)):
            rows = self._well_formed(table, [row for _, row in run])
            if rows:
                by_table.setdefault(table, []).extend(rows)
        return by_table

    def _well_formed(self, table: str, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Those as wide as the table's very first row; the others are counted."""
        width = self._widths.setdefault(table, len(rows[0]))
        if set(map(len, rows)) == {width}:
            return rows
        sound = [row for row in rows if len(row) == width]
        self._malformed += len(rows) - len(sound)
        return sound

    def _measure_room(self) -> None:
        self._room = self._limit_rows - sum(formed.rows for formed in self._formed.values())


@dataclass(slots=True)
class Delivery:
    """When which batch is sent: windows, batches in flight, and waits after a failure.

    New rows wait at most `flush_s` for company, no longer than it takes `flush_rows` to gather. After a failure nothing
    is sent for 0.05 s, doubling to 1 s; then the kept batches go first, in order, and new rows after them.

    Attributes:
        buffer: The rows and batches.
        max_in_flight: Batches sent and unanswered at most. With more than one, a batch that fails is committed after
            its successor; (epoch, seq) still tells the order of emission.
        flush_s: How long a lone row waits, seconds.
    """

    buffer: EmitterBuffer
    max_in_flight: int = 2
    flush_s: float = 0.02
    flush_rows: int = FLUSH_ROWS
    failures: int = field(default=0, init=False)
    _in_flight: set[int] = field(default_factory=set[int], init=False)
    _window_opened_at: float | None = field(default=None, init=False)
    _retry_at: float = field(default=float("-inf"), init=False)
    _failures_in_a_row: int = field(default=0, init=False)
    _urged_rows: int = field(default=0, init=False)

    def acknowledged(self, seq: int) -> None:
        """The log has committed batch `seq`."""
        self._in_flight.discard(seq)
        self._failures_in_a_row = 0
        self._retry_at = float("-inf")
        self.buffer.acknowledge(seq)

    def refused(self, seq: int) -> None:
        """The log will never take batch `seq`."""
        self._in_flight.discard(seq)
        self.buffer.refuse(seq)

    def failed(self, seq: int, *, now: float) -> None:
        """Batch `seq` may or may not have arrived; it is kept and sent again."""
        self._in_flight.discard(seq)
        self.failures += 1
        self._failures_in_a_row += 1
        exponent = min(self._failures_in_a_row - 1, 16)
        self._retry_at = now + min(RETRY_MAX_S, RETRY_MIN_S * 2**exponent)

    def urge(self) -> int:
        """Do not wait for company for what is accepted so far; tell the row count to which that is."""
        self._urged_rows = self.buffer.taken_rows + self.buffer.pending_rows
        return self._urged_rows

    def due(self, *, now: float) -> tuple[Batch, ...]:
        """The batches to send now; they count as in flight from here on."""
        sends: list[Batch] = []
        if now >= self._retry_at:
            kept = [batch for batch in self.buffer.resend() if batch.seq not in self._in_flight]
            sends = kept[: max(0, self.max_in_flight - len(self._in_flight))]
            self._in_flight.update(batch.seq for batch in sends)
            while len(self._in_flight) < self.max_in_flight and self._window_is_over(now):
                batch = self.buffer.take()
                if batch is None:
                    break
                self._window_opened_at = None
                self._in_flight.add(batch.seq)
                sends.append(batch)
        return tuple(sends)

    def wait_s(self, *, now: float) -> float | None:
        """How long nothing can be due unless something happens, seconds; None when that is for ever."""
        if len(self._in_flight) >= self.max_in_flight:
            return None
        if self._retry_at > now:
            return self._retry_at - now
        if self._window_opened_at is not None and self.buffer.pending_rows:
            return max(0.0, self._window_opened_at + self.flush_s - now)
        return None

    def wake_at_rows(self, *, now: float) -> float:
        """From how many accepted rows on the waiting sender has something to do; infinite while it must not send."""
        if len(self._in_flight) >= self.max_in_flight or self._retry_at > now:
            return float("inf")
        return 1 if self._window_opened_at is None else self.flush_rows

    def _window_is_over(self, now: float) -> bool:
        rows = self.buffer.pending_rows
        if rows == 0:
            self._window_opened_at = None
            return False
        if rows >= self.flush_rows or self.buffer.taken_rows < self._urged_rows:
            return True
        if self._window_opened_at is None:
            self._window_opened_at = now
        return now >= self._window_opened_at + self.flush_s
