"""The ledger's file is for its user alone, survives writers that are killed, and stays small."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from experiments.errors import LedgerUnwritableError
from experiments.ledger import file
from experiments.ledger.entry import Entry, encode
from experiments.ledger.file import Ledger


def entry(run: str, step: Any = "planned", **data: Any) -> Entry:
    return Entry(run=run, step=step, data=data)


def test_entries_are_read_by_anybody_in_their_order(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    assert ledger.entries() == ([], [])
    ledger.append(entry("r1"), entry("r2"))
    Ledger(tmp_path / "ledger").append(entry("r3"))
    assert [each.run for each in ledger.entries()[0]] == ["r1", "r2", "r3"]
    assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o600


def test_a_line_cut_short_by_a_kill_is_passed_over(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.append(entry("r1"))
    with ledger.path.open("ab") as torn:
        torn.write(encode(entry("r2"))[:-5])
    assert [each.run for each in ledger.entries()[0]] == ["r1"]
    ledger.append(entry("r3"))
    entries, damaged = ledger.entries()
    assert [each.run for each in entries] == ["r1", "r3"]
    assert damaged == [(2, "its sum does not fit: bytes have changed")]


def test_it_is_shortened_when_it_has_grown_and_what_is_on_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "BYTES_MAX", 20_000)
    ledger = Ledger(tmp_path / "ledger")
    ledger.append(entry("on"), Entry(run="on", step="arming", fault="f", data={}), entry("on", "ended", verdict="held"))
    for number in range(400):
        ledger.append(entry(f"r{number}"), entry(f"r{number}", "ended", verdict="held"))
    assert ledger.path.stat().st_size <= 40_000
    runs = ledger.runs()
    assert next(iter(runs)) == "on"
    assert list(runs)[-1] == "r399"
    assert len(runs) < 400
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger", "ledger-chaos.board"]


def test_a_start_is_decided_by_what_goes_on(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.append(entry("r1"))
    assert ledger.begin(entry("r2"), lambda runs: f"{len(runs)} there") == "1 there"
    assert ledger.begin(entry("r2"), lambda runs: "") == ""
    assert list(ledger.runs()) == ["r1", "r2"]


def test_where_it_cannot_be_written_nothing_may_be_done(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnwritableError, match="no fault is injected"):
        Ledger(tmp_path / "none" / "ledger").append(entry("r1"))
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LedgerUnwritableError):
        Ledger(tmp_path / "link").append(entry("r1"))
    assert not (tmp_path / "elsewhere").exists()


def test_a_full_disk_is_told() -> None:
    with pytest.raises(LedgerUnwritableError, match=r"No space left|Permission|replaced"):
        Ledger(Path("/dev/full")).append(entry("r1"))
