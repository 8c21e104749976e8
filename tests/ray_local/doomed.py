"""A runner that is killed at a step of its run: right behind the entry that tells of it."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import ray

from experiments.hands.hands import Hands
from experiments.ledger.entry import Entry
from experiments.model.experiment import Experiment
from experiments.running.arranging import arrange
from experiments.running.books import Books
from experiments.running.performing import Performance
from experiments.running.staging import Stage
from supervisor import Supervisor


class Doomed:
    """Carries an experiment out, up to a step."""

    def perform(self, supervisor: str, experiment: Experiment, run: str, last: str, *, itself: bool) -> None:
        """Kill this process behind the step, or wait there to be killed."""
        write = Books.write

        def doomed(books: Books, entry: Entry, node_id: str = "") -> None:
            write(books, entry, node_id)
            if entry.step == last:
                if itself:
                    os.kill(os.getpid(), signal.SIGKILL)
                threading.Event().wait()

        setattr(Books, "write", doomed)  # noqa: B010 - a method is replaced
        sup = Supervisor.of_process(supervisor)
        hands = Hands(supervisor)
        with Stage(sup, experiment.chaos.scene, build=False) as stage:
            arranged = arrange(sup, hands, experiment, seed=None)
            Performance(sup, hands, stage, experiment, arranged, run=run).perform()


def doomed() -> Any:
    """A handle of one."""
    wrap: Any = ray.remote(Doomed)
    return wrap.options(num_cpus=0, max_restarts=0, max_concurrency=2).remote()
