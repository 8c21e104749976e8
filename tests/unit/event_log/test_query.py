"""What readers may and may not do with SQL."""

from __future__ import annotations

import os
import pickle
from datetime import UTC, datetime

import pytest

from actors.event_log.query import run_query
from actors.event_log.store import EventStore
from actors.runtime.errors import EventLogError, QueryRefusedError


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, batch_of, task_row):
    """One log for all: nothing here can change it, and that is what the tests are about."""
    opened = EventStore(tmp_path_factory.mktemp("log") / "events.duckdb")
    opened.append([batch_of(1, task_row("a"), task_row("b", state="failed"))])
    yield opened
    opened.close()


@pytest.fixture
def ask(store: EventStore):
    def run(sql: str, parameters=None, **limits):
        reader = store.reader()
        try:
            return run_query(reader, sql, parameters, path=store.path, **limits)
        finally:
            reader.close()

    return run


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT task_id FROM tasks ORDER BY 1",
        "from tasks select task_id order by 1;",
        "WITH x AS (FROM tasks) SELECT task_id FROM x ORDER BY task_id -- done",
        "/* why */ select task_id from tasks order by 1",
    ],
)
def test_reading_in_its_many_forms(ask, sql: str):
    assert ask(sql) == [{"task_id": "a"}, {"task_id": "b"}]


@pytest.mark.parametrize("sql", ["explain from tasks", "EXPLAIN ANALYZE (select 1)", "explain (format json) select 1"])
def test_plans_may_be_looked_at(ask, sql: str):
    assert ask(sql)


@pytest.mark.parametrize("parameters", [["a"], ("a",)])
def test_parameters_by_position(ask, parameters):
    assert ask("select state from tasks where task_id = ?", parameters) == [{"state": "done"}]


def test_parameters_by_name(ask):
    assert ask("select task_id from tasks where state = $state", {"state": "failed"}) == [{"task_id": "b"}]


def test_values_are_plain_python_and_pickle(ask):
    (row,) = ask("select submitted_at, [1], {'a': 1}, 'x'::blob, uuid(), 1.5::decimal(3,1) from tasks limit 1")
    assert row["submitted_at"] == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert row["submitted_at"].tzinfo is UTC
    assert pickle.loads(pickle.dumps(row)) == row


def test_columns_of_the_same_name_are_told_apart(ask):
    assert ask("select 1 as a, 2 as a, 3 as a") == [{"a": 1, "a_2": 2, "a_3": 3}]


@pytest.mark.parametrize(
    "sql",
    [
        "insert into tasks (task_id) values ('x')",
        "with x as (insert into ingested values ('x', 1, 1) returning *) select * from x",
        "explain analyze insert into ingested values ('x', 1, 1)",
        "explain analyze with x as (insert into ingested values ('x', 1, 1) returning *) select * from x",
        "explain analyze copy tasks to '{export}/x.csv'",
        "/* a */ explain select 1",
        "delete from tasks",
        "drop table tasks",
        "create table x (a integer)",
        "copy tasks to '{export}/x.csv'",
        "copy tasks to '/tmp/x.csv'",
        "attach '/tmp/x.duckdb'",
        "install httpfs",
        "load httpfs",
        "set threads = 1",
        "set lock_configuration = false",
        "reset threads",
        "pragma database_size",
        "call pragma_version()",
        "checkpoint",
        "begin",
        "export database '/tmp/x'",
        "prepare p as select 1",
        "select 1; select 2",
        "",
        " ; ",
        "-- nothing",
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from glob('/etc/*')",
        "from enable_logging()",
    ],
)
def test_everything_else_is_refused_and_changes_nothing(ask, store: EventStore, sql: str):
    with pytest.raises(QueryRefusedError, match=r"query refused: .+ Exactly one SELECT"):
        ask(sql.format(export=store.export_directory))
    assert ask("select count(*) n from tasks") == [{"n": 2}]
    assert ask("select count(*) n from ingested") == [{"n": 1}]
    assert not store.export_directory.exists()


@pytest.mark.parametrize("sql", ["from '/etc/passwd'", "select getenv('HOME')", "select nosuch from tasks", "selekt 1"])
def test_wrong_sql_is_answered_with_what_duckdb_says(ask, store: EventStore, sql: str):
    with pytest.raises((EventLogError, QueryRefusedError)) as caught:
        ask(sql)
    assert os.environ.get("HOME", "-") not in str(caught.value) or "nosuch" in sql
    assert ask("select 1 as one") == [{"one": 1}]


@pytest.mark.parametrize(
    ("sql", "parameters"), [("select ?", None), ("select ?", [object()]), ("select 1", [1]), ("select $a", {"b": 1})]
)
def test_wrong_parameters_are_an_error_not_a_crash(ask, sql: str, parameters):
    with pytest.raises(EventLogError, match="the query does not work"):
        ask(sql, parameters)


def test_a_query_that_takes_too_long_is_interrupted(ask):
    with pytest.raises(EventLogError, match=r"took longer than 0\.05 s"):
        ask("select sum(a.range * b.range) from range(1000000) a, range(1000000) b", timeout_s=0.05)
    assert ask("select 1 as one") == [{"one": 1}]


def test_too_many_rows_are_an_error_not_a_cut(ask):
    assert len(ask("from range(10)", row_limit=10)) == 10
    with pytest.raises(EventLogError, match=r"more than 10 rows.*LIMIT"):
        ask("from range(11)", row_limit=10)


def test_a_query_that_needs_too_much_memory_says_so(tmp_path):
    small = EventStore(tmp_path / "small.duckdb", memory_limit_mb=20)
    with pytest.raises(EventLogError, match="too much memory"):
        run_query(small.reader(), "select list(range) from range(50000000)")
    small.close()


def test_the_export_folder_may_be_read(tmp_path):
    exporting = EventStore(tmp_path / "it's" / "events.duckdb")
    exporting.export_directory.mkdir()
    (exporting.export_directory / "x.csv").write_text("a\n1\n")
    assert run_query(exporting.reader(), "from read_csv(?)", [f"{exporting.export_directory}/x.csv"]) == [{"a": 1}]
    exporting.close()


def test_the_views_join_a_task_with_its_attempts(ask):
    assert ask("select task_id, attempt, outcome, epoch_us(ended_at) % 1000 us from task_attempts order by 1") == [
        {"task_id": "a", "attempt": 1, "outcome": "done", "us": 150},
        {"task_id": "b", "attempt": 1, "outcome": "failed", "us": 150},
    ]


def test_an_attempt_of_unknown_run_time_lasted_until_its_task_ended(tmp_path, batch_of, task_row):
    """A worker that was killed past a limit cannot tell how long it ran: 0 there is no duration."""
    log = EventStore(tmp_path / "events.duckdb")
    log.append([batch_of(1, task_row("late", state="timeout", run_us=0), task_row("quick", run_us=0))])
    lasted = "select task_id, epoch_us(ended_at) - epoch_us(started_at) as us from task_attempts order by 1"
    assert run_query(log.reader(), lasted) == [{"task_id": "late", "us": 100}, {"task_id": "quick", "us": 0}]
    log.close()
