"""Files of schedules: what is wrong in one is told before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.runtime.errors import ConfigError
from experiments.running.timetable import load_schedules

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
        (GOOD.replace("0 3", "99 3"), "no cron expression"),
        (GOOD.replace("kill-worker", "kill-nobody"), "no experiment of the library"),
        (GOOD + GOOD.partition("\n")[2], "given twice"),
        (GOOD.replace("missed: last", "mised: last"), "mised"),
    ],
)
def test_what_is_wrong_is_told(file: Path, text: str, told: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match=told):
        load_schedules(file)
