"""What the looking commands refuse, and how rows look on a narrow terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from actors.event_log.store import EventStore
from supervisor.cli.looking import show_rows
from supervisor.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["events", "--follow", "from tasks"], "--follow prints all"),
        (["events", "--follow", "--log", "l.duckdb"], "--follow prints all"),
        (["events", "--log", "l.duckdb", "--address", "a:1"], "--log reads a file and --address asks a cluster"),
        (["up", "--address", "local"], "begin one with `ray start --head`"),
    ],
)
def test_options_that_contradict_each_other_are_refused(arguments: list[str], said: str) -> None:
    ended = CliRunner().invoke(main, arguments)
    assert ended.exit_code == 2
    assert said in " ".join(ended.output.split())


def shown(width: int) -> str:
    console = Console(width=width)
    rows = [{"task_id": "c0ffee-1", "state": "failed", "error_text": None, "worker": "default/worker/default-0#1"}]
    with console.capture() as captured:
        show_rows(rows, console)
    return captured.get()


def test_rows_that_fit_are_a_table() -> None:
    header, row = (line.split() for line in shown(80).splitlines())
    assert header == ["task_id", "state", "error_text", "worker"]
    assert row == ["c0ffee-1", "failed", "default/worker/default-0#1"]


def test_rows_that_do_not_fit_are_a_line_a_value() -> None:
    _, *lines = (line.split() for line in shown(40).splitlines())
    assert lines == [["task_id", "c0ffee-1"], ["state", "failed"], ["worker", "default/worker/default-0#1"]]


def test_a_trace_that_is_not_there_is_told_with_where_to_look(tmp_path: Path) -> None:
    EventStore(tmp_path / "l.duckdb").close()
    ended = CliRunner().invoke(main, ["trace", "abc", "--log", str(tmp_path / "l.duckdb")])
    assert ended.exit_code == 1
    assert 'no span of trace abc. It has those of: supervisor events "from spans' in ended.output
