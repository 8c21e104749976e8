"""Deaths of workers on a real Ray: no task is lost, none is settled twice, none holds another."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from concurrent.futures import wait as wait_for_all
from typing import Any

import pytest

from supervisor import (
    OutcomeUnknownError,
    PoisonTaskError,
    Policy,
    Retry,
    Supervisor,
)
from tests.ray_local.workload import (
    Gate,
    die_marked,
    double,
    mark_then_wait,
)

# -- deaths ------------------------------------------------------------------------------------------------------------


def test_a_task_that_kills_its_worker_is_set_aside_and_harms_no_other(start: Any, marks: Any):
    sup = start(tasks={"poison_after": 2})
    innocent = [sup.submit(double, n) for n in range(50)]
    poison = sup.options(policy=Policy(retry=Retry(attempts=10))).submit(die_marked, marks.path)
    innocent += [sup.submit(double, n) for n in range(50, 100)]
    with pytest.raises(PoisonTaskError, match="die_marked") as caught:
        poison.result(timeout=60)
    assert caught.value.deaths == 2
    assert 2 <= len(marks.lines()) <= 3  # a death in company is not counted
    assert [future.result(timeout=60) for future in innocent] == [2 * n for n in range(100)]
    states = sup.events.query("select state, count(*) as n from tasks group by all order by all")
    assert {row["state"]: row["n"] for row in states} == {"done": 100, "poison": 1}


def test_an_unknown_outcome_surfaces_and_is_never_run_again(sup: Supervisor, marks: Any, gate: Gate, eventually: Any):
    policy = Policy(retry=Retry(attempts=5, unknown="never"))
    future = sup.options(policy=policy).submit(die_marked, marks.path)
    with pytest.raises(OutcomeUnknownError, match=future.task_id):
        future.result(timeout=30)
    waiting = [sup.options(policy=policy).submit(mark_then_wait, marks.path, "waits", gate.path) for _ in range(6)]
    eventually(lambda: marks.lines().count("waits") >= 2, "both slots taken")
    gate.open()
    assert [future.result(timeout=30) for future in waiting] == [None] * 6
    assert sup.submit(double, 2).result(timeout=30) == 4
    assert Counter(marks.lines()) == {"": 1, "waits": 6}


@pytest.mark.soak  # the demo does the same, and `.ci/run` runs it
def test_two_thousand_tasks_under_a_hail_of_kills(sup: Supervisor, family: Any):
    def slowly(number: int) -> int:
        time.sleep(0.0005)
        return number * number

    over = threading.Event()
    killed: list[int] = []
    chance = random.Random(5)

    def hail() -> None:
        while not over.is_set():
            active = [pid for pid in family.workers().values() if pid not in killed]
            if active:
                pid = chance.choice(active)
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                killed.append(pid)
            over.wait(0.25)

    settled: Counter[str] = Counter()
    policy = Policy(retry=Retry(attempts=100))
    futures = [sup.options(policy=policy).submit(slowly, n) for n in range(2000)]
    for future in futures:
        future.add_done_callback(lambda _, task_id=future.task_id: settled.update([task_id]))
    killer = threading.Thread(target=hail)
    killer.start()
    try:
        futures += [sup.options(policy=policy).submit(slowly, n) for n in range(2000, 2500)]
        results = [future.result(timeout=90) for future in futures]
    finally:
        over.set()
        killer.join()
    assert results == [n * n for n in range(2500)]
    assert set(settled.values()) == {1}
    assert len(killed) >= 2
    rows = sup.events.query("select count(*) as n, count(distinct task_id) as d, min(state) as s from tasks")
    assert rows == [{"n": 2500, "d": 2500, "s": "done"}]


def test_slow_tasks_never_hold_fast_ones(shared: Supervisor, gate: Gate, marks: Any):
    def sometimes_slow(number: int, path: str, gate: str) -> int:
        if number % 100 == 50:
            mark_then_wait(path, "slow", gate)
        return number

    futures = [shared.submit(sometimes_slow, n, marks.path, gate.path) for n in range(50)]
    wait_for_all(futures, timeout=30)
    mixed = [shared.submit(sometimes_slow, n, marks.path, gate.path) for n in range(100)]
    mixed += [shared.submit(sometimes_slow, n, marks.path, gate.path) for n in range(51, 150)]
    fast = [future for n, future in enumerate(mixed) if n != 50]
    assert not wait_for_all(fast, timeout=20).not_done, "a slow task held others"
    assert not mixed[50].done()
    gate.open()
    assert mixed[50].result(timeout=30) == 50
