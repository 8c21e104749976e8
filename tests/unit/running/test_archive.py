"""Reports as files: all shapes are there, and a recommendation is found again and applied."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from actors.runtime.errors import ConfigError
from experiments.errors import NotApplicableError, ReportUnreadableError, ReportUnsavedError, UnknownRunError
from experiments.recommend import Recommendation, SettingsChange
from experiments.running.applying import apply_change
from experiments.running.archive import JOURNAL, JUNIT, PAGE, REPORT, Archive
from tests.unit.report.scene import report as made


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "reports")


def test_a_report_is_there_in_every_shape_and_is_read_back_whole(archive: Archive) -> None:
    report = made("run-1a2b")
    place = archive.save(report)
    assert archive.load(report.run) == report
    assert archive.load(report.run[:-2]) == report, "its beginning is enough"
    assert archive.names() == (report.run,)
    assert (place / REPORT).stat().st_mode & 0o777 == 0o600
    assert json.loads((place / JOURNAL).read_text())["status"] == "completed"
    assert ET.fromstring((place / JUNIT).read_text()).tag == "testsuites"
    assert "<!doctype html>" in (place / PAGE).read_text()


def test_a_run_that_is_not_there_is_told_with_those_that_are(archive: Archive) -> None:
    archive.save(made("run-1a2b"))
    with pytest.raises(UnknownRunError, match="the latest are"):
        archive.load("nothing-like-it")
    with pytest.raises(UnknownRunError, match="there is none yet"):
        Archive(archive.folder / "elsewhere").load("x")


def test_a_change_of_a_scene_holds_for_the_next_one(archive: Archive) -> None:
    report = made("run-1a2b")
    change = SettingsChange(subject="policy", setting="attempts", before=3, after=5)
    mended = Recommendation(number=1, finding="workers_exhausted", why="w", change=change, events=("tasks/1",))
    archive.save(replace(report, recommendations=(mended,)))
    told = apply_change(None, archive, report.run, 1)
    assert "policy: attempts 3 -> 5" in told
    assert archive.settings() == {"policy": {"attempts": 5}}
    with pytest.raises(UnknownRunError, match="has no recommendation 7; it has run-1a2b#1"):
        apply_change(None, archive, report.run, 7)


def test_a_change_of_what_does_not_run_is_refused_with_the_remedy(archive: Archive) -> None:
    report = made("run-1a2b")
    change = SettingsChange(subject="child/clerk", setting="standbys", before=0, after=1)
    mended = Recommendation(number=1, finding="slow_recovery", why="w", change=change, events=("children/1",))
    archive.save(replace(report, recommendations=(mended,)))
    with pytest.raises(NotApplicableError, match="--name and --address"):
        apply_change(None, archive, report.run, 1)


def test_where_no_report_can_be_written_it_is_told_before_anything_is_done(tmp_path: Path) -> None:
    file = tmp_path / "reports"
    file.write_text("a file is no folder")
    with pytest.raises(ConfigError, match=r"cannot be written .* the verdict would be lost"):
        Archive(file).insist()
    Archive(tmp_path / "there").insist()
    assert list((tmp_path / "there").iterdir()) == []


def test_a_beginning_that_several_runs_have_is_told_with_them(archive: Archive) -> None:
    for run in ("run-1a", "run-1b"):
        archive.save(made(run))
    with pytest.raises(UnknownRunError, match=r"several runs begin with 'run-': run-1., run-1.; give more"):
        archive.load("run-")


def test_a_run_is_looked_for_in_the_folder_that_is_told(archive: Archive) -> None:
    with pytest.raises(UnknownRunError, match=rf"is known in {archive.folder}; .*--reports"):
        archive.load("x")


@pytest.mark.parametrize("damage", [b"", b"\x80\x04K", b"no pickle", pickle.dumps({"run": "r"})])
def test_a_damaged_report_is_told(archive: Archive, damage: bytes) -> None:
    place = archive.save(made("run-1a2b"))
    (place / REPORT).write_bytes(damage)
    with pytest.raises(ReportUnreadableError, match=f"'run-1a2b' in {place} cannot be read"):
        archive.load("run-1a2b")


def test_a_report_of_somebody_else_is_told(archive: Archive) -> None:
    place = archive.save(made("run-1a2b"))
    (place / REPORT).rename(place / "elsewhere")
    (place / REPORT).symlink_to(place / "elsewhere")
    with pytest.raises(ReportUnreadableError, match="symbolic links"):
        archive.load("run-1a2b")


def test_a_report_that_cannot_be_written_is_in_the_error(archive: Archive) -> None:
    """As on a disk that filled up while it ran."""
    report = made("run-1a2b")
    (archive.folder / report.run / PAGE).mkdir(parents=True)
    with pytest.raises(ReportUnsavedError, match=r"has ended \(deviated\).*Is a directory") as caught:
        archive.save(report)
    assert caught.value.report == report
    assert archive.names() == (), "what is not whole is no report"
    assert not list(archive.folder.rglob("*.new"))


def test_settings_are_kept_whole_or_as_they_were(archive: Archive) -> None:
    archive.keep_settings({"policy": {"attempts": 5}})
    (archive.folder / "settings.json.new").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        archive.keep_settings({"policy": {"attempts": 7}})
    assert archive.settings() == {"policy": {"attempts": 5}}


@pytest.mark.parametrize("text", ["[]", "{", '{"policy": 3}', "\x00"])
def test_settings_that_are_none_count_for_nothing(archive: Archive, text: str) -> None:
    archive.keep_settings({})
    (archive.folder / "settings.json").write_text(text)
    assert archive.settings() == {}


def test_a_report_without_recommendations_says_so(archive: Archive) -> None:
    archive.save(replace(made("run-1a2b"), recommendations=()))
    with pytest.raises(UnknownRunError, match="has no recommendation 1; it has none"):
        apply_change(None, archive, "run-1a", 1)
