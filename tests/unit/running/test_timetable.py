"""Files of schedules: what is wrong in one is told before anything runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actors.runtime.errors import ConfigError
from experiments.errors import ReportUnsavedError
from experiments.report.run import INTERRUPTED, RunReport
from experiments.running.archive import Archive
from experiments.running.timetable import Timetable, load_schedules
from tests.unit.report.scene import report

GOOD = "schedules:\n  - {name: nightly, experiment: kill-worker, cron: '0 3 * * *', missed: last}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "schedules.yaml"


def test_a_file_of_schedules(file: Path) -> None:
    file.write_text(GOOD)
    (found,) = load_schedules(file)
    assert (found.name, found.missed) == ("nightly", "last")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("schedules: []\n", "schedules"),
        (GOOD.replace("0 3", "99 3"), r"line 2, schedules\[0\].cron: .*no cron expression"),
        (GOOD.replace("missed: last", "zone: Mars"), r"line 2, schedules\[0\].zone: .*no time zone"),
        (
            GOOD.replace("kill-worker", "kill-nobody"),
            r"line 2, schedules\[0\].experiment: kill-nobody: .*no experiment of the library",
        ),
        (GOOD + GOOD.partition("\n")[2], r"line 3, schedules\[1\].name: 'nightly' is given twice"),
        (GOOD.replace("missed: last", "mised: last"), r"line 2, schedules\[0\].mised: unknown key"),
        (GOOD.replace("kill-worker", "[a]"), r"line 2, schedules\[0\].experiment"),
    ],
)
def test_what_is_wrong_is_told(file: Path, text: str, told: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match=told):
        load_schedules(file)


EVERY_MINUTE = "schedules:\n  - {name: often, experiment: kill-worker, cron: '* * * * *', missed: all}\n"
MINUTE_US = 60_000_000


class Runs:
    """Stands in for `sup.chaos`: tells what it is asked for, and is interrupted, or killed, when that is said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked = 0
        self.ends: dict[int, BaseException | tuple[str, ...]] = {}

    def run(self, _: str) -> RunReport:
        self.asked += 1
        end = self.ends.get(self.asked, ("all well",))
        if isinstance(end, BaseException):
            raise end
        whole = report(f"run-{self.asked}")
        return replace(whole, verdict=replace(whole.verdict, kind="aborted", reasons=end))


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    made = Runs(tmp_path)
    monkeypatch.setattr("experiments.running.timetable.ChaosHandle", lambda *_, **__: made)
    return made


def timetable(runs: Runs, file: Path) -> Timetable:
    file.write_text(EVERY_MINUTE)
    sup: Any = None
    return Timetable(sup, load_schedules(file), Archive(runs.folder))


def test_what_is_due_is_run_once_and_goes_on_where_it_was(runs: Runs, file: Path) -> None:
    assert list(timetable(runs, file).look(60 * MINUTE_US)) == [], "times count from the first look"
    first = timetable(runs, file)
    list(first.look(60 * MINUTE_US))
    assert len(list(first.look(62 * MINUTE_US))) == 2
    assert [past.due_us for past in first.history("often")] == [61 * MINUTE_US, 62 * MINUTE_US]
    assert list(timetable(runs, file).look(62 * MINUTE_US)) == [], "it was written down"
    assert len(list(timetable(runs, file).look(63 * MINUTE_US))) == 1


def test_whoever_is_killed_in_the_middle_runs_no_time_twice_and_forgets_none(runs: Runs, file: Path) -> None:
    first = timetable(runs, file)
    list(first.look(60 * MINUTE_US))
    runs.ends[2] = SystemExit("as a kill would be")
    with pytest.raises(SystemExit):
        list(first.look(63 * MINUTE_US))
    assert runs.asked == 2
    assert len(list(timetable(runs, file).look(63 * MINUTE_US))) == 1, "the third"


def test_an_interrupted_run_is_the_last(runs: Runs, file: Path) -> None:
    looking = timetable(runs, file)
    list(looking.look(60 * MINUTE_US))
    runs.ends[1] = (INTERRUPTED,)
    with pytest.raises(KeyboardInterrupt):
        list(looking.look(63 * MINUTE_US))
    assert (runs.asked, [past.verdict for past in looking.history("often")]) == (1, ["aborted"])


def test_an_interrupted_run_is_the_last_also_where_its_report_is_not_written(runs: Runs, file: Path) -> None:
    looking = timetable(runs, file)
    list(looking.look(60 * MINUTE_US))
    unsaved = ReportUnsavedError("run-1", verdict="aborted", folder="there", reason="No space left on device")
    whole = report("run-1")
    unsaved.report = replace(whole, verdict=replace(whole.verdict, kind="aborted", reasons=(INTERRUPTED,)))
    runs.ends[1] = unsaved
    with pytest.raises(KeyboardInterrupt):
        list(looking.look(63 * MINUTE_US))
    assert runs.asked == 1


def test_a_run_whose_report_is_not_written_was_run(runs: Runs, file: Path) -> None:
    runs.ends[1] = ReportUnsavedError("run-1", verdict="held", folder="there", reason="No space left on device")
    table = timetable(runs, file)
    list(table.look(MINUTE_US))
    (told,) = table.look(2 * MINUTE_US)
    assert told.startswith("often: run-1 (run 'run-1' has ended (held)")
    assert [past.verdict for past in table.history("often")] == ["held"]


def test_where_nothing_can_be_kept_nothing_is_run(runs: Runs, file: Path) -> None:
    table = timetable(runs, file)
    list(table.look(MINUTE_US))
    (runs.folder / "schedules.json.new").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        list(table.look(2 * MINUTE_US))
    assert runs.asked == 0
