"""A trace is shown as the tree that its spans form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rich.console import Console

from supervisor.cli.spans import trace_tree

_START = datetime(2026, 1, 1, tzinfo=UTC)


def span(span_id: str, parent: str | None, name: str, *, at_ms: int = 0, status: str = "ok"):
    begun = _START + timedelta(milliseconds=at_ms)
    return {
        "trace_id": "t",
        "span_id": span_id,
        "parent_span_id": parent,
        "name": name,
        "started_at": begun,
        "ended_at": begun + timedelta(milliseconds=5),
        "status": status,
    }


def drawn(rows) -> list[str]:
    console = Console(width=100, no_color=True, record=True, file=None)
    with console.capture() as capture:
        console.print(trace_tree(rows))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_attempts_stand_below_their_task_in_the_order_of_time():
    rows = [
        span("b", "a", "second", at_ms=9),
        span("a", None, "task"),
        span("c", "a", "first", at_ms=1, status="error"),
    ]
    lines = drawn(rows)
    assert [line.split()[-4:-2] for line in lines[1:]] == [["task", "ok"], ["first", "error"], ["second", "ok"]]


def test_a_span_whose_parent_is_elsewhere_is_a_root():
    assert "orphan" in drawn([span("x", "not-in-the-log", "orphan")])[1]


def test_names_are_shown_as_they_are():
    assert "f[red]" in drawn([span("x", None, "f[red]")])[1]
