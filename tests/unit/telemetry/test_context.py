"""W3C trace context, with and without OpenTelemetry in the process."""

from __future__ import annotations

import subprocess
import sys

import pytest
from opentelemetry import trace

from actors.telemetry.context import attached, current_parent, is_tracing, parse_traceparent, traceparent

TRACE_ID = 0x4BF92F3577B34DA6A3CE929D0E0E4736
SPAN_ID = 0x00F067AA0BA902B7
HEADER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_the_header_is_written_and_read_as_the_recommendation_shows_it():
    assert traceparent(TRACE_ID, SPAN_ID) == HEADER
    assert parse_traceparent(HEADER) == (TRACE_ID, SPAN_ID)


def test_small_ids_keep_their_zeros():
    assert traceparent(1, 2) == "00-" + "0" * 31 + "1-" + "0" * 15 + "2-01"


@pytest.mark.parametrize(("trace_id", "span_id"), [(0, 1), (1, 0), (1 << 128, 1), (1, 1 << 64), (-1, 1), (1, -1)])
def test_ids_out_of_range_are_refused(trace_id: int, span_id: int):
    with pytest.raises(ValueError, match="out of the range"):
        traceparent(trace_id, span_id)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        HEADER.upper(),
        HEADER + "-more",
        HEADER + "\n",
        " " + HEADER,
        HEADER.replace("00-", "ff-", 1),
        HEADER.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
        HEADER.replace("00f067aa0ba902b7", "0" * 16),
        HEADER.replace("4bf9", "4bg9"),
        HEADER[:-1],
        HEADER.replace("4bf9", "٤bf9"),
    ],
)
def test_what_is_not_a_header_is_none(text: str):
    assert parse_traceparent(text) is None


def test_a_later_version_may_go_on():
    assert parse_traceparent(HEADER.replace("00-", "01-", 1) + "-what.comes") == (TRACE_ID, SPAN_ID)


def test_an_attached_span_is_the_current_one_inside_only():
    assert is_tracing()
    with attached(TRACE_ID, SPAN_ID):
        assert current_parent() == (TRACE_ID, SPAN_ID)
        assert trace.get_current_span().get_span_context().is_remote
        with attached(TRACE_ID, 5):
            assert current_parent() == (TRACE_ID, 5)
        assert current_parent() == (TRACE_ID, SPAN_ID)
    assert current_parent() is None


def test_the_context_is_left_also_when_user_code_raises():
    with pytest.raises(KeyError), attached(TRACE_ID, SPAN_ID):
        raise KeyError("user code")
    assert current_parent() is None


def test_without_opentelemetry_nothing_is_loaded_and_nothing_happens():
    code = (
        "import sys\n"
        "from actors.telemetry.context import attached, current_parent, is_tracing\n"
        "with attached(1, 2):\n    assert current_parent() is None\n"
        "assert not is_tracing()\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
