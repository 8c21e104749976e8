"""No fault that may be on is forgotten, whatever becomes of the ledger's file: lost, cut, damaged, on a full disk.

What is compared is a model that is never damaged. More may be thought on than is, where the line of an undo is damaged
(undoing twice changes nothing), never less; and where nothing was damaged, exactly that.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.errors import LedgerUnwritableError
from experiments.ledger.entry import Entry, Step
from experiments.ledger.file import LESSENING, Ledger
from experiments.ledger.standing import fold
from tests.unit.node_agent.full_disk import full_disk

RUNS, FAULTS = ("r1", "r2"), ("f1", "f2", "f3")
STEPS: tuple[Step, ...] = ("arming", "armed", "injected", "proven", "undone", "kept_on")

Write = tuple[Literal["write", "write on a full disk"], Entry]
Harm = tuple[Literal["take away", "damage", "cut"], int]

of_faults = st.builds(
    lambda run, step, fault, number: Entry(run=run, step=step, fault=fault, data={"undo": {"number": number}}),
    st.sampled_from(RUNS),
    st.sampled_from(STEPS),
    st.sampled_from(FAULTS),
    st.integers(0, 9),
)
of_runs = st.builds(
    lambda run, step: Entry(run=run, step=step, data={"verdict": "held"} if step == "ended" else {"experiment": run}),
    st.sampled_from(RUNS),
    st.sampled_from(("planned", "ended")),
)
writes: st.SearchStrategy[Write] = st.tuples(
    st.sampled_from(("write", "write on a full disk")), st.one_of(of_faults, of_runs)
)
harms: st.SearchStrategy[Harm] = st.tuples(st.sampled_from(("take away", "damage", "cut")), st.integers(0, 1000))


def active(entries: list[Entry]) -> set[tuple[str, str]]:
    return {(run.run, fault) for run in fold(entries).values() for fault in run.active}


def going(entries: list[Entry]) -> set[str]:
    return {run.run for run in fold(entries).values() if run.goes_on}


def harm(path: Path, what: str, number: int) -> None:
    if what == "take away":
        path.unlink(missing_ok=True)
    elif what == "cut" and path.exists():
        os.truncate(path, min(number, path.stat().st_size))
    elif path.exists():
        lines = path.read_bytes().splitlines(keepends=True)
        if lines:
            lines[number % len(lines)] = b"0" * 8 + b" {}\n"
            path.write_bytes(b"".join(lines))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(writes, harms), max_size=25))
def test_no_fault_is_forgotten(events: list[Write | Harm]) -> None:
    model = [Entry(run=run, step="planned", data={"experiment": run}) for run in RUNS]
    harmed = False
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "s-1.chaos")
        ledger.append(*model)
        for at_us, (what, subject) in enumerate(events):
            match what, subject if isinstance(subject, int) else replace(subject, at_us=at_us):
                case "write", Entry() as entry:
                    ledger.append(entry)
                    model.append(entry)
                case "write on a full disk", Entry() as entry:
                    try:
                        with full_disk():
                            ledger.append(entry)
                        model.append(entry)
                        assert entry.step in LESSENING
                    except LedgerUnwritableError:
                        pass
                case str(), int() as number:
                    harm(ledger.path, what, number)
                    harmed = True
                case _:
                    raise AssertionError
            known = ledger.entries()[0]
            assert active(known) >= active(model)
            assert going(known) >= going(model)
            if not harmed:
                assert (active(known), going(known)) == (active(model), going(model))
