"""The log's file: real files, real locks, real limits."""

from __future__ import annotations

import os
import pickle
import resource
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from actors.event_log.failures import LogBrokenError, LogLockedError, explain
from actors.event_log.migrate import known_migrations
from actors.event_log.store import BatchState, EventStore, check_path
from actors.runtime.batches import Batch
from actors.runtime.errors import EventLogError

NOBODY = 65534


@contextmanager
def file_size_limit(limit: int) -> Generator[None]:
    """A disk that is full for this process: writing a file beyond `limit` bytes fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


@contextmanager
def unprivileged(folder: Path) -> Generator[None]:
    """An ordinary user for whom permissions count, if this one is root."""
    if os.geteuid() != 0:
        yield
        return
    for parent in (folder, *folder.parents):
        if parent.stat().st_uid == 0 and parent.is_relative_to("/tmp") and parent != Path("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o055)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def states(outcomes) -> list[BatchState]:
    return [outcome.state for outcome in outcomes]


class TestAppend:
    def test_rows_come_back_as_they_were_emitted(self, store, batch_of, task_row, read):
        store.append([batch_of(1, task_row("t1", error_text="é\x00'\n", parent_span_id="00000000000000ff"))])
        (row,) = read(
            "SELECT task_id, error_text, epoch_us(submitted_at), run_us, trace_id, parent_span_id, ingest_id FROM tasks"
        )
        assert row == ("t1", "é\x00'\n", 1_700_000_000_000_000, 50, "0" * 30 + "ab", "0" * 14 + "ff", 1)

    def test_rows_of_several_batches_and_tables_are_numbered_in_order(self, store, batch_of, task_row, read):
        restart = ("worker/w0", 1, 2, "killed", None, "pool", 5.0, 1_700_000_000_000_000, 1)
        store.append([batch_of(1, task_row("a"), task_row("b")), batch_of(2, restart, table="restarts")])
        store.append([batch_of(3, task_row("c"))])
        assert read("SELECT task_id, ingest_id FROM tasks ORDER BY ingest_id") == [("a", 1), ("b", 2), ("c", 4)]
        assert (read("SELECT ingest_id, delay_ms FROM restarts"), store.last_id) == ([(3, 5.0)], 4)

    def test_a_replayed_batch_changes_nothing(self, store, batch_of, task_row, read):
        first, second = batch_of(1, task_row("a")), batch_of(2, task_row("b"))
        assert states(store.append([second, first])) == [BatchState.COMMITTED] * 2
        assert states(store.append([first, batch_of(3, task_row("c")), second])) == [
            BatchState.DUPLICATE,
            BatchState.COMMITTED,
            BatchState.DUPLICATE,
        ]
        assert read("SELECT task_id FROM tasks ORDER BY 1") == [("a",), ("b",), ("c",)]

    def test_a_batch_given_twice_at_once_is_taken_once(self, store, batch_of, task_row, read):
        batch = batch_of(1, task_row("a"))
        assert states(store.append([batch, batch_of(1, task_row("a"))])) == [BatchState.COMMITTED, BatchState.DUPLICATE]
        assert read("SELECT count(*) FROM tasks") == [(1,)]

    def test_the_same_number_of_another_epoch_is_another_batch(self, store, batch_of, task_row, read):
        store.append([batch_of(1, task_row("a")), batch_of(1, task_row("b"), epoch="f")])
        assert read("SELECT count(*) FROM tasks") == [(2,)]

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"state": "exploded"}, "CHECK"),
            ({"task_id": None}, "NOT NULL"),
            ({"attempts": "three"}, "three"),
            ({"run_us": 1 << 70}, ""),
            ({"error_text": object()}, "object"),
        ],
    )
    def test_a_batch_with_a_bad_row_is_refused_alone(self, store, batch_of, task_row, read, changes, reason):
        good, bad = batch_of(1, task_row("a")), batch_of(2, task_row("b"), task_row(**changes))
        later = batch_of(3, task_row("d"))
        outcomes = store.append([good, bad, later])
        assert states(outcomes) == [BatchState.COMMITTED, BatchState.REFUSED, BatchState.COMMITTED]
        assert outcomes[1].error is not None
        assert reason in outcomes[1].error.reason
        assert read("SELECT task_id FROM tasks ORDER BY 1") == [("a",), ("d",)]

    def test_a_batch_of_the_wrong_shape_is_refused_and_the_others_stay_together(self, store, batch_of, task_row, read):
        outcomes = store.append([batch_of(1, (1, 2)), batch_of(2, task_row("a")), Batch("e", 3, {"nowhere": [[1]]})])
        assert states(outcomes) == [BatchState.REFUSED, BatchState.COMMITTED, BatchState.REFUSED]
        assert read("SELECT count(*) FROM tasks") == [(1,)]

    def test_text_that_utf8_cannot_hold_costs_a_character_not_the_batch(self, store, batch_of, task_row, read):
        outcomes = store.append([batch_of(1, task_row("a", error_text="x\ud800y"), task_row("b"))])
        assert states(outcomes) == [BatchState.COMMITTED]
        assert read("SELECT task_id, error_text FROM tasks ORDER BY 1") == [("a", "x?y"), ("b", None)]

    def test_nothing_to_append_is_nothing(self, store):
        assert store.append([]) == ()
        assert store.last_id == 0

    def test_rows_move_into_the_file_proper_while_it_is_open(self, store, path: Path, batch_of, task_row):
        wal = path.with_name(path.name + ".wal")
        sizes: list[int] = []
        for seq in range(30):
            store.append([batch_of(seq, task_row("a", error_text=os.urandom(500_000).hex()))])
            sizes.append(wal.stat().st_size if wal.exists() else 0)
        assert max(sizes) < 25_000_000
        assert path.stat().st_size > 3_000_000


class TestFullDisk:
    def test_the_append_fails_and_works_again_once_there_is_room(self, store, batch_of, task_row, read):
        store.append([batch_of(1, task_row("before"))])
        big = batch_of(2, task_row("big", error_text="x" * 2_000_000))
        with file_size_limit(600_000):
            for _ in range(2):
                with pytest.raises(EventLogError, match=r"disk is full.*Free space"):
                    store.append([big])
            assert read("SELECT task_id FROM tasks") == [("before",)]
        assert states(store.append([big])) == [BatchState.COMMITTED]
        store.close()
        reopened = EventStore(store.path)
        assert reopened.reader().execute("SELECT count(*) FROM tasks").fetchall() == [(2,)]
        reopened.close()

    def test_closing_on_a_full_disk_keeps_what_is_committed(self, store, batch_of, task_row):
        store.append([batch_of(1, task_row("a", error_text="x" * 300_000))])
        with file_size_limit(100):
            store.close()
        reopened = EventStore(store.path)
        assert reopened.reader().execute("SELECT task_id FROM tasks").fetchall() == [("a",)]
        reopened.close()

    def test_a_log_is_not_begun_there(self, path: Path):
        path.parent.mkdir()
        with file_size_limit(100), pytest.raises(EventLogError, match="disk is full"):
            EventStore(path)
        assert list(path.parent.iterdir()) == []


class TestOpening:
    def test_file_and_folder_are_for_this_user_only(self, store, path: Path):
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert [entry.name for entry in path.parent.iterdir() if entry.name.endswith(".new")] == []

    def test_what_was_committed_is_there_and_numbers_go_on(self, store, path: Path, batch_of, task_row):
        store.append([batch_of(1, task_row("a"))])
        store.close()
        reopened = EventStore(path)
        assert states(reopened.append([batch_of(1, task_row("a")), batch_of(2, task_row("b"))])) == [
            BatchState.DUPLICATE,
            BatchState.COMMITTED,
        ]
        assert reopened.reader().execute("SELECT max(ingest_id) FROM tasks").fetchone() == (reopened.last_id,)
        reopened.close()

    def test_numbers_are_not_used_again_after_old_rows_are_gone(self, store, path: Path, batch_of, task_row):
        store.append([batch_of(1, task_row("a"), task_row("b"))])
        store._writer.execute("DELETE FROM tasks")
        store.close()
        reopened = EventStore(path)
        assert reopened.last_id == 2
        reopened.close()

    def test_migrations_are_recorded_and_numbered_without_gaps(self, store, read):
        migrations = known_migrations()
        assert [migration.version for migration in migrations] == list(range(1, len(migrations) + 1))
        assert read("SELECT version, name FROM schema_migrations ORDER BY 1") == [
            (migration.version, migration.name) for migration in migrations
        ]

    def test_check_path_leaves_a_log_ready_and_unlocked(self, path: Path):
        check_path(path)
        check_path(path)
        EventStore(path).close()

    def test_a_relative_path_works(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.chdir(tmp_path)
        check_path("events.duckdb")
        assert (tmp_path / "events.duckdb").exists()


class TestRefusedFiles:
    def test_a_file_of_a_newer_schema(self, path: Path):
        check_path(path)
        connection = duckdb.connect(path)
        connection.execute("INSERT INTO schema_migrations (version, name) VALUES (99, 'future')")
        connection.close()
        with pytest.raises(EventLogError, match=r"schema version 99.* up to \d+\. Upgrade ray-supervisor"):
            EventStore(path)
        duckdb.connect(path).close()

    def test_a_database_of_something_else(self, path: Path):
        path.parent.mkdir()
        connection = duckdb.connect(path)
        connection.execute("CREATE TABLE penguins (name VARCHAR)")
        connection.close()
        with pytest.raises(EventLogError, match=r"something else \(it holds penguins\)"):
            EventStore(path)

    @pytest.mark.parametrize("content", [b"", b"hello world " * 1000])
    def test_a_file_that_is_no_database(self, path: Path, content: bytes):
        path.parent.mkdir()
        path.write_bytes(content)
        with pytest.raises(EventLogError, match=r"not a DuckDB database.*Move it away"):
            EventStore(path)
        assert path.read_bytes() == content

    def test_a_damaged_file(self, path: Path):
        check_path(path)
        content = bytearray(path.read_bytes())
        for position in range(12_288, len(content)):
            content[position] ^= 0x5A
        path.write_bytes(content)
        with pytest.raises(EventLogError, match=r"damaged.*restore a copy"):
            EventStore(path)

    def test_a_file_cut_short(self, path: Path):
        check_path(path)
        path.write_bytes(path.read_bytes()[:20_000])
        with pytest.raises(EventLogError, match="damaged"):
            EventStore(path)

    def test_a_folder(self, tmp_path: Path):
        with pytest.raises(EventLogError, match=r"it is a folder.*Name a file"):
            EventStore(tmp_path)

    def test_a_path_below_a_file(self, tmp_path: Path):
        (tmp_path / "file").touch()
        with pytest.raises(EventLogError, match="folder does not exist and cannot be created"):
            EventStore(tmp_path / "file" / "events.duckdb")

    def test_a_file_open_in_this_process(self, store, path: Path):
        with pytest.raises(LogLockedError) as caught:
            EventStore(path)
        assert caught.value.pid == os.getpid()
        assert store.append([]) == ()

    def test_a_file_open_in_another_process_names_it(self, path: Path):
        code = f"import duckdb, sys\nc = duckdb.connect({str(path)!r})\nprint('open', flush=True)\nsys.stdin.read()"
        check_path(path)
        holder = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "open\n"
            with pytest.raises(LogLockedError, match=f"process {holder.pid} has it open") as caught:
                EventStore(path)
            assert caught.value.pid == holder.pid
            holder.kill()

    def test_a_folder_that_may_not_be_written(self, path: Path):
        path.parent.mkdir(mode=0o555)
        with unprivileged(path.parent), pytest.raises(EventLogError, match=r"may not write.*write permission"):
            EventStore(path)

    def test_a_file_that_may_not_be_written(self, path: Path):
        check_path(path)
        path.chmod(0o444)
        with unprivileged(path.parent), pytest.raises(EventLogError, match="may not write"):
            EventStore(path)

    def test_a_folder_that_may_not_be_created(self, tmp_path: Path):
        (tmp_path / "closed").mkdir(mode=0o555)
        with unprivileged(tmp_path / "closed"), pytest.raises(EventLogError, match="may not write"):
            EventStore(tmp_path / "closed" / "log" / "events.duckdb")


class TestClosed:
    def test_a_closed_log_says_so(self, store):
        store.close()
        store.close()
        with pytest.raises(EventLogError, match="it is closed"):
            store.append([])
        with pytest.raises(EventLogError, match="it is closed"):
            store.reader()


class TestFailures:
    def test_a_fatal_failure_asks_for_a_new_opening(self):
        error = explain("p", duckdb.FatalException("FATAL Error: database has been invalidated\nmore"))
        assert isinstance(error, LogBrokenError)
        assert "invalidated" in str(error)

    def test_an_unknown_failure_keeps_its_first_line(self):
        error = explain("p", duckdb.IOException("odd\nmore"))
        assert (error.path, error.reason) == ("p", "odd")

    def test_an_explained_failure_stays_as_it_is(self):
        error = LogLockedError("p", pid=0)
        assert explain("p", error) is error
        assert "another process" in str(error)

    @pytest.mark.parametrize("error", [LogLockedError("p", pid=7), LogBrokenError("p", reason="r")])
    def test_failures_cross_processes(self, error: EventLogError):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
