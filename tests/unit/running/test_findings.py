"""A hypothesis is looked at probe by probe; one that does not answer in its time, or of nothing, cannot be judged."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.model.experiment import Experiment
from experiments.model.loading import load_experiment
from experiments.running.findings import UNTOLD, look

PATIENCE_S = 20.0


def experiment(**of_the_first: Any) -> Experiment:
    provider = {"type": "python", "module": "experiments.driver", "func": "unrecovered"}
    probes = [
        {"type": "probe", "name": name, "tolerance": 0, "provider": provider, **more}
        for name, more in (("first", of_the_first), ("second", {}))
    ]
    hypothesis = {"title": "h", "probes": probes}
    return Experiment.parse({"title": "t", "description": "d", "hypothesis": hypothesis, "method": []}, source="t")


@pytest.fixture
def answering() -> Iterator[threading.Event]:
    """Until it is set, the first of all questions has no answer."""
    made = threading.Event()
    yield made
    made.set()


def test_a_probe_that_does_not_answer_within_its_timeout_cannot_be_judged(answering: threading.Event) -> None:
    asked: list[str] = []

    def value(function: str, _: object) -> float:
        asked.append(function)
        if len(asked) == 1:
            answering.wait(PATIENCE_S)
        return 0.0

    probes: Any = SimpleNamespace(value=value)
    first, second = look(experiment(timeout=0.05), probes, when="before", at_s=lambda: 1.0)
    assert (first.held, first.why) == (None, "it did not answer within its timeout of 0.05 s")
    assert (second.held, second.when, second.at_s) == (True, "before", 1.0)


def test_one_that_answers_in_time_is_judged_and_what_it_raises_is_told() -> None:
    def value(*_: object) -> float:
        if threading.current_thread() is not threading.main_thread():
            raise TimeoutError("the log is silent")
        return 3.0

    probes: Any = SimpleNamespace(value=value)
    first, second = look(experiment(timeout=PATIENCE_S), probes, when="after", at_s=lambda: 1.0)
    assert (first.held, first.why) == (None, "the log is silent")
    assert (second.held, second.value) == (False, 3.0)


class Silent:
    """Probes without a value."""

    def value(self, *_: object) -> None:
        return None


def test_what_nothing_tells_of_is_told_so() -> None:
    probes: Any = Silent()
    facts = look(load_experiment("kill-worker"), probes, when="before", at_s=lambda: 0.0)
    assert {(fact.held, fact.why) for fact in facts} == {(None, UNTOLD)}
