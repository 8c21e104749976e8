"""The trace context of the calling code, and ours made current for user code; free while OpenTelemetry is not in use.

Nothing is imported: code that has no `opentelemetry.trace` loaded has no current span either, and a look into
`sys.modules` tells.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII | re.DOTALL)
_NOTHING: AbstractContextManager[None] = nullcontext()


def is_tracing() -> bool:
    """Whether this process has OpenTelemetry's API loaded, so that a current span can matter to anybody."""
    return "opentelemetry.trace" in sys.modules


def current_parent() -> tuple[int, int] | None:
    """Trace id and span id of the caller's current OpenTelemetry span; None when there is none."""
    trace: Any = sys.modules.get("opentelemetry.trace")
    if trace is None or not hasattr(trace, "get_current_span"):
        return None
    context = trace.get_current_span().get_span_context()
    return (context.trace_id, context.span_id) if context.is_valid else None


def traceparent(trace_id: int, span_id: int) -> str:
    """The W3C `traceparent` header of a sampled span.

    Raises:
        ValueError: An id is zero, negative or too large.
    """
    if not 0 < trace_id < 1 << 128 or not 0 < span_id < 1 << 64:
        raise ValueError(
            f"trace id {trace_id:#x} or span id {span_id:#x} is out of the range that W3C Trace Context allows"
        )
    return f"00-{trace_id:032x}-{span_id:016x}-01"


def parse_traceparent(text: str) -> tuple[int, int] | None:
    """Trace id and span id of a `traceparent` header; None when it is not one.

    Strict, as the recommendation asks: lower case, no zero ids, no version ff, nothing after the flags in version 00;
    a later version may go on after another dash. Source: W3C Trace Context, section 3.2.
    """
    match = _TRACEPARENT.fullmatch(text)
    if match is None or match[1] == "ff" or (match[1] == "00" and match[5] is not None):
        return None
    trace_id, span_id = int(match[2], 16), int(match[3], 16)
    return (trace_id, span_id) if trace_id and span_id else None


def attached(trace_id: int, span_id: int) -> AbstractContextManager[None]:
    """A context in which that remote span is OpenTelemetry's current one; nothing while OpenTelemetry is not loaded."""
    trace: Any = sys.modules.get("opentelemetry.trace")
    context: Any = sys.modules.get("opentelemetry.context")
    if context is None or trace is None or not hasattr(trace, "set_span_in_context"):
        return _NOTHING
    return _attached(trace, context, trace_id, span_id)


@contextmanager
def _attached(trace: Any, context: Any, trace_id: int, span_id: int) -> Generator[None]:
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED)
    remote = trace.NonRecordingSpan(trace.SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags))
    token = context.attach(trace.set_span_in_context(remote))
    try:
        yield
    finally:
        context.detach(token)
