"""Group commit with real threads and a real file."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

import pytest

from actors.event_log.committer import GroupCommitter
from actors.event_log.failures import LogBrokenError
from actors.event_log.store import BatchOutcome, EventStore
from actors.runtime.batches import Batch, BatchRefusedError
from actors.runtime.errors import EventLogError


@pytest.fixture
def committer(store: EventStore):
    made = GroupCommitter(store)
    yield made
    made.close()


def test_many_senders_share_commits_and_each_returns_after_its_own(committer, batch_of, task_row, read):
    batches = [batch_of(seq, task_row(f"{epoch}{seq}"), epoch=epoch) for epoch in "abcd" for seq in range(1, 26)]
    with ThreadPoolExecutor(16) as senders:
        list(senders.map(committer.append, batches))
    assert read("SELECT count(*), count(DISTINCT task_id) FROM tasks") == [(100, 100)]
    assert committer.committed_rows == 100
    assert committer.commits < 100


def test_a_refused_batch_fails_its_sender_alone(committer, batch_of, task_row, read):
    committer.append(batch_of(1, task_row("a")))
    with pytest.raises(BatchRefusedError, match="18 columns"):
        committer.append(batch_of(2, (1, 2)))
    committer.append(batch_of(3, task_row("b")))
    assert (read("SELECT count(*) FROM tasks"), committer.refused_batches) == ([(2,)], 1)


def test_those_who_wait_for_news_are_woken_by_a_commit(committer, store, batch_of, task_row):
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(committer.wait_beyond, store.last_id, 10.0)
        committer.append(batch_of(1, task_row("a")))
        assert waiting.result(10.0)
    assert not committer.wait_beyond(store.last_id, 0.0)


def test_those_who_wait_for_news_are_released_by_the_end(store):
    committer = GroupCommitter(store)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(committer.wait_beyond, store.last_id, 60.0)
        committer.close()
        assert not waiting.result(10.0)


def test_a_closed_committer_takes_no_more(store, batch_of, task_row):
    committer = GroupCommitter(store)
    committer.append(batch_of(1, task_row("a")))
    committer.close()
    with pytest.raises(EventLogError, match="closed"):
        committer.append(batch_of(2, task_row("b")))


def test_it_tells_which_batches_are_new(store, batch_of, task_row):
    told: list[int] = []
    committer = GroupCommitter(store, on_committed=lambda batches: told.extend(batch.seq for batch in batches))
    for seq in (1, 1, 2):
        committer.append(batch_of(seq, task_row("a")))
    committer.close()
    assert told == [1, 2]


def test_a_closed_store_fails_senders_with_the_reason(committer, store, batch_of, task_row):
    store.close()
    with pytest.raises(EventLogError, match=r"closed.*next incarnation"):
        committer.append(batch_of(1, task_row("a")))
    assert (committer.failures, "it is closed" in committer.last_error) == (1, True)


class _Failing(EventStore):
    failure: Exception

    def append(self, batches: Sequence[Batch]) -> tuple[BatchOutcome, ...]:
        raise self.failure


@pytest.mark.parametrize(
    ("failure", "ends"), [(LogBrokenError("p", reason="invalid"), True), (KeyError("a bug"), False)]
)
def test_no_failure_leaves_a_sender_waiting(tmp_path, batch_of, task_row, failure: Exception, ends: bool):
    broken = threading.Event()
    store = _Failing(tmp_path / "failing.duckdb")
    store.failure = failure
    committer = GroupCommitter(store, on_broken=broken.set)
    for seq in (1, 2):
        with pytest.raises(EventLogError):
            committer.append(batch_of(seq, task_row("a")))
    committer.close()
    store.close()
    assert broken.is_set() == ends


class _Gated(EventStore):
    """Says when an append has begun, and lets it go on when told."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.begun, self.gate = threading.Event(), threading.Event()

    def append(self, batches: Sequence[Batch]) -> tuple[BatchOutcome, ...]:
        self.begun.set()
        assert self.gate.wait(10.0)
        return super().append(batches)


def test_groups_are_committed_in_the_order_of_emission(tmp_path, batch_of, task_row):
    store = _Gated(tmp_path / "gated.duckdb")
    committer = GroupCommitter(store)
    with ThreadPoolExecutor(8) as senders:
        senders.submit(committer.append, batch_of(1, task_row("first"), epoch="other"))
        assert store.begun.wait(10.0)
        for seq in (4, 3, 2, 1):
            senders.submit(committer.append, batch_of(seq, task_row(f"t{seq}")))
        give_up_at = monotonic() + 10.0
        while len(committer._queue) < 4 and monotonic() < give_up_at:
            sleep(0.001)
        store.gate.set()
    committer.close()
    reader = store.reader()
    order = [row[0] for row in reader.execute("SELECT task_id FROM tasks ORDER BY ingest_id").fetchall()]
    reader.close()
    store.close()
    assert (order, committer.commits) == (["first", "t1", "t2", "t3", "t4"], 2)


def test_a_batch_without_rows_is_acknowledged(committer):
    committer.append(Batch("e", 1, {}))
