"""The emitter's thread, with transports that answer from other threads, late, wrongly or never."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from time import monotonic, process_time, sleep

import pytest

from actors.runtime.emitter import Batch, BatchRefusedError, Emitter

Done = Callable[[BaseException | None], None]


class Recorder:
    """A transport that notes what it gets and answers from its own thread as `answer` says."""

    def __init__(self, answer: Callable[[Batch, int], BaseException | None] = lambda batch, attempt: None) -> None:
        self.sent: list[Batch] = []
        self._attempts: Counter[int] = Counter()
        self._answer = answer

    def send(self, batch: Batch, done: Done) -> None:
        self.sent.append(batch)
        self._attempts[batch.seq] += 1
        answer = self._answer(batch, self._attempts[batch.seq])
        threading.Thread(target=done, args=(answer,), daemon=True).start()

    def rows(self) -> list[object]:
        """The first values of the rows, each batch once, in order."""
        batches = {batch.seq: batch for batch in self.sent}
        return [value for seq in sorted(batches) for value in batches[seq].tables["t"][0]]


class Silent:
    """A transport that never answers."""

    def __init__(self) -> None:
        self.sent: list[Batch] = []

    def send(self, batch: Batch, done: Done) -> None:
        self.sent.append(batch)


@pytest.fixture
def emitter_of():
    made: list[Emitter] = []

    def make(transport: Recorder | Silent, **settings: float) -> Emitter:
        emitter = Emitter(transport, **settings)  # type: ignore[arg-type]
        made.append(emitter)
        return emitter

    yield make
    for emitter in made:
        emitter.close(0.0)


def eventually(condition: Callable[[], bool], *, within_s: float = 5.0) -> None:
    give_up_at = monotonic() + within_s
    while not condition():
        assert monotonic() < give_up_at, "the condition did not come true in time"
        sleep(0.002)


def test_rows_arrive_in_order_without_anybody_asking(emitter_of):
    transport = Recorder()
    emitter = emitter_of(transport)
    assert all(emitter.emit("t", (number,)) for number in range(2_500))
    eventually(lambda: emitter.statistics().acknowledged_rows == 2_500)
    assert transport.rows() == list(range(2_500))


def test_flush_returns_once_everything_emitted_before_it_is_acknowledged(emitter_of):
    emitter = emitter_of(Recorder(), flush_s=60.0)
    emitter.emit("t", (1,))
    assert emitter.flush(5.0)
    assert emitter.statistics().acknowledged_rows == 1


def test_flush_of_an_empty_emitter_returns_at_once(emitter_of):
    assert emitter_of(Silent()).flush(0.0)


def test_flush_gives_up_when_nobody_answers(emitter_of):
    emitter = emitter_of(Silent())
    emitter.emit("t", (1,))
    assert not emitter.flush(0.01)


def test_a_failed_batch_is_sent_again_unchanged(emitter_of):
    transport = Recorder(lambda batch, attempt: ConnectionError("writer died") if attempt < 3 else None)
    emitter = emitter_of(transport)
    emitter.emit("t", (1,))
    assert emitter.flush(5.0)
    assert [batch.seq for batch in transport.sent] == [1, 1, 1]
    assert transport.sent[0] is transport.sent[2]
    assert (emitter.statistics().failures, emitter.statistics().last_error) == (2, "writer died")


def test_a_transport_that_raises_is_a_failure_like_any_other(emitter_of):
    class Raising(Recorder):
        def send(self, batch: Batch, done: Done) -> None:
            if not self.sent:
                self.sent.append(batch)
                raise RuntimeError("no such actor")
            super().send(batch, done)

    emitter = emitter_of(Raising())
    emitter.emit("t", (1,))
    assert emitter.flush(5.0)
    assert emitter.statistics().last_error == "no such actor"


def test_a_refused_batch_is_set_aside_and_the_rest_goes_on(emitter_of):
    class Wrapped(Exception):  # noqa: N818 - the shape of Ray's own
        cause = BatchRefusedError("e", 2, reason="width")

    answers: dict[int, BaseException] = {1: BatchRefusedError("e", 1, reason="width"), 2: Wrapped()}
    emitter = emitter_of(Recorder(lambda batch, _: answers.get(batch.seq)))
    for number in range(3):
        emitter.emit("t", (number,))
        assert emitter.flush(5.0)
    found = emitter.statistics()
    assert (found.refused_rows, found.acknowledged_rows, found.failures) == (2, 1, 0)


def test_a_full_emitter_drops_counts_and_says_so(emitter_of):
    emitter = emitter_of(Silent(), limit_rows=10)
    accepted = [emitter.emit("t", (number,)) for number in range(15)]
    assert (accepted.count(False), emitter.statistics().dropped_rows) == (5, 5)


def test_rows_emitted_together_are_sent_and_those_that_do_not_fit_told(emitter_of):
    transport = Recorder()
    emitter = emitter_of(transport)
    assert emitter.emit_all("t", [(1,), (2,)])
    assert emitter.flush(5.0)
    assert transport.rows() == [1, 2]
    full = emitter_of(Silent(), limit_rows=3)
    assert not full.emit_all("t", [(number,) for number in range(5)])
    assert full.statistics().dropped_rows == 2
    assert full.close(0.01) is False
    assert not full.emit_all("t", [(6,)])
    assert full.statistics().dropped_rows == 3


def test_a_closed_emitter_takes_no_more(emitter_of):
    transport = Recorder()
    emitter = emitter_of(transport, flush_s=60.0)
    emitter.emit("t", (1,))
    assert emitter.close(5.0)
    assert not emitter.emit("t", (2,))
    assert (transport.rows(), emitter.statistics().dropped_rows) == ([1], 1)


def test_close_tells_when_rows_were_left_behind(emitter_of):
    emitter = emitter_of(Silent())
    emitter.emit("t", (1,))
    assert not emitter.close(0.01)


def test_many_threads_lose_nothing_and_keep_their_own_order(emitter_of):
    transport = Recorder()
    emitter = emitter_of(transport)

    def emit_all(thread: int) -> None:
        for number in range(2_000):
            assert emitter.emit("t", ((thread, number),))

    threads = [threading.Thread(target=emit_all, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert emitter.flush(10.0)
    rows = transport.rows()
    assert len(rows) == 8_000
    assert [row for row in rows if row[0] == 2] == [(2, number) for number in range(2_000)]  # type: ignore[index]


def test_single_rows_with_pauses_between_them_are_never_forgotten(emitter_of):
    emitter = emitter_of(Recorder(), flush_s=0.0)
    for number in range(200):
        emitter.emit("t", (number,))
        eventually(lambda expected=number + 1: emitter.statistics().acknowledged_rows == expected)


def test_an_idle_emitter_sleeps_until_it_is_woken(emitter_of):
    emitter = emitter_of(Recorder())
    eventually(lambda: emitter._wake_at == 1)
    before = process_time()
    assert not threading.Event().wait(0.2)
    assert process_time() - before < 0.1
    assert emitter._delivery.wait_s(now=0.0) is None
