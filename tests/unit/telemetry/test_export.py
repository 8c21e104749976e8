"""Spans sent over real HTTP to a sink that decodes what it gets."""

from __future__ import annotations

import gzip
import sys
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from actors.telemetry.export import SpanExport
from actors.telemetry.span import SpanRow

TASK = SpanRow(
    trace_id=0xABC,
    span_id=0x1,
    parent_span_id=None,
    name="charge",
    kind="task",
    started_us=1_000_000,
    ended_us=3_000_000,
    attributes={"task_id": "t1", "attempts": 2},
)
ATTEMPT = SpanRow(
    trace_id=0xABC,
    span_id=0x2,
    parent_span_id=0x1,
    name="attempt 1",
    kind="attempt",
    started_us=1_500_000,
    ended_us=None,
    failure="OSError: reset",
)


class Collector(ThreadingHTTPServer):
    """An OTLP sink: keeps the decoded spans with their resource, answers with `status`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Sink)
        self.paths: list[str] = []
        self.spans: list[Any] = []
        self.services: set[str] = set()
        self.status = 200
        self.gate = threading.Event()
        self.gate.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Sink(BaseHTTPRequestHandler):
    server: Collector  # pyright: ignore[reportIncompatibleVariableOverride] - it only ever serves a Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.gate.wait(10.0)
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            self.server.services |= {
                item.value.string_value for item in resource.resource.attributes if item.key == "service.name"
            }
            for scope in resource.scope_spans:
                self.server.spans.extend(scope.spans)
        self.server.paths.append(self.path)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def collector():
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.gate.set()
    server.shutdown()
    server.server_close()


def eventually(condition: Callable[[], bool], *, within_s: float = 10.0) -> None:
    give_up_at = monotonic() + within_s
    while not condition():
        assert monotonic() < give_up_at, "the condition did not come true in time"
        sleep(0.005)


def as_they_are(item: Iterable[SpanRow]) -> Iterable[SpanRow]:
    return item


def test_spans_arrive_whole(collector: Collector):
    export = SpanExport(collector.url, as_they_are)
    assert export.offer([TASK, ATTEMPT])
    eventually(lambda: export.statistics().exported_spans == 2)
    export.close(timeout_s=5.0)
    task, attempt = collector.spans
    assert (collector.paths, collector.services) == (["/v1/traces"], {"ray-supervisor"})
    assert (task.trace_id, task.span_id, task.parent_span_id) == ((0xABC).to_bytes(16), (1).to_bytes(8), b"")
    assert (task.name, task.start_time_unix_nano, task.end_time_unix_nano) == ("charge", 10**9, 3 * 10**9)
    assert {item.key for item in task.attributes} == {"task_id", "attempts", "supervisor.kind"}
    assert (attempt.parent_span_id, attempt.status.code, attempt.status.message) == (task.span_id, 2, "OSError: reset")
    assert attempt.end_time_unix_nano == attempt.start_time_unix_nano


def test_an_endpoint_with_the_path_is_taken_as_it_is(collector: Collector):
    export = SpanExport(f"{collector.url}/v1/traces/", as_they_are)
    export.offer([TASK])
    eventually(lambda: collector.paths == ["/v1/traces"])
    export.close(timeout_s=5.0)


def test_offering_never_waits_for_a_slow_collector_and_drops_are_counted(collector: Collector):
    collector.gate.clear()
    export = SpanExport(collector.url, as_they_are, queue_items=2)
    offered = [export.offer([TASK]) for _ in range(20)]
    dropped = offered.count(False)
    assert dropped >= 17
    collector.gate.set()
    eventually(lambda: export.statistics().exported_spans == 20 - dropped)
    assert export.statistics().dropped_items == dropped
    export.close(timeout_s=5.0)


def test_spans_a_collector_refuses_are_counted_with_a_message(collector: Collector):
    collector.status = 400
    export = SpanExport(collector.url, as_they_are)
    export.offer([TASK])
    eventually(lambda: export.statistics().failed_spans == 1)
    assert collector.url in export.statistics().message
    export.close(timeout_s=5.0)


def test_an_item_that_cannot_be_read_does_not_end_the_export(collector: Collector):
    def odd(item: list[SpanRow]) -> Iterable[SpanRow]:
        if not item:
            raise ValueError("odd item")
        return item

    export = SpanExport(collector.url, odd)
    export.offer([])
    eventually(lambda: export.statistics().dropped_items == 1)
    assert export.statistics().message == "ValueError: odd item"
    export.offer([TASK])
    eventually(lambda: export.statistics().exported_spans == 1)
    assert export.statistics().message == ""
    export.close(timeout_s=5.0)


def test_nothing_is_taken_after_close(collector: Collector):
    export = SpanExport(collector.url, as_they_are)
    export.offer([TASK])
    export.close(timeout_s=5.0)
    assert collector.spans
    assert not export.offer([TASK])


def test_without_the_exporter_it_says_so_and_counts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    export = SpanExport("http://127.0.0.1:9", as_they_are)
    assert not export.offer([TASK])
    found = export.statistics()
    assert (found.dropped_items, "extra `otlp`" in found.message) == (1, True)
    export.close(timeout_s=0.1)
