"""SIGTERM of a command that runs experiments: noted while Ray starts and ends, Ctrl-C while a run may go on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from experiments.cli.embedding import told
from experiments.cli.ending import Ending
from experiments.errors import HaltedError
from experiments.judging.verdict import EXIT_CODES
from experiments.report.run import INTERRUPTED, TERMINATED


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_it_interrupts_a_run_and_nothing_else() -> None:
    former = signal.getsignal(signal.SIGTERM)
    with Ending() as ending:
        with pytest.raises(KeyboardInterrupt, match="SIGTERM"), ending.awaited():
            terminate()
        terminate()  # the cluster ends in peace
    assert signal.getsignal(signal.SIGTERM) is former


def test_one_that_came_while_ray_started_is_not_forgotten() -> None:
    begun: list[str] = []
    with Ending() as ending:
        terminate()
        with pytest.raises(KeyboardInterrupt, match="SIGTERM"), ending.awaited():
            begun.append("a run")
    assert not begun


def test_ray_s_own_handler_does_not_stay() -> None:
    def leave(*_: object) -> None:
        raise SystemExit(15)

    with Ending() as ending:
        signal.signal(signal.SIGTERM, leave)  # as `ray.init` does it
        with pytest.raises(KeyboardInterrupt, match="SIGTERM"), ending.awaited():
            terminate()


@pytest.mark.parametrize(
    ("error", "why"), [(KeyboardInterrupt(), INTERRUPTED), (KeyboardInterrupt(TERMINATED), TERMINATED)]
)
def test_an_end_that_a_person_asked_for_is_aborted(
    error: KeyboardInterrupt, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, told(Path("there"), "kill-worker"):
        raise error
    assert ended.value.code == EXIT_CODES["aborted"]
    assert f"aborted: {why}" in capsys.readouterr().err


def test_one_that_ray_s_own_handler_answers_means_the_same() -> None:
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"), Ending():
        raise SystemExit(signal.SIGTERM)  # as `ray.init` has it answered while it starts
    with pytest.raises(SystemExit) as left, Ending():
        raise SystemExit(3)
    assert left.value.code == 3


def test_it_is_held_again_once_ray_has_started() -> None:
    with Ending() as ending:
        signal.signal(signal.SIGTERM, lambda *_: pytest.fail("it leaves at once"))
        ending.hold()
        terminate()
        with pytest.raises(KeyboardInterrupt, match="SIGTERM"), ending.awaited():
            pass


def test_whoever_halts_moves_nobody_s_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), told(tmp_path, "kill-worker"):
        raise HaltedError(who="ann", reason="enough \x1b[31mred")
    assert "enough \ufffd[31mred" in capsys.readouterr().err
