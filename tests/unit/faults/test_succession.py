"""Who comes later ends what is on, writes down what cannot be ended, and leaves the living alone."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from actors.runtime.process import ProcessIdentity
from experiments.errors import LedgerUnwritableError
from experiments.faults.succession import Cleared, begin, clear, this_host
from experiments.faults.undo import Undo
from experiments.ledger.entry import Entry
from experiments.ledger.file import Ledger
from experiments.planning.ground import Ground
from tests.unit.faults.scene import is_stopped, sleeper, until
from tests.unit.node_agent.full_disk import full_disk


def left(ledger: Ledger, undo: object, runner: tuple[int, int, str] | None = None, run: str = "r1") -> None:
    """A run that armed one fault, and its runner: a process that is gone, unless one is given."""
    planned = {"experiment": "e", "targets": ["t"], "runner": list(runner or (2**22, 1, this_host()))}
    ledger.append(
        Entry(run=run, step="planned", data=planned), Entry(run=run, step="arming", fault="f", data={"undo": undo})
    )


def test_fifty_racing_starts_never_exceed_the_limit(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")

    def start(number: int) -> str:
        return begin(ledger, run=f"r{number}", experiment="e", ground=Ground(names=(f"t{number}",)), limit=3)

    with ThreadPoolExecutor(50) as pool:
        refused = [why for why in pool.map(start, range(50)) if why]
    assert len(refused) == 47
    assert all("3 experiments may run at a time" in why for why in refused)
    assert sum(run.goes_on for run in ledger.runs().values()) == 3


def test_a_run_of_a_name_that_was_is_not_begun(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    assert begin(ledger, run="r1", experiment="e", ground=Ground(), limit=9) == ""
    ledger.append(Entry(run="r1", step="ended", data={"verdict": "held"}))
    assert "a run named 'r1' already" in begin(ledger, run="r1", experiment="e", ground=Ground(), limit=9)
    assert ledger.runs()["r1"].verdict == "held"


def test_nobody_is_hit_twice(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    assert begin(ledger, run="r1", experiment="e", ground=Ground(names=("a", "b")), limit=9) == ""
    also_b = Ground(names=("b", "c"))
    assert begin(ledger, run="r2", experiment="e", ground=also_b, limit=9) == "b are hit by r1 already"


def test_whose_runner_lives_goes_on_unless_all_are_ended(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    begin(ledger, run="r1", experiment="e", ground=Ground(names=("t",)), limit=1)
    with sleeper() as target:
        os.kill(target.pid, signal.SIGSTOP)
        until(lambda: is_stopped(target))
        ledger.append(Entry(run="r1", step="arming", fault="f", data={"undo": Undo.resume(target).as_data()}))
        assert clear(ledger).runs == ()
        assert is_stopped(target)
        cleared = clear(ledger, whose=lambda _: True)
        assert (cleared.runs, cleared.faults) == (("r1",), ("r1 f: resumed",))
        until(lambda: not is_stopped(target))


def test_what_cannot_be_undone_is_a_stated_loss_and_tried_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    folder = tmp_path / "chaos-ballast"
    folder.mkdir()
    left(ledger, Undo("remove", path=str(folder)).as_data())
    left(ledger, {"kind": "format"}, run="r2")
    cleared = clear(ledger)
    assert (cleared.runs, cleared.faults, len(cleared.left_on)) == (("r1", "r2"), (), 2)
    run = ledger.runs()["r1"]
    assert (run.verdict, list(run.active), list(run.kept_on)) == ("aborted", ["f"], ["f"])
    folder.rmdir()
    assert clear(ledger).faults == ("r1 f: it is gone",)
    assert ledger.runs()["r1"].kept_on == {}


def test_numbers_of_another_boot_mean_nothing_here(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    with sleeper() as target:
        left(ledger, Undo.end(target).as_data(), runner=(target.pid, target.started_ticks, "elsewhere/boot"))
        assert clear(ledger).runs == ("r1",)
        assert ProcessIdentity(target.pid, target.started_ticks) == target
        assert not is_stopped(target)
        assert ledger.runs()["r1"].active == {}
        os.kill(target.pid, 0)


def test_what_ends_with_the_cluster_is_never_called_cleared(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    with sleeper() as raylet:
        left(ledger, Undo.outlast(raylet).as_data())
        cleared = clear(ledger)
        assert (cleared.runs, cleared.faults, len(cleared.left_on)) == (("r1",), (), 1)
        written = len(ledger.entries()[0])
        assert clear(ledger) == Cleared(runs=(), faults=(), left_on=()), "it was told once"
        assert len(ledger.entries()[0]) == written
        assert (ledger.runs()["r1"].lasting, ledger.runs()["r1"].undoable) == (("f",), {})


def test_why_a_run_was_ended_is_told_as_it_was(tmp_path: Path) -> None:
    """By name, too: `supervisor chaos clear` asks each node for the runs whose runners are gone."""
    ledger = Ledger(tmp_path / "ledger")
    left(ledger, Undo().as_data(), run="gone")
    left(ledger, Undo().as_data(), run="far", runner=(2**22, 1, "elsewhere/boot"))
    begin(ledger, run="lives", experiment="e", ground=Ground(), limit=9)
    assert set(clear(ledger, whose=lambda run: run.run in ("gone", "far", "lives")).runs) == {"gone", "far", "lives"}
    assert {entry.run: entry.data["why"] for entry in ledger.entries()[0] if entry.step == "ended"} == {
        "gone": "its runner was gone",
        "far": "it was ended from outside",
        "lives": "it was ended from outside",
    }


@pytest.mark.parametrize("harm", ["taken away", "its lines damaged"])
def test_a_fault_is_ended_whose_ledger_s_file_was_harmed(tmp_path: Path, harm: str) -> None:
    ledger = Ledger(tmp_path / "ledger")
    with sleeper() as target:
        left(ledger, Undo.resume(target).as_data())
        os.kill(target.pid, signal.SIGSTOP)
        until(lambda: is_stopped(target))
        if harm == "taken away":
            ledger.path.unlink()
        else:
            ledger.path.write_bytes(ledger.path.read_bytes().replace(b"arming", b"armimg"))
        cleared = clear(ledger)
        assert (cleared.runs, cleared.faults) == (("r1",), ("r1 f: resumed",))
        until(lambda: not is_stopped(target))
        assert clear(ledger) == Cleared(runs=(), faults=(), left_on=())


def test_faults_of_all_runs_are_ended_before_anything_is_written_down(tmp_path: Path) -> None:
    """Here nothing can be: the disk is full, and has no room for another board."""
    ledger = Ledger(tmp_path / "ledger")
    with sleeper() as one, sleeper() as other:
        for run, target in (("r1", one), ("r2", other)):
            left(ledger, Undo.resume(target).as_data(), run=run)
            os.kill(target.pid, signal.SIGSTOP)
        until(lambda: is_stopped(one) and is_stopped(other))
        (tmp_path / "ledger-chaos.board").unlink()
        with full_disk(), pytest.raises(LedgerUnwritableError):
            clear(ledger)
        until(lambda: not is_stopped(one) and not is_stopped(other))
        assert clear(ledger).runs == ("r1", "r2")
