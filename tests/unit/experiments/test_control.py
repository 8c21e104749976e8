"""A file's own bounds hold under Chaos Toolkit, or it does nothing; and what injects nothing does not pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from chaoslib.control import apply_controls
from chaoslib.exceptions import InterruptExecution
from chaoslib.experiment import run_experiment
from chaoslib.types import Dry

from actors.runtime.settings import Settings
from experiments import driver
from experiments.errors import PlanRefusedError
from experiments.model.experiment import Experiment
from experiments.model.faults import Fault
from experiments.model.loading import load_experiment
from experiments.model.writing import as_mapping


def read(dry: Dry | None = None, **changed: Any) -> dict[str, Any]:
    """A file as `chaos run` has read it."""
    return {**as_mapping(load_experiment("kill-worker")), "dry": dry, **changed}


def begin(data: dict[str, Any]) -> None:
    """What is done before its first probe."""
    apply_controls(level="experiment", experiment=data, context=data, scope="before")


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[Experiment]:
    """With which experiments the driver was connected."""
    found: list[Experiment] = []
    monkeypatch.setattr(driver, "connect_from_environment", found.append)
    return found


def test_the_file_is_what_the_driver_is_connected_with(connected: list[Experiment]) -> None:
    begin(read())
    begin(read(Dry.ACTIONS))
    assert connected == [load_experiment("kill-worker")] * 2


def test_where_nothing_is_called_nobody_is_connected(connected: list[Experiment]) -> None:
    begin(read(Dry.ACTIVITIES))
    assert connected == []


def test_a_file_of_a_newer_schema_or_a_wrong_one_is_not_run_without_its_bounds(connected: list[Experiment]) -> None:
    own = {"name": "ray-supervisor", "schema_version": 2}
    with pytest.raises(InterruptExecution, match=r"extensions\[0\]\.schema_version: 2 is newer"):
        begin(read(extensions=[own]))
    with pytest.raises(InterruptExecution, match=r"extensions\[0\]\.lease_s: "):
        begin(read(extensions=[{**own, "schema_version": 1, "lease_s": 0}]))
    assert connected == []


def test_where_no_supervisor_is_named_nothing_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUPERVISOR_NAME", raising=False)
    with pytest.raises(InterruptExecution, match="set SUPERVISOR_NAME"):
        begin(read())


class Calm:
    """A cluster on which all is well, and whose workers may be hit or not."""

    def __init__(self) -> None:
        self.refuses = False

    def inject(self, fault: Fault) -> Mapping[str, Any]:
        if self.refuses:
            raise PlanRefusedError("kill-worker", problems=(f"no {fault.fault} here",))
        return {"evidence": {}}

    def clear(self) -> Mapping[str, Any]:
        return {}

    def probe(self, function: str, arguments: Settings) -> Any:
        del arguments
        return 4 if function == "running" else 0

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calm]:
    made = Calm()
    monkeypatch.setattr(driver, "connect_from_environment", lambda _: driver.connect(made))
    yield made
    driver.disconnect()


def test_an_experiment_that_has_injected_nothing_does_not_pass(calm: Calm) -> None:
    """Chaos Toolkit alone calls it completed, and exits 0. What other tools undo is undone all the same."""
    assert run_experiment(read())["status"] == "completed"
    calm.refuses = True
    journal = run_experiment(read())
    assert (journal["status"], journal["deviated"]) == ("failed", False)
    (step,) = journal["run"]
    assert step["status"] == "failed"
    assert "no crash here" in step["exception"][-1]
    assert [undo["status"] for undo in journal["rollbacks"]] == ["succeeded"]
