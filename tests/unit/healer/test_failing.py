"""A function whose tasks fail too often is a trouble until a window is clean, or its tasks are done again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actors.event_log.query import run_query
from actors.event_log.schema import TABLES
from actors.event_log.store import EventStore
from actors.healer import messages as m
from actors.healer.failing import (
    AGAIN_S,
    ENDED_TASKS,
    FAILED_TASKS,
    NAMES_MAX,
    SEPARATOR,
    TASKS_FAIL,
    FailingTasks,
    verdict_of,
)
from actors.healer.settings import HealerSettings
from actors.runtime.batches import Batch

NOW_US = 1_800_000_000_000_000
SETTINGS = HealerSettings(task_failures=3, task_window_s=60.0, escalated_s=300.0)


def row(failures: int, name: str = "charge") -> dict[str, Any]:
    return {"name": name, "failures": failures, "error": "OSError", "first_us": NOW_US - 2_000_000}


def told(failing: FailingTasks, now: float, *rows: dict[str, Any]) -> list[str]:
    return [type(event).__name__ for event in failing.of(rows, now, NOW_US)]


def test_it_is_told_with_how_long_it_has_lasted_and_again_after_a_while() -> None:
    failing = FailingTasks(SETTINGS)
    assert told(failing, 0.0, row(2)) == []
    (trouble,) = failing.of([row(3)], 1.0, NOW_US)
    assert trouble == m.TroubleReported(
        component="charge",
        failure=TASKS_FAIL,
        detail="3 failed in 60 s, the latest by OSError",
        source="task",
        began_ago_s=2.0,
    )
    assert told(failing, 2.0, row(4)) == []
    assert told(failing, 1.0 + AGAIN_S, row(4)) == ["TroubleReported"]


def test_it_ends_when_none_has_failed_in_the_window_which_is_told_for_a_while() -> None:
    failing = FailingTasks(SETTINGS)
    told(failing, 0.0, row(3))
    assert told(failing, 10.0, row(1)) == []
    assert failing.of((), 20.0, NOW_US) == [m.TroubleEnded(component="charge", failure=TASKS_FAIL)]
    assert [told(failing, at) for at in (21.0, 20.0 + AGAIN_S)] == [[], ["TroubleEnded"]]
    assert told(failing, 100.0, row(3)) == ["TroubleReported"], "it is back"
    assert told(failing, 200.0) == ["TroubleEnded"]
    assert (told(failing, 501.0), failing.names) == ([], "")


def test_what_an_earlier_life_has_told_of_is_ended_by_this_one() -> None:
    failing = FailingTasks(SETTINGS)
    failing.resume(["charge", "refund"])
    assert failing.names.split(SEPARATOR) == ["charge", "refund"]
    assert told(failing, 0.0, row(1)) == ["TroubleEnded"]


def test_what_failed_before_it_was_mended_counts_no_more() -> None:
    failing = FailingTasks(SETTINGS)
    assert failing.since_us("charge", 5) == 5
    failing.mended("charge", 7)
    assert [failing.since_us("charge", window_us) for window_us in (5, 9)] == [7, 9]
    for number in range(NAMES_MAX):
        failing.mended(str(number), 1)
    assert failing.since_us("charge", 5) == 5, "the oldest gives way"


@pytest.mark.parametrize(
    ("done", "failures", "verdict"), [(1, 2, "passed"), (9, 3, "failed"), (0, 0, "failed"), (1, 0, "passed")]
)
def test_it_is_well_when_tasks_were_done_and_too_few_failed(done: int, failures: int, verdict: str) -> None:
    found = verdict_of({"done": done, "failures": failures}, 3)
    assert found == (verdict, f"of its tasks since then {done} were done, and {failures} failed")


@pytest.fixture
def ask(tmp_path: Path) -> Any:
    """A real log in which of two functions tasks have failed, and one was done."""
    store = EventStore(tmp_path / "log.duckdb")
    columns = [column.name for column in TABLES["tasks"].columns]
    seconds = {"charge": ((1, "failed"), (2, "failed"), (3, "failed"), (8, "done")), "refund": ((1, "failed"),)}
    tasks = [(name, at, state) for name, ends in seconds.items() for at, state in ends]
    for seq, (name, at, state) in enumerate(tasks, start=1):
        at_us = NOW_US + at * 1_000_000
        given: dict[str, Any] = {"task_id": str(seq), "name": name, "state": state, "error_type": "OSError"}
        given |= {"ended_at": at_us, "attempt_at": at_us - 500_000, "submitted_at": NOW_US, "attempts": 1}
        store.append([Batch("e", seq, {"tasks": [[given.get(column)] for column in columns]})])
    reader = store.reader()

    def query(sql: str, *parameters: Any) -> list[dict[str, Any]]:
        return run_query(reader, sql, parameters, path=store.path)

    yield query
    reader.close()
    store.close()


def test_the_log_tells_who_failed_and_how_tasks_have_ended_since(ask: Callable[..., list[dict[str, Any]]]) -> None:
    (found,) = ask(FAILED_TASKS, NOW_US, 3, "")
    assert found == {"name": "charge", "failures": 3, "error": "OSError", "first_us": NOW_US + 1_000_000}
    named = ask(FAILED_TASKS, NOW_US, 3, SEPARATOR.join(("refund", "other")))
    assert {each["name"] for each in named} == {"charge", "refund"}
    assert ask(ENDED_TASKS, "charge", NOW_US + 2_000_000) == [{"done": 1, "failures": 1}]
    assert ask(ENDED_TASKS, "none", NOW_US) == [{"done": 0, "failures": 0}]
