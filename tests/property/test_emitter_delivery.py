"""Every accepted row is in the log exactly once, whatever the network and the writer do.

The transport loses, repeats and reorders batches and their acknowledgements; the writer ends and is replaced before a
commit or between a commit and its acknowledgement. The buffer and the delivery are the real ones under a clock that the
test moves, and the store is a real file.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from actors.event_log.store import BatchState, EventStore
from actors.runtime.batches import Batch, Delivery, EmitterBuffer

EMITTERS = 2
LIMIT_ROWS = 60


class LossyDelivery(RuleBasedStateMachine):
    """Two emitters, one log, and a network between them that keeps no promise."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="delivery-"))
        self.path = self.folder / "events.duckdb"
        self.store = EventStore(self.path)
        self.now = 0.0
        self.deliveries = [
            Delivery(EmitterBuffer(epoch=f"e{index}", limit_rows=LIMIT_ROWS), flush_rows=5) for index in range(EMITTERS)
        ]
        self.accepted: list[list[str]] = [[] for _ in range(EMITTERS)]
        self.network: list[tuple[int, Batch]] = []
        self.in_flight: set[tuple[int, int]] = set()
        self.formed: dict[tuple[int, int], dict[str, Any]] = {}

    @rule(emitter=st.integers(0, EMITTERS - 1), rows=st.integers(1, 12))
    def emit(self, emitter: int, rows: int) -> None:
        for _ in range(rows):
            task_id = f"{emitter}-{len(self.accepted[emitter])}"
            if self.deliveries[emitter].buffer.add("tasks", _row(task_id)):
                self.accepted[emitter].append(task_id)

    @rule(emitter=st.integers(0, EMITTERS - 1), rows=st.integers(0, 12))
    def emit_together(self, emitter: int, rows: int) -> None:
        first = len(self.accepted[emitter])
        task_ids = [f"{emitter}-{number}" for number in range(first, first + rows)]
        accepted = self.deliveries[emitter].buffer.add_all("tasks", [_row(task_id) for task_id in task_ids])
        self.accepted[emitter].extend(task_ids[:accepted])

    @rule(emitter=st.integers(0, EMITTERS - 1), seconds=st.sampled_from([0.0, 0.01, 0.1, 2.0]))
    def send_what_is_due(self, emitter: int, seconds: float) -> None:
        self.now += seconds
        for batch in self.deliveries[emitter].due(now=self.now):
            first = self.formed.setdefault((emitter, batch.seq), batch.tables)
            assert batch.tables == first, "a batch changed between two sends"
            assert (emitter, batch.seq) not in self.in_flight, "a batch was sent while in flight"
            self.in_flight.add((emitter, batch.seq))
            self.network.append((emitter, batch))
            assert sum(owner == emitter for owner, _ in self.in_flight) <= self.deliveries[emitter].max_in_flight

    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        """A batch is lost; the sender learns that something failed."""
        if self.network:
            emitter, batch = self.network.pop(data.draw(st.integers(0, len(self.network) - 1)))
            self._fail(emitter, batch)

    @rule(data=st.data(), repeated=st.booleans(), acknowledged=st.booleans(), others=st.integers(0, 3))
    def arrive(self, data: st.DataObject, repeated: bool, acknowledged: bool, others: int) -> None:
        """Some batches arrive in any order, perhaps twice, and are committed together; their answers may be lost."""
        if not self.network:
            return
        count = min(len(self.network), 1 + others)
        picked = [self.network.pop(data.draw(st.integers(0, len(self.network) - 1))) for _ in range(count)]
        batches = [batch for _, batch in picked]
        outcomes = self.store.append(batches * 2 if repeated else batches)
        assert all(outcome.state is not BatchState.REFUSED for outcome in outcomes)
        for emitter, batch in picked:
            if acknowledged:
                self._acknowledge(emitter, batch)
            else:
                self._fail(emitter, batch)

    @rule(data=st.data())
    def haunt(self, data: st.DataObject) -> None:
        """A copy of a batch from long ago arrives once more."""
        if self.formed:
            emitter, seq = data.draw(st.sampled_from(sorted(self.formed)))
            outcomes = self.store.append([Batch(f"e{emitter}", seq, self.formed[emitter, seq])])
            assert outcomes[0].state is not BatchState.REFUSED

    @rule()
    def writer_dies(self) -> None:
        """The writer is replaced; all that was under way fails, whether it was committed or not."""
        self.store.close()
        self.store = EventStore(self.path)
        for emitter, batch in self.network:
            self._fail(emitter, batch)
        self.network.clear()

    @invariant()
    def no_row_is_in_twice_and_none_is_invented(self) -> None:
        if hasattr(self, "store"):
            rows = Counter(self._stored())
            assert not [task for task, count in rows.items() if count > 1]
            assert set(rows) <= {task for tasks in self.accepted for task in tasks}

    def teardown(self) -> None:
        """In the end the network heals: every accepted row is there once, and numbers tell the order of emission."""
        if not hasattr(self, "store"):
            return
        for emitter, batch in self.network:
            self._fail(emitter, batch)
        for delivery in self.deliveries:
            delivery.urge()
            while delivery.buffer.pending_rows or delivery.buffer.unacknowledged:
                self.now += 2.0
                for batch in delivery.due(now=self.now):
                    self.store.append([batch])
                    delivery.acknowledged(batch.seq)
        assert sorted(self._stored()) == sorted(task for tasks in self.accepted for task in tasks)
        self.store.close()
        for emitter, tasks in enumerate(self.accepted):
            batches = [self.formed[key] for key in sorted(self.formed) if key[0] == emitter]
            sent = [task for tables in batches for task in tables["tasks"][0]]
            assert sent == tasks[: len(sent)]
        shutil.rmtree(self.folder)

    def _acknowledge(self, emitter: int, batch: Batch) -> None:
        self.in_flight.discard((emitter, batch.seq))
        self.deliveries[emitter].acknowledged(batch.seq)

    def _fail(self, emitter: int, batch: Batch) -> None:
        self.in_flight.discard((emitter, batch.seq))
        self.deliveries[emitter].failed(batch.seq, now=self.now)

    def _stored(self) -> list[str]:
        reader = self.store.reader()
        try:
            return [row[0] for row in reader.execute("SELECT task_id FROM tasks").fetchall()]
        finally:
            reader.close()


def _row(task_id: str) -> tuple[Any, ...]:
    nothing = (None,) * 8
    return (task_id, None, "fn", "pool", "client", "done", None, None, None, None, 1, *nothing[:7])


TestLossyDelivery = LossyDelivery.TestCase
TestLossyDelivery.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
