"""What `supervisor doctor` prints and how it exits."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from supervisor import doctor, launch
from supervisor.cli.doctoring import report
from supervisor.cli.main import main
from supervisor.doctor import variables
from supervisor.knobs import examine, profile

WELL = examine(profile(lambda _: True), {}, prestart_refusal=None)
BARE = examine({}, {"RAY_health_check_period_ms": "500"}, prestart_refusal="UNIMPLEMENTED")


@pytest.fixture
def diagnosed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def see(seen: object) -> None:
        joined = launch.Cluster(embedded=False, connected_here=False)
        monkeypatch.setattr(launch, "join", lambda *_, **__: joined)
        monkeypatch.setattr(doctor, "examine_cluster", lambda: seen)

    return see


def test_a_cluster_that_is_well_exits_0(diagnosed):
    diagnosed(WELL)
    ended = CliRunner().invoke(main, ["doctor"])
    assert ended.exit_code == 0
    assert ended.output.endswith("all is well\n")
    assert "ok       health_check_period_ms = 500 (system config)" in ended.output


def test_findings_are_told_with_their_cost_and_exit_1(diagnosed):
    diagnosed(BARE)
    ended = CliRunner().invoke(main, ["doctor"])
    assert ended.exit_code == 1
    assert "ok       health_check_period_ms = 500 (environment)" in ended.output
    assert "lacking  kill_worker_timeout_milliseconds = 5000\n         costs: ray.kill of a hung" in ended.output
    assert "lacking  preload_python_modules = nothing" in ended.output
    assert "Ray said: UNIMPLEMENTED" in ended.output
    assert ended.output.endswith("6 of 7 are not as they should be\n")


def test_json_has_every_knob(diagnosed):
    diagnosed(BARE)
    ended = CliRunner().invoke(main, ["doctor", "--json"])
    told = json.loads(ended.output)
    assert ended.exit_code == 1
    assert [one["name"] for one in told] == [one.name for one in BARE]
    assert [one["well"] for one in told] == [True, *[False] * 6]


def test_every_finding_stands_in_the_report():
    assert all(one.name in report(BARE) for one in BARE)


def test_only_rays_variables_are_taken_from_a_process():
    environ = b"HOME=/root\0RAY_health_check_period_ms=500\0XRAY_a=1\0RAY_EMPTY=\0"
    assert variables(environ) == {"RAY_health_check_period_ms": "500", "RAY_EMPTY": ""}
