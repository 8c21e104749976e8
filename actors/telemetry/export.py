"""Sending finished spans to an OpenTelemetry collector, beside the log and never in its way.

Span rows become the SDK's `ReadableSpan` here, on a thread of its own: building one costs about 40 us, which the hot
path does not pay. The queue is bounded; what does not fit is dropped and counted, for the log has it anyway.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from actors.telemetry.span import SpanRow

QUEUE_ITEMS = 1_000
EXPORT_SPANS = 512
SEND_TIMEOUT_S = 10.0
_MISSING = (
    "the OTLP exporter is not installed; install ray-supervisor with its extra `otlp`, or unset the OTLP endpoint"
)

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportStatistics:
    """What an export has done.

    Attributes:
        endpoint: Where it sends to.
        exported_spans: Taken by the collector.
        failed_spans: Refused or not delivered; they are not sent again.
        dropped_items: Not sent because the queue was full, or there is no exporter.
        message: Why nothing is or was sent, empty when all is well.
    """

    endpoint: str
    exported_spans: int
    failed_spans: int
    dropped_items: int
    message: str


class SpanExport(Generic[Item]):
    """A bounded queue, and a thread that turns its items into spans and sends them.

    Args:
        endpoint: As in OTEL_EXPORTER_OTLP_ENDPOINT: `/v1/traces` is added unless it is there.
        spans_of: The spans of one item; it runs on the export's thread.
        queue_items: How many items may wait.
        service: The resource's `service.name`.
    """

    def __init__(
        self,
        endpoint: str,
        spans_of: Callable[[Item], Iterable[SpanRow]],
        *,
        queue_items: int = QUEUE_ITEMS,
        service: str = "ray-supervisor",
    ) -> None:
        self._endpoint = _traces_url(endpoint)
        self._spans_of = spans_of
        self._queue: deque[Item] = deque()
        self._queue_items = queue_items
        self._resource = Resource.create({"service.name": service})
        self._condition = threading.Condition()
        self._closed = False
        self._exported = 0
        self._failed = 0
        self._dropped = 0
        self._message = ""
        self._exporter = _otlp_exporter(self._endpoint)
        self._thread: threading.Thread | None = None
        if self._exporter is None:
            self._message = _MISSING
        else:
            self._thread = threading.Thread(target=self._run, args=(self._exporter,), name="otlp-export", daemon=True)
            self._thread.start()

    def offer(self, item: Item) -> bool:
        """Queue an item without waiting; False when it was dropped and counted."""
        with self._condition:
            if self._thread is None or self._closed or len(self._queue) >= self._queue_items:
                self._dropped += 1
                return False
            self._queue.append(item)
            self._condition.notify_all()
            return True

    def statistics(self) -> ExportStatistics:
        """Counters of this moment."""
        return ExportStatistics(
            endpoint=self._endpoint,
            exported_spans=self._exported,
            failed_spans=self._failed,
            dropped_items=self._dropped,
            message=self._message,
        )

    def close(self, *, timeout_s: float) -> None:
        """Send what waits for at most `timeout_s` seconds, then end."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        if self._thread is not None and self._exporter is not None:
            self._thread.join(timeout=timeout_s)
            self._exporter.shutdown()

    def _run(self, exporter: Any) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._queue or self._closed)
                if not self._queue:
                    return
                item = self._queue.popleft()
            try:
                self._export(exporter, [self._readable(row) for row in self._spans_of(item)])
            except Exception as error:  # noqa: BLE001 - one odd item must not end the export of all others
                self._message = f"{type(error).__name__}: {error}"
                self._dropped += 1

    def _export(self, exporter: Any, spans: Sequence[ReadableSpan]) -> None:
        for start in range(0, len(spans), EXPORT_SPANS):
            some = spans[start : start + EXPORT_SPANS]
            if exporter.export(some).name == "SUCCESS":
                self._exported += len(some)
                self._message = ""
            else:
                self._failed += len(some)
                self._message = (
                    f"{self._endpoint} did not take the spans; the log has them. Check that a collector answers there"
                )

    def _readable(self, row: SpanRow) -> ReadableSpan:
        started = row.started_us if row.started_us is not None else row.ended_us
        ended = row.ended_us if row.ended_us is not None else started
        return ReadableSpan(
            name=row.name,
            context=_context(row.trace_id, row.span_id),
            parent=_context(row.trace_id, row.parent_span_id) if row.parent_span_id else None,
            resource=self._resource,
            attributes={**row.attributes, "supervisor.kind": row.kind},
            kind=SpanKind.INTERNAL,
            status=Status(StatusCode.ERROR, row.failure) if row.failure else Status(StatusCode.OK),
            start_time=(started or 0) * 1000,
            end_time=(ended or 0) * 1000,
            instrumentation_scope=InstrumentationScope("ray-supervisor"),
        )


def _context(trace_id: int, span_id: int) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _traces_url(endpoint: str) -> str:
    base = endpoint.rstrip("/")
    return base if base.endswith("/v1/traces") else f"{base}/v1/traces"


def _otlp_exporter(url: str) -> Any:
    """The SDK's exporter over HTTP, or None when the extra `otlp` is not installed."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - optional
    except ImportError:
        return None
    return OTLPSpanExporter(endpoint=url, timeout=SEND_TIMEOUT_S)
