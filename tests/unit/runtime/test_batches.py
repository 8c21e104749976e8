"""Batches and their delivery, decided without time, threads or a log."""

from __future__ import annotations

import pickle

import pytest

from actors.runtime.batches import BATCH_ROWS, Batch, BatchRefusedError, Delivery, EmitterBuffer


def buffer_of(rows: int, *, limit_rows: int = 100) -> EmitterBuffer:
    buffer = EmitterBuffer(epoch="e", limit_rows=limit_rows)
    for number in range(rows):
        assert buffer.add("tasks", (number, str(number)))
    return buffer


class TestBuffer:
    def test_a_batch_holds_the_oldest_rows_as_columns(self):
        buffer = buffer_of(3)
        assert buffer.take(2) == Batch("e", 1, {"tasks": [[0, 1], ["0", "1"]]})
        assert buffer.take(2) == Batch("e", 2, {"tasks": [[2], ["2"]]})
        assert buffer.take(2) is None

    def test_a_batch_groups_rows_by_table(self):
        buffer = EmitterBuffer(epoch="e")
        for table, row in [("a", (1,)), ("b", (2, 3)), ("a", (4,))]:
            buffer.add(table, row)
        batch = buffer.take()
        assert batch is not None
        assert (batch.tables, batch.rows) == ({"a": [[1, 4]], "b": [[2], [3]]}, 3)

    def test_a_batch_is_kept_unchanged_until_it_is_acknowledged(self):
        buffer = buffer_of(4)
        first, second = buffer.take(2), buffer.take(2)
        assert buffer.resend() == (first, second)
        buffer.acknowledge(1)
        assert (buffer.resend(), buffer.unacknowledged, buffer.acknowledged_rows) == ((second,), 1, 2)

    def test_rows_are_unacknowledged_in_a_batch_and_before_it_until_they_are_settled(self):
        buffer = buffer_of(6)
        buffer.add("tasks", ("of another width",))
        assert buffer.unacknowledged_rows == 7
        buffer.take(2)
        buffer.take(2)
        assert buffer.unacknowledged_rows == 7
        buffer.acknowledge(1)
        buffer.refuse(2)
        assert buffer.unacknowledged_rows == 3
        buffer.take()
        assert (buffer.unacknowledged_rows, buffer.dropped) == (2, 1)

    def test_a_second_or_unknown_acknowledgement_changes_nothing(self):
        buffer = buffer_of(2)
        buffer.take()
        for seq in (1, 1, 99):
            buffer.acknowledge(seq)
        buffer.refuse(1)
        assert (buffer.unacknowledged, buffer.acknowledged_rows, buffer.refused_rows) == (0, 2, 0)

    def test_it_is_bounded_by_all_the_rows_it_keeps(self):
        buffer = buffer_of(4, limit_rows=4)
        buffer.take(3)
        assert [buffer.add("tasks", (9, "9")) for _ in range(2)] == [0, 0]
        assert (buffer.pending_rows, buffer.dropped) == (1, 2)
        buffer.acknowledge(1)
        assert [buffer.add("tasks", (9, "9")) for _ in range(4)] == [2, 3, 4, 0]

    def test_rows_accepted_together_are_bounded_too_and_those_at_the_end_dropped(self):
        buffer = buffer_of(1, limit_rows=4)
        rows = [(number, str(number)) for number in (1, 2, 3, 4, 5)]
        assert [buffer.add_all("tasks", chunk) for chunk in (rows[:2], rows[2:], rows, [])] == [2, 1, 0, 0]
        batch = buffer.take()
        assert batch is not None
        assert (batch.tables["tasks"][0], buffer.dropped) == ([0, 1, 2, 3], 7)

    def test_a_row_of_another_width_is_dropped_and_counted_not_sent(self):
        buffer = buffer_of(2)
        buffer.add("tasks", (1, "2", "too many"))
        buffer.add("tasks", (3, "3"))
        batch = buffer.take()
        assert batch is not None
        assert (batch.tables, buffer.dropped) == ({"tasks": [[0, 1, 3], ["0", "1", "3"]]}, 1)

    def test_malformed_rows_alone_form_no_batch_and_are_settled(self):
        buffer = buffer_of(1)
        buffer.take()
        buffer.acknowledge(1)
        buffer.add("tasks", ("narrow",))
        assert (buffer.take(), buffer.settled_rows, buffer.taken_rows) == (None, 2, 2)

    def test_settled_rows_count_from_the_first_without_a_gap(self):
        buffer = buffer_of(6)
        for _ in range(3):
            buffer.take(2)
        buffer.acknowledge(2)
        assert buffer.settled_rows == 0
        buffer.acknowledge(1)
        assert buffer.settled_rows == 4
        buffer.refuse(3)
        assert (buffer.settled_rows, buffer.refused_rows) == (6, 2)

    def test_a_batch_of_an_empty_table_has_no_rows(self):
        assert Batch("e", 1, {"tasks": []}).rows == 0


