"""Whatever users and their errors say is shown as it is."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from actors.health.report import Check, SystemHealth
from actors.health.trend import Trend
from supervisor.cli import breaking, degrading, examining, healing
from supervisor.cli.cells import cell
from supervisor.cli.looking import show_rows

HOSTILE = "no [a, b] in [/tmp/x] \x1b[2J"
SHOWN = "no [a, b] in [/tmp/x] \\x1b[2J"


def test_a_cell_is_what_was_said_or_what_stands_for_nothing() -> None:
    assert cell(HOSTILE).plain == SHOWN
    assert [cell(value).plain for value in (None, "", 0, False)] == ["-", "-", "0", "False"]
    assert cell(None, missing="").plain == ""


def incidents() -> None:
    healing._print_table([{"incident": "1.1", "component": HOSTILE, "phase": "escalated", "detail": HOSTILE}])


def breakers() -> None:
    breaking._print_table([{"breaker": HOSTILE, "state": "open", "owner": None}])


def features() -> None:
    examining.terminal().print(degrading._table([{"feature": HOSTILE, "on": False, "because": HOSTILE}]))


def components() -> None:
    check = Check(kind="liveness", place=HOSTILE, outcome="failed", detail=HOSTILE)
    report = SystemHealth(score=1.0, trend=Trend(), components={}, blind=HOSTILE)
    row = {"component": HOSTILE, "state": "unhealthy", "last": HOSTILE}
    examining._print(report, [row], {HOSTILE: (check,)})


@pytest.mark.parametrize("show", [incidents, breakers, features, components])
def test_every_table_shows_it(show: Any, capsys: pytest.CaptureFixture[str]) -> None:
    show()
    told = capsys.readouterr().out
    assert SHOWN in told
    assert "\x1b[2J" not in told


@pytest.mark.parametrize("width", [200, 30])
def test_rows_of_the_log_are_shown_wide_or_one_by_one(width: int) -> None:
    console = Console(width=width, record=True)
    show_rows([{"name": HOSTILE, "error": HOSTILE, "none": None}], console)
    told = console.export_text().replace("\n", "")
    assert "[/tmp/x]" in told
    assert "\x1b" not in told
