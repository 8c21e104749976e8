"""`supervisor chaos ...` where it needs no cluster: plans, bad files, the library, reports."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from experiments.cli import running
from experiments.model.loading import library_names
from experiments.model.writing import dump_experiment, json_schema
from experiments.planning.preflight import Machine
from experiments.running.archive import Archive
from supervisor.chaos_settings import DAYS
from supervisor.cli.main import main
from tests.unit.report.scene import experiment, mended, report

Invoke = Callable[..., Result]


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Invoke:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, ["chaos", *arguments])


@pytest.mark.parametrize("name", library_names())
def test_the_same_seed_gives_the_same_plan(invoke: Invoke, name: str) -> None:
    first = invoke("plan", name, "--seed", "7", "--json")
    assert first.exit_code == 0, first.output
    assert invoke("plan", name, "--seed", "7", "--json").stdout == first.stdout
    assert json.loads(first.stdout)["seed"] == 7


def test_a_plan_without_a_cluster_says_that_its_names_are_made_up(invoke: Invoke) -> None:
    for command in (("plan", "crash-loop"), ("run", "crash-loop", "--dry-run")):
        assert "planned on the scene 'household', whose names are made up" in invoke(*command).stderr


def test_a_plan_without_a_cluster_names_what_it_could_not_check(invoke: Invoke) -> None:
    told = invoke("plan", "kill-worker").stdout
    assert "not checked: who is there" in told
    assert "not checked: whether chaos is halted" in told
    unchecked = json.loads(invoke("plan", "kill-node", "--json").stdout)["unchecked"]
    assert any("needs 2 nodes" in words for words in unchecked)


def test_a_plan_without_a_cluster_tells_what_this_machine_cannot_do(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = Machine(name="head", system="Darwin", processes=False, cores=1)
    monkeypatch.setattr(running, "machine_here", lambda *_, **__: bare)
    done = invoke("plan", "kill-worker")
    assert done.exit_code == 13
    assert "Darwin has no /proc here" in done.stdout


def test_a_dry_run_is_a_plan(invoke: Invoke) -> None:
    assert invoke("run", "kill-worker", "--dry-run", "--json").output == invoke("plan", "kill-worker", "--json").output


def test_a_refused_plan_is_told_and_exits_as_not_started(invoke: Invoke, tmp_path: Path) -> None:
    text = dump_experiment(experiment()).replace("count: 1", "name: nobody")
    (tmp_path / "x.yaml").write_text(text)
    done = invoke("plan", "x.yaml")
    assert done.exit_code == 13
    assert re.search(r"line \d+, method\[0\]: the selector \(.*matches nothing that runs", done.output), done.output


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("fault: crash", "fault: crush"), r"line \d+, method\[0\].provider.arguments.*'crush' is not a fault"),
        (("lease_s: 5", "lease_s: 0"), r"line \d+, extensions\[0\].lease_s"),
        (("lease_s: 5", "lease_s: 9000"), r"line \d+, extensions\[0\].lease_s"),
        (("schema_version: 1", "schema_version: 9"), r"line \d+, extensions\[0\].schema_version: 9 is newer"),
        (
            ("schema_version: 1", "schema_version: 1\n  safety: {hours: [{zone: Mars/Base}]}"),
            r"line \d+, extensions\[0\].safety.hours\[0\].zone.*no time zone",
        ),
        (("tolerance: 0", "tolerance: closed"), r"line \d+, steady-state-hypothesis.probes\[0\].tolerance"),
    ],
)
def test_a_wrong_file_is_told_with_line_and_path(
    invoke: Invoke, tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    text = dump_experiment(experiment())
    assert change[0] in text
    (tmp_path / "x.yaml").write_text(text.replace(*change, 1))
    done = invoke("run", "x.yaml")
    assert done.exit_code == 1
    assert re.search(told, done.output), done.output


def test_build_servers_are_told_of_a_run_that_never_began(invoke: Invoke, tmp_path: Path) -> None:
    """Both a plan that is refused and a file that is wrong."""
    assert invoke("run", "kill-node", "--reports", "refused").exit_code == 13
    (tmp_path / "my file.yaml").write_text(dump_experiment(experiment()).replace("fault: crash", "fault: crush"))
    assert invoke("run", "my file.yaml", "--reports", "wrong").exit_code == 1
    assert invoke("campaign", "my file.yaml", "--seeds", "2", "--reports", "campaign").exit_code == 1
    said = {
        "refused": ("kill-node", r"it needs 2 nodes"),
        "wrong": ("my-file", r"line \d+, method\[0\]\.provider\.arguments\.fault: 'crush' is not a fault"),
    }
    for folder, (begins, words) in {**said, "campaign": said["wrong"]}.items():
        (file,) = (tmp_path / folder).glob("*/junit.xml")
        assert re.fullmatch(rf"{begins}-[0-9a-f]{{6}}", file.parent.name)
        root = ET.parse(file).getroot()
        (case,) = root.iter("testcase")
        (error,) = case
        assert (error.tag, error.get("type"), root.get("errors")) == ("error", "not_started", "1")
        assert re.search(words, str(error.get("message"))), error.get("message")
        assert Archive(tmp_path / folder).names() == (), "there is no report of it"


def test_where_reports_cannot_be_written_a_refusal_is_told_all_the_same(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    done = invoke("run", "kill-node", "--reports", "taken/below")
    assert done.exit_code == 13
    assert "it needs 2 nodes" in done.output
    assert "no JUnit of this refusal can be written" in done.output


@pytest.mark.parametrize("seed", ["-1", str(2**63), "x"])
def test_a_seed_that_is_none_is_refused(invoke: Invoke, seed: str) -> None:
    done = invoke("plan", "kill-worker", "--seed", seed)
    assert done.exit_code == 2
    assert "Invalid value for '--seed'" in done.output


def test_a_plan_without_a_cluster_knows_what_time_it_is(invoke: Invoke, tmp_path: Path) -> None:
    def planned(ends: str) -> Result:
        days = ", ".join(DAYS)
        safety = f"safety: {{hours: [{{days: [{days}], begins: '00:00', ends: '{ends}', zone: Europe/Berlin}}]}}"
        (tmp_path / "x.yaml").write_text(
            dump_experiment(experiment()).replace("schema_version: 1", f"schema_version: 1\n  {safety}")
        )
        return invoke("plan", "x.yaml")

    assert planned("24:00").exit_code == 0
    passed = planned("00:01")
    assert "it may run only" in passed.output or passed.exit_code == 0, "within the first minute of a day"


def test_an_experiment_that_is_nowhere_is_told_with_the_library(invoke: Invoke) -> None:
    done = invoke("run", "kill-nobody")
    assert done.exit_code == 1
    assert "kill-worker" in done.output


def test_the_library_is_listed_and_shown(invoke: Invoke) -> None:
    listed = invoke("list", "--json")
    assert json.loads(listed.output)["library"] == list(library_names())
    shown = invoke("show", "kill-worker")
    assert "# expected: held" in shown.output
    assert "fault: crash" in shown.output


def test_reports_are_printed_compared_and_applied(invoke: Invoke) -> None:
    archive = Archive(Path("chaos-reports"))
    for each in (report("first"), mended()):
        archive.save(each)
    assert "DEVIATED" in invoke("report", "first").output
    assert invoke("report", "first", "--format", "junit").output.startswith("<?xml")
    done = invoke("compare", "first", mended().run)
    assert done.exit_code == 0, done.output
    assert "gone" in done.output
    applied = invoke("apply", "first#1")
    assert applied.exit_code == 0, applied.output
    assert " -> " in applied.output
    assert archive.settings()
    assert invoke("apply", "first").exit_code == 1


def test_the_schema_is_exported_for_editors(invoke: Invoke) -> None:
    told = json.loads(invoke("schema").output)
    assert told == json_schema()
    assert told["$schema"].startswith("https://json-schema.org/")
    done = invoke("schema", "--output", "chaos.schema.json")
    assert done.output == "chaos.schema.json: # yaml-language-server: $schema=chaos.schema.json\n"
    assert json.loads(Path("chaos.schema.json").read_text(encoding="utf-8")) == told


def test_the_last_runs_of_a_schedule_are_shown_with_their_limit(invoke: Invoke) -> None:
    Path("s.yaml").write_text(
        "schedules:\n"
        "  - {name: nightly, experiment: kill-worker, cron: '0 3 * * *', history: 2}\n"
        "  - {name: never, experiment: hang-worker, cron: '0 3 * * *'}\n"
    )
    runs = [{"due_us": number * 1_000_000, "run": f"kill-worker-{number}", "verdict": "held"} for number in (1, 2)]
    Path("chaos-reports").mkdir()
    Path("chaos-reports/schedules.json").write_text(json.dumps({"nightly": {"seen_us": 9, "history": runs}}))
    assert json.loads(invoke("history", "s.yaml", "--json").output) == {
        "nightly": {"limit": 2, "runs": runs},
        "never": {"limit": 20, "runs": []},
    }
    shown = invoke("history", "s.yaml").output
    assert "2 of at most 2 are remembered" in shown
    assert "0 of at most 20 are remembered" in shown
    assert shown.index("kill-worker-2") < shown.index("kill-worker-1"), "the latest first"


def test_where_a_command_cannot_write_is_told(invoke: Invoke) -> None:
    Archive(Path("chaos-reports")).save(report("first"))
    for command in (("report", "first", "--format", "html"), ("schema",)):
        done = invoke(*command, "--output", "nowhere/x")
        assert done.exit_code == 1
        assert done.output == "error: nowhere/x: cannot be written: No such file or directory\n"


def test_a_report_s_text_needs_nothing_but_the_report(invoke: Invoke) -> None:
    place = Archive(Path("chaos-reports")).save(report("first"))
    (place / "summary.txt").unlink()
    assert invoke("report", "first", "--output", "x.txt").exit_code == 0
    assert "DEVIATED" in Path("x.txt").read_text()


@pytest.mark.parametrize("seed", ["-1", "x", str(2**63)])
def test_a_seed_that_no_file_could_have_is_refused(invoke: Invoke, seed: str) -> None:
    done = invoke("plan", "kill-worker", "--seed", seed)
    assert done.exit_code == 2
    assert "Invalid value for '--seed'" in done.output


@pytest.mark.parametrize("name", ["*", "../x", "a/b", ""])
def test_what_names_no_supervisor_halts_none(invoke: Invoke, name: str) -> None:
    done = invoke("halt", "--name", name)
    assert done.exit_code == 1
    assert "names no supervisor" in done.output
