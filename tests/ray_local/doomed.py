"""A runner that is killed at a moment of its run: when a step is not written down yet, or right behind that."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass
from typing import Any, Literal, get_args

import ray

from experiments.hands.hands import Hands
from experiments.ledger import machine
from experiments.ledger.entry import STEPS, Entry, Step
from experiments.ledger.messages import FaultOrder
from experiments.model.experiment import Experiment
from experiments.running.arranging import arrange
from experiments.running.books import Books
from experiments.running.performing import Performance
from experiments.running.staging import Stage
from experiments.running.striking import Striker
from supervisor import Supervisor

Side = Literal["before", "behind"]


@dataclass(frozen=True)
class Moment:
    """Before a step is written down, or behind it.

    Some steps tell what was done, others what is going to be: so each has two moments at which something may be on.
    """

    side: Side
    step: Step

    def __str__(self) -> str:
        return f"{self.side}-{self.step}"


MOMENTS = tuple(Moment(side, step) for step in STEPS for side in get_args(Side))
"""Every moment of a run, in its order."""


class Doomed:
    """Carries an experiment out, up to a moment."""

    def __init__(self) -> None:
        self._came = threading.Event()

    def perform(self, supervisor: str, experiment: Experiment, run: str, moment: Moment, *, itself: bool) -> None:
        """Kill this process at the moment, or wait there to be killed."""
        self._lay_in_wait(moment, itself=itself)
        if moment.step == "kept_on":
            _let_undos_fail()
        sup = Supervisor.of_process(supervisor)
        hands = Hands(supervisor)
        with Stage(sup, experiment.chaos.scene, build=False) as stage:
            arranged = arrange(sup, hands, experiment, seed=None)
            Performance(sup, hands, stage, experiment, arranged, run=run).perform()

    def has_come(self, within_s: float) -> bool:
        """Whether the moment has come."""
        return self._came.wait(within_s)

    def _lay_in_wait(self, moment: Moment, *, itself: bool) -> None:
        write, begin = Books.write, Books.begin

        def pass_by(side: Side, step: Step) -> None:
            if moment == Moment(side, step):
                self._came.set()
                if itself:
                    os.kill(os.getpid(), signal.SIGKILL)
                threading.Event().wait()

        def watched(books: Books, entry: Entry, node_id: str = "") -> None:
            pass_by("before", entry.step)
            write(books, entry, node_id)
            pass_by("behind", entry.step)

        def watched_begin(books: Books, limit: int) -> str:
            pass_by("before", "planned")
            why = begin(books, limit)
            pass_by("behind", "planned")
            return why

        setattr(Books, "write", watched)  # noqa: B010 - a method is replaced
        setattr(Books, "begin", watched_begin)  # noqa: B010 - as above


def _let_undos_fail() -> None:
    """Those of the runner: its watchdogs' are their own."""

    def undo(_: Striker, order: FaultOrder) -> str:
        raise OSError(f"{order.fault_id} stays on")

    setattr(Striker, "undo", undo)  # noqa: B010 - as above
    setattr(machine, "UNDO_TRIES", 1)  # noqa: B010 - as above


def doomed() -> Any:
    """A handle of one."""
    wrap: Any = ray.remote(Doomed)
    return wrap.options(num_cpus=0, max_restarts=0, max_concurrency=2).remote()
