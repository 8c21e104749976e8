"""What the command says of breakers; the ones that need a cluster are tried on one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from supervisor.cli.breaking import _fields
from supervisor.cli.main import main


def run(*arguments: str, code: int = 0) -> Result:
    ended = CliRunner().invoke(main, ["breaker", *arguments], env={"COLUMNS": "100"})
    assert ended.exit_code == code, ended.output
    return ended


def test_an_outage_is_simulated_and_drawn():
    told = run("simulate", "--outage", "10", "--set", "open_s=2", "--processes", "2").output
    assert told.startswith("closed")
    assert "opens" in told
    assert "refused" in told


def test_a_quorum_of_nodes_is_simulated_on_so_many():
    settings = ("simulate", "--set", "quorum=2", "--set", "quorum_of=nodes", "--nodes")
    assert "never opens" in run(*settings, "1").output
    assert "opens" in run(*settings, "2").output.replace("never opens", "")


def test_a_scenario_and_settings_come_from_a_file_and_a_picture_is_written(tmp_path: Path):
    file, picture = tmp_path / "scenario.yaml", tmp_path / "run.svg"
    phases = [{"duration_s": 5, "calls_per_s": 20, "failure_rate": 0.1}]
    file.write_text(json.dumps({"settings": {"failure_rate": 0.9}, "scenario": {"phases": phases, "processes": 1}}))
    told = json.loads(run("simulate", str(file), "--svg", str(picture), "--json", "--seed", "3").output)
    assert told["opened"] is False
    assert told["load"]["wanted"] == 100
    assert picture.read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "open_s"), "not FIELD=VALUE"),
        (("--set", "opens=3"), "opens"),
        (("--set", "failure_rate=7"), "failure_rate"),
        (("nowhere.yaml",), "does not exist"),
        (("--outage", "100000"), "duration_s"),
    ],
)
def test_bad_input_is_named(arguments: tuple[str, ...], message: str):
    ended = CliRunner().invoke(main, ["breaker", "simulate", *arguments])
    assert ended.exit_code != 0
    assert message in ended.output


def test_a_file_of_something_else_is_refused(tmp_path: Path):
    file = tmp_path / "scenario.yaml"
    file.write_text("phases: []")
    assert "it has settings and scenario" in run("simulate", str(file), code=1).output


def test_values_are_read_as_yaml():
    assert _fields(("open_s=10", "ramp=[0.1, 0.5]", "slow_call_s=null")) == {
        "open_s": 10,
        "ramp": (0.1, 0.5),
        "slow_call_s": None,
    }


def test_control_asks_for_a_reason():
    assert "--reason" in run("reset", "pay*", code=2).output
