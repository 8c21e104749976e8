"""A recommendation changes what it says, or says that it does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.cli.embedding import allowance_of, heartbeat_of
from experiments.errors import NotApplicableError
from experiments.model.experiment import Load
from experiments.recommend import Recommendation, SettingsChange
from experiments.running.applying import apply_change
from experiments.running.archive import Archive
from experiments.running.staging import POOL_STANDBYS, Stage
from experiments.running.witness import Address
from supervisor import Policy
from tests.unit.report.scene import report


class Sup:
    """A supervisor that keeps what a load is submitted with; the scene is not built."""

    class config:  # noqa: N801 - as the attribute is called
        policy = Policy()

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    def options(self, **given: Any) -> Sup:
        self.given = given
        return self

    def submit(self, *_: Any) -> None:
        """Nothing is run."""


def recommended(archive: Archive, subject: str, setting: str, before: Any, after: Any) -> str:
    change = SettingsChange(subject=subject, setting=setting, before=before, after=after)
    made = Recommendation(number=1, finding="effects_doubled", why="w", change=change, events=("children/1",))
    archive.save(replace(report("run-1"), recommendations=(made,)))
    return "run-1"


def submitted(archive: Archive) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a task of the load is submitted with, and what the run says that it is."""
    sup: Any = Sup()
    stage = Stage(sup, "pool", build=False, settings=archive.settings())
    witness: Any = type("Seen", (), {"address": Address("h", 1, "s")})
    stage.submit(Load(), witness, "k")
    return sup.given, stage.made_with()["policy"]


@pytest.mark.parametrize(("setting", "before", "after"), [("attempts", 3, 5), ("unknown", "retry", "never")])
def test_what_is_changed_of_the_policy_is_what_the_next_load_is_submitted_with(
    tmp_path: Path, setting: str, before: Any, after: Any
) -> None:
    archive = Archive(tmp_path)
    for when, wanted in (("before", before), ("after", after)):
        if when == "after":
            apply_change(None, archive, recommended(archive, "policy", setting, before, after), 1)
        given, told = submitted(archive)
        retry = given["policy"].retry
        assert (getattr(retry, setting), told[setting]) == (wanted, wanted)


def test_what_no_load_reads_is_not_claimed(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    run = recommended(archive, "policy", "durable", before=False, after=True)
    with pytest.raises(NotApplicableError, match="no load reads it"):
        apply_change(None, archive, run, 1)
    assert archive.settings() == {}


def test_the_hang_timeout_of_a_pool_is_for_the_next_start_and_is_not_claimed_of_one_that_runs(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    run = recommended(archive, "pool/default", "hang_timeout_s", 2.0, 0.8)
    running: Any = Sup()
    with pytest.raises(NotApplicableError, match="set it in its configuration"):
        apply_change(running, archive, run, 1)
    assert archive.settings() == {}
    assert heartbeat_of(archive.settings()) == {"heartbeat_s": 0.5, "hang_timeout_s": 2.0}
    apply_change(None, archive, run, 1)
    assert heartbeat_of(archive.settings()) == {"heartbeat_s": 0.2, "hang_timeout_s": 0.8}


def test_a_scene_that_is_built_says_with_how_many_standbys() -> None:
    sup: Any = Sup()
    assert Stage(sup, "pool", build=True).made_with()["pool/default"] == {"standbys": POOL_STANDBYS}
    given = {"pool/default": {"standbys": 2}}
    assert Stage(sup, "pool", build=True, settings=given).made_with()["pool/default"] == {"standbys": 2}


def test_how_many_restarts_a_pool_bears_is_what_the_next_embedded_cluster_starts_with(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    assert allowance_of(archive.settings()) == {}
    run = recommended(archive, "pool/default", "intensity", 1, 8)
    running: Any = Sup()
    with pytest.raises(NotApplicableError, match=r"pools\.default\.intensity is read when the supervisor starts"):
        apply_change(running, archive, run, 1)
    assert archive.settings() == {}
    assert "are built so from now on" in apply_change(None, archive, run, 1)
    assert allowance_of(archive.settings()) == {"intensity": 8}


def test_what_a_scene_keeps_its_state_with_may_be_changed_for_the_next_one(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    run = recommended(archive, "child/chaos-till", "standbys", 0, 1)
    assert "are built so from now on" in apply_change(None, archive, run, 1)
    assert archive.settings() == {"child/chaos-till": {"standbys": 1}}
