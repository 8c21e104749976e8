"""What of the tasks in the log is told: also that nothing fails any more."""

from __future__ import annotations

from typing import Any

import pytest

from actors.degradation.observations import BudgetObservations
from actors.degradation.settings import BudgetSettings
from actors.runtime.errors import EventLogError

SETTINGS = BudgetSettings(objective=0.9, tasks_min=10)


class Log:
    """Answers with what the test says."""

    def __init__(self) -> None:
        self.pools: dict[str, tuple[int, int]] = {}
        self.is_down = False

    def query(self, sql: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
        assert parameters == (300_000_000,)
        if self.is_down:
            raise EventLogError("events.duckdb", reason="it does not answer", remedy="Wait")
        return [{"pool": pool, "tasks": tasks, "failed": failed} for pool, (tasks, failed) in self.pools.items()]


def test_a_pool_whose_failures_are_over_burns_nothing_though_nothing_runs_in_it() -> None:
    log = Log()
    budget = BudgetObservations(SETTINGS, {"gpu"}, log.query)
    assert budget.look() == {("budget_burn", "gpu"): 0.0}
    log.pools = {"gpu": (20, 10), "other": (20, 2)}
    told = budget.look()
    assert told[("budget_burn", "gpu")] == pytest.approx(5.0)
    log.pools = {}
    assert budget.look() == {("budget_burn", "gpu"): 0.0, ("budget_burn", "other"): 0.0}


def test_where_too_few_tasks_have_failed_nothing_is_known_of_the_worst_either() -> None:
    log = Log()
    budget = BudgetObservations(SETTINGS, {""}, log.query)
    assert budget.look() == {("budget_burn", ""): 0.0}
    log.pools = {"default": (5, 3)}
    assert budget.look() == {("budget_burn", ""): None, ("budget_burn", "default"): None}
    log.is_down = True
    assert budget.look() == {}