class TestDelivery:
    def test_nothing_is_due_and_nothing_to_wait_for_while_there_are_no_rows(self):
        delivery = Delivery(buffer_of(0))
        assert (delivery.due(now=0.0), delivery.wait_s(now=0.0), delivery.wake_at_rows(now=0.0)) == ((), None, 1)

    def test_a_lone_row_waits_for_company_and_then_goes(self):
        delivery = Delivery(buffer_of(1), flush_s=0.02)
        assert delivery.due(now=10.0) == ()
        assert delivery.wait_s(now=10.005) == pytest.approx(0.015)
        assert delivery.wake_at_rows(now=10.0) == 1_000
        assert [batch.seq for batch in delivery.due(now=10.02)] == [1]

    def test_enough_rows_go_at_once(self):
        delivery = Delivery(buffer_of(5), flush_rows=5)
        assert [batch.rows for batch in delivery.due(now=0.0)] == [5]

    def test_no_more_than_max_in_flight_are_sent(self):
        delivery = Delivery(buffer_of(2 * BATCH_ROWS + 1_000, limit_rows=99_999), max_in_flight=2)
        assert [batch.seq for batch in delivery.due(now=0.0)] == [1, 2]
        assert (delivery.due(now=1.0), delivery.wait_s(now=1.0), delivery.wake_at_rows(now=1.0)) == (
            (),
            None,
            float("inf"),
        )
        delivery.acknowledged(2)
        assert [batch.seq for batch in delivery.due(now=1.0)] == [3]

    def test_after_a_failure_the_kept_batches_go_first_and_in_order(self):
        delivery = Delivery(buffer_of(2 * BATCH_ROWS + 1_000, limit_rows=99_999), max_in_flight=2)
        sent = delivery.due(now=0.0)
        delivery.failed(2, now=0.0)
        delivery.failed(1, now=0.0)
        assert delivery.due(now=0.0) == ()
        assert delivery.due(now=5.0) == sent

    def test_waits_double_from_50_ms_to_1_s_and_begin_anew_after_a_success(self):
        delivery = Delivery(buffer_of(2_000, limit_rows=9_999))
        waits: list[float | None] = []
        for _ in range(7):
            delivery.due(now=100.0)
            delivery.failed(1, now=0.0)
            waits.append(delivery.wait_s(now=0.0))
        assert waits == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
        assert (delivery.wake_at_rows(now=0.0), delivery.failures) == (float("inf"), 7)
        delivery.due(now=100.0)
        delivery.acknowledged(1)
        delivery.buffer.add("tasks", (1, "1"))
        assert delivery.due(now=0.0) == ()
        delivery.failed(1, now=0.0)
        assert delivery.wait_s(now=0.0) == 0.05

    def test_a_refused_batch_is_not_sent_again(self):
        delivery = Delivery(buffer_of(2_000, limit_rows=9_999))
        delivery.due(now=0.0)
        delivery.refused(1)
        assert (delivery.due(now=9.0), delivery.buffer.refused_rows) == ((), 2_000)

    def test_urged_rows_do_not_wait_for_company_and_later_ones_do(self):
        delivery = Delivery(buffer_of(3))
        assert delivery.urge() == 3
        assert [batch.rows for batch in delivery.due(now=0.0)] == [3]
        delivery.buffer.add("tasks", (1, "1"))
        assert delivery.due(now=0.0) == ()

    def test_malformed_rows_alone_are_not_sent(self):
        buffer = buffer_of(1)
        delivery = Delivery(buffer)
        delivery.urge()
        delivery.due(now=0.0)
        buffer.add("tasks", ("narrow",))
        delivery.urge()
        assert (delivery.due(now=0.0), buffer.pending_rows) == ((), 0)


def test_batches_and_refusals_cross_processes_whole():
    batch = Batch("e", 7, {"tasks": [[1], [None]]})
    error = BatchRefusedError("e", 7, reason="no such table")
    again = pickle.loads(pickle.dumps(error))
    assert pickle.loads(pickle.dumps(batch)) == batch
    assert (again.epoch, again.seq, again.reason, str(again)) == ("e", 7, "no such table", str(error))
