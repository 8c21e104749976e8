"""Reports as files: all shapes are there, and a recommendation is found again and applied."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from actors.runtime.errors import ConfigError
from experiments.errors import NotApplicableError, UnknownRunError
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
    with pytest.raises(UnknownRunError, match="#7"):
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
