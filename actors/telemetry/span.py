"""A span as a plain row, before any SDK. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanRow:
    """One finished span.

    Attributes:
        trace_id: 128 bits, never zero.
        span_id: 64 bits, never zero.
        parent_span_id: None for a trace's first span.
        kind: What it is in our terms: `task`, `attempt`, `recovery` ...
        started_us: Wall-clock microseconds since the Unix epoch; None when it never started.
        ended_us: Likewise; None when its end is not known.
        failure: Why it failed; empty when it did not.
        attributes: Flat values.
    """

    trace_id: int
    span_id: int
    parent_span_id: int | None
    name: str
    kind: str
    started_us: int | None
    ended_us: int | None
    failure: str = ""
    attributes: Mapping[str, str | int | float | bool] = field(default_factory=dict[str, "str | int | float | bool"])
