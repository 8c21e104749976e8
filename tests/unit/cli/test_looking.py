"""What the looking commands refuse, and how rows look on a narrow terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from actors.event_log.store import EventStore
from actors.runtime.process import ProcessIdentity
from supervisor.cli.looking import show_children, show_rows
from supervisor.cli.main import main
from supervisor.messages import ChildView
from supervisor.tree import Location


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


def test_children_fit_eighty_columns_a_line_each_and_say_below_why_they_ended() -> None:
    where = Location(process=ProcessIdentity(4_194_304, 1), node_id="a4f5a8c04640" * 4, host="h")
    names = ("default/node_agent/a4f5a8c04640#1", "default/worker/default-2#2")
    children = [
        ChildView(
            key=name.partition("/")[2].partition("#")[0],
            name=name,
            status="running",
            role="service",
            restarts=1,
            location=where,
            last_error="its process ended" if "worker" in name else "",
        )
        for name in names
    ]
    console = Console(width=80)
    with console.capture() as captured:
        show_children(children, console)
    header, *lines = captured.get().splitlines()
    assert header.split() == ["actor", "status", "role", "restarts", "pid", "node"]
    assert [line.split() for line in lines[:2]] == [
        [name, "running", "service", "1", "4194304", "a4f5a8"] for name in names
    ]
    assert lines[2:] == ["worker/default-2: its process ended"]
