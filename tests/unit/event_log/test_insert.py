from __future__ import annotations

import pytest

from actors.event_log.insert import MergedRows, fault, insert_statement, merge, with_clean_text
from actors.event_log.schema import RESTARTS, TASKS
from actors.runtime.batches import Batch


def columns(table=TASKS, rows: int = 1) -> list[list[object]]:
    return [[None] * rows for _ in range(table.width)]


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"tasks": columns()}, ""),
        ({}, ""),
        ({"tusks": columns()}, "there is no table 'tusks'"),
        ({"tasks": columns()[:-1]}, "table tasks has 18 columns, the batch 17"),
        ({"tasks": [*columns()[:-1], []]}, "differ in length"),
    ],
)
def test_the_shape_of_a_batch_is_checked(tables, said: str):
    found = fault(Batch("e", 1, tables))
    assert said in found
    assert bool(said) == bool(found)


def test_merging_keeps_the_order_and_numbers_each_row_once():
    first = Batch("e", 1, {"tasks": columns(rows=2), "restarts": columns(RESTARTS)})
    second = Batch("f", 1, {"tasks": columns(rows=1)})
    merged = merge([(first, 11), (second, 14)])
    assert {name: rows.ids for name, rows in merged.items()} == {
        "tasks": [range(11, 13), range(14, 15)],
        "restarts": [range(13, 14)],
    }
    assert [len(column) for column in merged["tasks"].columns] == [3] * TASKS.width
    assert len(first.tables["tasks"][0]) == 2


def restart_rows(**changes: list[object]) -> MergedRows:
    values = {column.name: [None, None] for column in RESTARTS.columns} | changes
    return MergedRows(list(values.values()), [range(1, 3)])


def test_a_column_is_handed_over_in_the_cheapest_way_that_keeps_it():
    rows = restart_rows(
        child=["a", "b"],
        from_incarnation=[1, 2],
        exit_class=["killed", "killed"],
        delay_ms=[0.5, 1.5],
        at_time=[10, None],
    )
    statement = insert_statement("restarts", rows)
    assert statement.parameters == ["a\x1fb", "1,2", "killed", [0.5, 1.5], [10, None], 1, 3]
    assert statement.sql.startswith("INSERT INTO restarts (child, from_incarnation,")
    assert statement.sql.count("NULL") == 4


@pytest.mark.parametrize("texts", [["a", None], ["a", "b\x1fc"], ["a", 1]])
def test_texts_that_one_text_cannot_hold_are_handed_over_one_by_one(texts: list[object]):
    assert insert_statement("restarts", restart_rows(child=texts)).parameters[0] == texts


def test_ids_of_rows_that_do_not_follow_each_other_are_handed_over_one_by_one():
    rows = restart_rows(child=["a", "b"])
    rows.ids[:] = [range(7, 8), range(9, 10)]
    assert insert_statement("restarts", rows).parameters[-1] == [7, 9]


def test_ids_given_as_numbers_or_as_digits_come_out_alike():
    def trace_parameter(values: list[object]) -> object:
        all_columns = columns(rows=len(values))
        all_columns[14] = values
        return insert_statement("tasks", MergedRows(all_columns, [range(1, 1 + len(values))])).parameters[0]

    big = (1 << 128) - 1
    assert trace_parameter([big, 1]) == "f" * 32 + "," + "0" * 31 + "1"
    assert trace_parameter([big, None, "ab"]) == ["f" * 32, None, "ab"]
    assert trace_parameter([big]) == "f" * 32


def test_text_that_utf8_cannot_hold_is_made_whole():
    batch = Batch("e", 1, {"tasks": [["ok", "bad \ud800"], [1, None]]})
    assert with_clean_text(batch) == Batch("e", 1, {"tasks": [["ok", "bad ?"], [1, None]]})
