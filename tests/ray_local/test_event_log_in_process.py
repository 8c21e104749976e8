"""The log's actor driven as the plain class that it is: what it does between its parts, and spans to a collector."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from actors.event_log.actor import EventLogActor, open_patiently
from actors.event_log.failures import LogLockedError
from actors.event_log.schema import TASKS
from actors.event_log.store import check_path
from actors.runtime.batches import Batch
from actors.runtime.errors import EventLogError

START_US = 1_700_000_000_000_000


def batch(seq: int, **changes: Any) -> bytes:
    row: dict[str, Any] = {column.name: None for column in TASKS.columns}
    row |= {"task_id": f"t{seq}", "name": "charge", "state": "done", "attempts": 1, "worker": "w0"}
    row |= {"submitted_at": START_US, "attempt_at": START_US, "ended_at": START_US + 9, "run_us": 5}
    row |= {"trace_id": 0xAB, "span_id": 0x1, "attempt_span_id": 0x2}
    return pickle.dumps(Batch("e", seq, {"tasks": [[value] for value in (row | changes).values()]}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log" / "events.duckdb"


@pytest.fixture
def start(path: Path) -> Iterator[Any]:
    mask = os.umask(0o022)
    made: list[EventLogActor] = []

    def make(**arguments: Any) -> EventLogActor:
        made.append(EventLogActor("s/event_log/writer#1", 1, path=str(path), **arguments))
        return made[-1]

    yield make
    for actor in made:
        actor.on_stop()
    os.umask(mask)


def test_it_commits_answers_follows_and_counts(start, path: Path):
    actor = start()
    actor.append(batch(1))
    actor.append(batch(1))
    assert actor.query("select task_id from tasks") == [{"task_id": "t1"}]
    page = actor.tail(0)
    assert ([event["task_id"] for event in page.events], actor.tail(page.cursor).events) == (["t1"], [])
    found = actor.statistics()
    assert (found["committed_rows"], found["last_id"], found["otlp"]) == (1, page.cursor, None)
    assert found["file_bytes"] == path.stat().st_size
    assert actor.vital_signs()["committed_rows"] == 1


def test_nobody_else_may_read_what_is_not_yet_in_the_file_proper(start, path: Path):
    start().append(batch(1))
    modes = {entry.name: entry.stat().st_mode & 0o777 for entry in path.parent.iterdir()}
    assert modes == {"events.duckdb": 0o600, "events.duckdb.wal": 0o600}


def test_after_stop_it_takes_nothing_and_says_so(start, path: Path):
    actor = start()
    actor.append(batch(1))
    actor.stop(1)
    with pytest.raises(EventLogError, match="closed"):
        actor.append(batch(2))
    with pytest.raises(EventLogError, match="closed"):
        actor.query("select 1")
    check_path(path)


def test_it_waits_for_a_predecessor_that_is_just_being_killed(path: Path):
    check_path(path)
    code = f"import duckdb, sys\nc = duckdb.connect({str(path)!r})\nprint('open', flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(LogLockedError, match=str(holder.pid)):
            open_patiently(str(path), patience_s=0.05)
        killer = threading.Timer(0.1, holder.kill)
        killer.start()
        open_patiently(str(path), patience_s=20.0).close()


def test_committed_spans_reach_a_collector_and_duplicates_do_not(start):
    received: list[Any] = []

    class Sink(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
            received.extend(
                span for item in request.resource_spans for scope in item.scope_spans for span in scope.spans
            )
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Sink) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        actor = start(otlp_endpoint=f"http://127.0.0.1:{server.server_address[1]}")
        for seq in (1, 1, 2):
            actor.append(batch(seq, state="failed", error_type="OSError", error_text="reset"))
        give_up_at = monotonic() + 20.0
        while len(received) < 4:
            assert monotonic() < give_up_at, "the spans did not arrive in time"
            sleep(0.01)
        actor.on_stop()
        server.shutdown()
    assert [span.name for span in received] == ["charge", "attempt 1"] * 2
    assert received[1].parent_span_id == received[0].span_id
    assert {span.status.message for span in received} == {"OSError: reset"}
    assert actor.statistics()["otlp"]["exported_spans"] == 4
