"""Every event of a child that the code names is one that the log takes: another would be refused with its batch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from actors.event_log.schema import CHILD_EVENTS
from tests.architecture.conftest import ROOT

TOLD_BY = {"_ports.record": 1, "record": 2, "note": 0}
"""What puts an event of a child on record, and which of its arguments that is; elsewhere it is `event=`."""


def events_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        told = [keyword.value for keyword in node.keywords if keyword.arg == "event"]
        place = next((place for name, place in TOLD_BY.items() if ast.unparse(node.func).endswith(f".{name}")), None)
        told += [] if place is None else node.args[place:][:1]
        for said in told:
            yield from (
                part.value for part in ast.walk(said) if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )


def test_the_log_takes_every_event_that_is_recorded():
    rooms = [*(ROOT / "supervisor").rglob("*.py"), *(ROOT / "actors" / "child").rglob("*.py")]
    found = {event: path.name for path in rooms if "tasks" not in path.parts for event in events_in(path)}
    assert {event: path for event, path in found.items() if event not in CHILD_EVENTS} == {}
    assert set(found) == set(CHILD_EVENTS), "and it promises none that is never recorded"
