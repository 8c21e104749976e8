"""An undo is data, may be carried out again at any time, and never touches a stranger."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from actors.runtime.process import ProcessIdentity
from experiments.faults.undo import Limited, Undo, carry_out, is_undone, limit_of, set_limit
from experiments.model.lasting import LASTS
from tests.unit.faults.scene import is_stopped, sleeper, state, until


def test_a_stopped_process_goes_on_and_again_is_nothing() -> None:
    with sleeper() as target:
        undo = Undo.resume(target)
        assert (carry_out(undo), is_undone(undo)) == ("it runs already", True)
        os.kill(target.pid, signal.SIGSTOP)
        until(lambda: is_stopped(target))
        assert not is_undone(undo)
        assert carry_out(undo) == "resumed"
        until(lambda: is_undone(undo))
        assert carry_out(undo) == "it runs already"
    assert (carry_out(undo), is_undone(undo)) == ("it is gone", True)


def test_a_stop_that_has_not_stopped_it_yet_is_taken_back() -> None:
    """The target shares our processor and does not come to its signal before we are done."""
    here = os.sched_getaffinity(0)
    with sleeper() as target:
        undo = Undo.resume(target)
        until(lambda: state(target) == "S")
        try:
            for process in (0, target.pid):
                os.sched_setaffinity(process, {min(here)})
            for _ in range(200):
                os.kill(target.pid, signal.SIGSTOP)
                carry_out(undo)
                assert is_undone(undo)
                os.sched_yield()
                assert not is_stopped(target)
        finally:
            os.sched_setaffinity(0, here)


@pytest.mark.parametrize("kind", ["files", "size"])
def test_a_limit_is_what_it_was(kind: Limited) -> None:
    with sleeper() as target:
        before = limit_of(kind, target)
        assert before is not None
        undo = Undo.allow(kind, target, before)
        assert Undo.from_data(json.loads(json.dumps(undo.as_data()))) == undo
        set_limit(kind, target, 100)
        assert not is_undone(undo)
        assert carry_out(undo) == "its limit is what it was"
        assert (is_undone(undo), limit_of(kind, target)) == (True, before)
    assert (carry_out(undo), is_undone(undo)) == ("it is gone", True)


def test_a_process_of_ours_is_ended() -> None:
    with sleeper() as target:
        undo = Undo.end(target)
        assert not is_undone(undo)
        assert carry_out(undo) == "ended"
        until(lambda: is_undone(undo))
        assert carry_out(undo) == "it is gone"


def test_a_later_process_with_its_number_is_left_alone() -> None:
    with sleeper() as target:
        stranger = ProcessIdentity(target.pid, target.started_ticks + 1)
        assert carry_out(Undo.end(stranger)) == carry_out(Undo.resume(stranger)) == "it is gone"
        assert state(target) not in ("", "Z")


def test_a_file_of_ours_is_removed_and_no_other(tmp_path: Path) -> None:
    ballast = tmp_path / "chaos-ballast-1"
    ballast.write_bytes(b"x")
    undo = Undo("remove", path=str(ballast))
    assert not is_undone(undo)
    assert [carry_out(undo), carry_out(undo)] == ["removed", "it is gone"]
    assert is_undone(undo)
    with pytest.raises(ValueError, match="not ours to remove"):
        Undo("remove", path=str(tmp_path / "orders.duckdb"))


def test_what_is_written_down_is_read_again() -> None:
    for undo in (Undo(), Undo("resume", 3, 4), Undo("kill", 3, 4), Undo("remove", path="/tmp/chaos-x")):
        assert Undo.from_data(json.loads(json.dumps(undo.as_data()))) == undo
    assert (carry_out(Undo()), is_undone(Undo())) == ("nothing was to be undone", True)
    for wrong in (None, {}, {"kind": "format"}, {"kind": "kill", "pid": "1", "started_ticks": 1, "path": ""}):
        with pytest.raises((ValueError, TypeError)):
            Undo.from_data(wrong)


def test_what_ends_with_a_process_is_undone_by_nothing_else() -> None:
    with sleeper() as target:
        undo = Undo.outlast(target)
        assert (carry_out(undo), is_undone(undo)) == (LASTS, False)
        assert Undo.from_data(undo.as_data()) == undo
        assert carry_out(Undo.end(target)) == "ended"
        until(lambda: is_undone(undo))
    assert carry_out(undo) == "it has ended with Ray's process"
