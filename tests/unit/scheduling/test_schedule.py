"""A time that came is run once, or skipped for a reason that is told; none is forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.errors import ConfigError
from experiments.scheduling.schedule import MISSED_MAX, Decision, PastRun, Schedule, decide, remember

S = 1_000_000


def schedule(**changed: Any) -> Schedule:
    return Schedule.parse({"name": "s", "experiment": "kill-worker", "cron": "* * * * *", **changed}, source="t")


def decided(due_s: list[int], now_s: int, *, running: bool = False, **changed: Any) -> Decision:
    return decide(schedule(**changed), [each * S for each in due_s], now_us=now_s * S, seen_us=0, running=running)


def test_what_is_due_runs_once() -> None:
    assert decided([60], 61) == Decision(run=(60 * S,), seen_us=61 * S)
    assert decided([], 61) == Decision(seen_us=61 * S)


@pytest.mark.parametrize(
    ("missed", "run", "skipped"), [("skip", (), [60, 120]), ("last", (120,), [60]), ("all", (60, 120), [])]
)
def test_what_was_missed_by_its_policy(missed: str, run: tuple[int, ...], skipped: list[int]) -> None:
    found = decided([60, 120], 1000, missed=missed)
    assert found.run == tuple(each * S for each in run)
    assert [each // S for each, _ in found.skipped] == skipped
    assert all("missed by more than 300 s" in why for _, why in found.skipped)


def test_of_several_on_time_the_last_runs() -> None:
    found = decided([60, 120], 121)
    assert (found.run, found.skipped) == ((120 * S,), ((60 * S, "a later time came"),))


def test_what_is_due_waits_while_it_runs() -> None:
    found = decided([60], 61, running=True)
    assert (found.run, found.seen_us) == ((), 60 * S - 1)
    again = decide(schedule(), [60 * S], now_us=90 * S, seen_us=found.seen_us, running=False)
    assert again.run == (60 * S,)


def test_paused_ones_pass_and_too_many_are_not_looked_at() -> None:
    assert decided([60], 61, paused=True).skipped == ((60 * S, "it is paused"),)
    found = decided(list(range(1, MISSED_MAX + 3)), 10_000, missed="all")
    assert (len(found.run), len(found.skipped)) == (MISSED_MAX, 2)


@given(
    st.lists(st.integers(1, 5000), unique=True, max_size=20).map(sorted),
    st.integers(1, 5000),
    st.sampled_from(["skip", "last", "all"]),
    st.booleans(),
)
def test_no_time_is_forgotten_or_run_twice(due: list[int], now: int, missed: str, paused: bool) -> None:
    found = decided(due, now, missed=missed, paused=paused)
    told = sorted([*found.run, *(each for each, _ in found.skipped)])
    assert told == [each * S for each in due if each <= now]


def test_history_has_a_limit_and_a_schedule_a_sound_name() -> None:
    runs = tuple(PastRun(due_us=n, run=f"r{n}", verdict="held") for n in range(3))
    assert [run.run for run in remember(runs, PastRun(due_us=9, run="r9", verdict="held"), limit=2)] == ["r2", "r9"]
    for wrong in ({"name": "a b"}, {"start_within_s": 0}, {"missed": "some"}, {"history": 0}):
        with pytest.raises(ConfigError):
            schedule(**wrong)
