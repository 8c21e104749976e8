from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from actors.breaker import messages as m
from actors.breaker.kept import Kept, KeptLease
from actors.breaker.ownership import ReadLog, RecordBegun
from actors.breaker.published import Published
from actors.breaker.rows import HISTORY, SNAPSHOTS, SPANS, keeps, rows_of, snapshot, without_details
from actors.breaker.rules import Trip
from actors.breaker.spans import span_of
from actors.event_log.schema import TABLES
from actors.service.writer import Writer
from tests.unit.breaker.scene import fast

WRITER = Writer(owner="breaker/bank", incarnation=2, era=20251125)
SAMPLE = m.Sample(reporter="p", error="ConnectionError: no")
TRIPPED = m.Cause(
    kind="tripped",
    detail="2 of 2 failed",
    trip=Trip(rule="failure_rate", value=1.0, threshold=0.5, calls=2),
    samples=(SAMPLE,),
    reporters=("p",),
)
OPENED = m.RecordTransition(before="closed", after="open", generation=9, cause=TRIPPED, openings=1, wait_s=5.0)
KEPT = Kept(
    published=Published(state="forced_open", generation=9, wait_s=1.5, openings=1),
    settings=fast(open_s=7.0),
    leases=(KeptLease(permit=1, holder="p", request=1, generation=9, left_s=1.0),),
    opened_by=TRIPPED,
    overridden_by=m.Cause(kind="controlled", detail="force open by ann: drill", who="ann", reason="drill"),
)


def named(table: str, row: tuple[Any, ...]) -> dict[str, Any]:
    columns = TABLES[table].columns
    assert len(row) == len(columns)
    return dict(zip((column.name for column in columns), row, strict=True))


def test_a_transition_is_a_row_and_a_span():
    (history, row), (spans, span) = rows_of("bank", OPENED, WRITER, 77)
    assert (history, spans) == (HISTORY, SPANS)
    told = named(history, row)
    assert {
        name: told[name] for name in ("breaker", "event", "from_state", "to_state", "cause", "rule", "wait_ms")
    } == {
        "breaker": "bank",
        "event": "transition",
        "from_state": "closed",
        "to_state": "open",
        "cause": "tripped",
        "rule": "failure_rate",
        "wait_ms": 5000.0,
    }
    assert json.loads(told["samples"])[0]["error"] == SAMPLE.error
    assert (told["trace_id"], told["span_id"]) == span_of("bank", 9)
    assert named(spans, span)["status"] == "error"


def test_what_else_people_look_for_stands_beside_it():
    commands = [
        m.RecordOpenWait(generation=9, wait_s=2.0),
        m.RecordConfigured(rules=2, difference=("open_s: 5.0 stands, 7.0 was given",), who="ann", reason="slower"),
        m.NoteRecovered(state="open", generation=9, shut_s=10.0),
        m.NoteWouldOpen(generation=9, cause=TRIPPED),
    ]
    told = [named(*row) for command in commands for row in rows_of("bank", command, WRITER, 77)]
    assert [row["event"] for row in told] == ["open_wait", "configured", "recovered", "would_open"]
    assert [row["who"] for row in told] == [None, "ann", None, None]
    assert told[0]["wait_ms"] == 2000.0
    assert rows_of("bank", ReadLog(), WRITER, 77) == []


def test_a_snapshot_is_what_a_successor_needs_and_people_read():
    told = named(SNAPSHOTS, snapshot("bank", KEPT, b"packed", WRITER, 77))
    assert (told["state"], told["overridden_by"], told["override_reason"]) == ("forced_open", "ann", "drill")
    assert json.loads(told["settings"])["open_s"] == 7.0
    assert (told["owner"], told["era"], told["kept"]) == ("breaker/bank", 20251125, "cGFja2Vk")
    assert without_details(KEPT) == replace(KEPT, leases=(), opened_by=replace(TRIPPED, samples=()))
    assert without_details(replace(KEPT, opened_by=None)).opened_by is None


def test_only_what_changes_a_state_is_kept():
    assert keeps(OPENED)
    assert keeps(RecordBegun())
    assert not keeps(m.NoteWouldOpen(generation=9, cause=TRIPPED))
