from __future__ import annotations

import pickle

from actors.telemetry.span import SpanRow


def test_a_span_row_is_a_plain_value():
    row = SpanRow(trace_id=1, span_id=2, parent_span_id=None, name="n", kind="task", started_us=3, ended_us=4)
    assert pickle.loads(pickle.dumps(row)) == row
    assert (row.failure, dict(row.attributes)) == ("", {})
